# What matters how much.
cat > classes.yaml <<'END'
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: experiment}
value: 100
description: Work that can be run again.
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: {{class}}}
value: 100000
description: Answers customers.
END
kubectl apply -f classes.yaml
# Experiments fill both machines.
sed -i 's/^spec:/spec:\n  priorityClassName: experiment/' batch.yaml
for n in 1 2 3 4; do sed "s/number/$n/" batch.yaml | kubectl apply -f -; done
sleep 30
kubectl get pods -o wide
# The service takes a whole machine from them.
sed -i 's/^spec:/spec:\n  priorityClassName: {{class}}/' serve.yaml
kubectl apply -f serve.yaml
sleep 60
kubectl get pods -o wide
kubectl get events | grep Preempted
# One that goes first in the queue, but puts nobody out.
cat > patient.yaml <<'END'
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: patient}
value: 50000
preemptionPolicy: Never
---
apiVersion: v1
kind: Pod
metadata: {name: nightly}
spec:
  priorityClassName: patient
  containers:
  - name: train
    image: ubuntu:22.04
    command: ["sleep", "100000"]
    resources:
      limits: {nvidia.com/gpu: 4}
END
kubectl apply -f patient.yaml
sleep 20
kubectl get pod nightly -o jsonpath='{.status.conditions[0].message}'
# When an experiment ends, it is next.
kubectl delete pod $(kubectl get pods -l app=batch -o jsonpath='{.items[0].metadata.name}')
sleep 30
kubectl get pods -o wide
