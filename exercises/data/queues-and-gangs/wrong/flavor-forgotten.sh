# expects: not-active
# The flavor has another name than the one that the ClusterQueue counts by.
sed -i 's/^  name: h100/  name: h200/' queues.yaml
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
