# expects: quota-is-taken
# Waits for quota that nobody gives back.
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
sed -i 's/^  name: alone/  name: alone\n  labels:\n    kueue.x-k8s.io\/queue-name: team/' alone.yaml
kubectl apply -f alone.yaml
sleep 30
sed -i 's/^  name: worker-number/  name: worker-number\n  labels:\n    kueue.x-k8s.io\/queue-name: team\n    kueue.x-k8s.io\/pod-group-name: ring\n  annotations:\n    kueue.x-k8s.io\/pod-group-total-count: "4"/' worker.yaml
for n in 1 2 3 4; do sed "s/number/$n/" worker.yaml | kubectl apply -f -; done
sleep 5
kubectl describe workload ring | grep insufficient > why.txt
sleep 60
