# expects: nothing-yet
kubectl get nodes
sinfo
