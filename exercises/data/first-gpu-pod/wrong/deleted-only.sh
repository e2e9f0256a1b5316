# expects: gone
# Deletes the pod and waits for it to come back.
cat > pod.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: cuda-first
spec:
  restartPolicy: Never
  containers:
  - name: cuda
    image: nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04
    command: ["nvidia-smi"]
    resources:
      limits:
        nvidia.com/gpu: 1
END
kubectl apply -f pod.yaml
sleep 60
kubectl logs cuda-first > gpu.txt
cat > more.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: cuda-{{name}}
spec:
  restartPolicy: Never
  containers:
  - name: cuda
    image: nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04
    command: ["nvidia-smi"]
    resources:
      limits:
        nvidia.com/gpu: {{gpus}}
END
kubectl apply -f more.yaml
sleep 5
kubectl describe pod cuda-{{name}} | grep Insufficient > why.txt
kubectl delete pod cuda-{{name}}
sleep 60
