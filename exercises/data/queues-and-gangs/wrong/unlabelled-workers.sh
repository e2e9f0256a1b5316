# expects: workers-past-the-queue
# Creates the workers as they are.
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
sed -i 's/^  name: alone/  name: alone\n  labels:\n    kueue.x-k8s.io\/queue-name: team/' alone.yaml
kubectl apply -f alone.yaml
sleep 30
for n in 1 2 3 4; do sed "s/number/$n/" worker.yaml | kubectl apply -f -; done
sleep 5
