# expects: class-missing
# Makes only one class.
cat > classes.yaml <<'END'
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: experiment}
value: 100
END
kubectl apply -f classes.yaml
