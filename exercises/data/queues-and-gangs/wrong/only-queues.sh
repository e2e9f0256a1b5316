# expects: not-handed-in
# Stops after the queues.
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
