# expects: not-covered
# Asks for a resource that the queue knows nothing of.
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
sed -i 's/^  name: alone/  name: alone\n  labels:\n    kueue.x-k8s.io\/queue-name: team/' alone.yaml
sed -i 's/nvidia.com\/gpu: 4/nvidia.com\/gpu: 4\n        cpu: 2/' alone.yaml
kubectl apply -f alone.yaml
sleep 5
