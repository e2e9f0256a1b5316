# The quota.
sed -i 's/nominalQuota: 0/nominalQuota: {{quota}}/' queues.yaml
kubectl apply -f queues.yaml
kubectl get clusterqueues,localqueues
# One pod through the queue.
sed -i 's/^  name: alone/  name: alone\n  labels:\n    kueue.x-k8s.io\/queue-name: team/' alone.yaml
kubectl apply -f alone.yaml
sleep 30
kubectl get workloads
# Four that only make sense together.
sed -i 's/^  name: worker-number/  name: worker-number\n  labels:\n    kueue.x-k8s.io\/queue-name: team\n    kueue.x-k8s.io\/pod-group-name: ring\n  annotations:\n    kueue.x-k8s.io\/pod-group-total-count: "4"/' worker.yaml
for n in 1 2 3 4; do sed "s/number/$n/" worker.yaml | kubectl apply -f -; done
sleep 5
kubectl get pods
kubectl get workloads
# Why they wait.
kubectl describe workload ring | grep insufficient > why.txt
cat why.txt
# Room for all of them.
kubectl delete pod alone
sleep 60
kubectl get pods -o wide
kubectl get workloads
