# expects: waits-for-room
# Waits for an experiment that never ends.
cat > classes.yaml <<'END'
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: experiment}
value: 100
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: {{class}}}
value: 100000
END
kubectl apply -f classes.yaml
sed -i 's/^spec:/spec:\n  priorityClassName: experiment/' batch.yaml
for n in 1 2 3 4; do sed "s/number/$n/" batch.yaml | kubectl apply -f -; done
sleep 30
sed -i 's/^spec:/spec:\n  priorityClassName: {{class}}/' serve.yaml
kubectl apply -f serve.yaml
sleep 60
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
sleep 600
