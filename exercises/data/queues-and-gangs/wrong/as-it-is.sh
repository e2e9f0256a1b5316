# expects: other-quota
# Applies the file with a quota of nothing.
kubectl apply -f queues.yaml
