# expects: past-the-queue
# Applies the pod without naming the queue.
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
kubectl apply -f alone.yaml
sleep 30
