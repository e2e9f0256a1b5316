# expects: no-pod
# Looks around and applies nothing.
cat pod.yaml
kubectl get nodes
