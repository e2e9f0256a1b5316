# expects: alone-takes-time
# Does not let time pass.
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
sed -i 's/^  name: alone/  name: alone\n  labels:\n    kueue.x-k8s.io\/queue-name: team/' alone.yaml
kubectl apply -f alone.yaml
