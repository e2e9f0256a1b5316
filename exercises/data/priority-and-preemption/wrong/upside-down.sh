# expects: upside-down
# The larger number is the more important one.
cat > classes.yaml <<'END'
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: experiment}
value: 100
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: {{class}}}
value: 1
END
kubectl apply -f classes.yaml
