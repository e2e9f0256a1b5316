# expects: unknown-queue
# Names the ClusterQueue where the LocalQueue belongs.
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
sed -i 's/^  name: alone/  name: alone\n  labels:\n    kueue.x-k8s.io\/queue-name: research/' alone.yaml
kubectl apply -f alone.yaml
sleep 5
