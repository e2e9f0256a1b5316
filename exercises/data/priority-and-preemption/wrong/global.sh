# expects: everybody-is-important
# The important class becomes the default of all.
cat > classes.yaml <<'END'
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: {{class}}}
value: 100000
globalDefault: true
END
kubectl apply -f classes.yaml
