# expects: no-class
# A value above what users may have: refused.
cat > classes.yaml <<'END'
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: {{class}}}
value: 2000000000
END
kubectl apply -f classes.yaml
