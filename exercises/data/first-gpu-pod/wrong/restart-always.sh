# expects: restarts-for-ever
# Without restartPolicy it is Always: a task that ends is started again.
cat > always.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: cuda-first
spec:
  containers:
  - name: cuda
    image: nvcr.io/nvidia/cuda:12.4.1-base-ubuntu22.04
    command: ["nvidia-smi"]
    resources:
      limits:
        nvidia.com/gpu: 1
END
kubectl apply -f always.yaml
sleep 60
