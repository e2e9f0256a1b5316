# expects: still-too-many
# Applies the mended file over the pod that waits: refused, a pod's resources are fixed.
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
cat > fits.yaml <<'END'
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
        nvidia.com/gpu: 8
END
kubectl apply -f fits.yaml
sleep 60
