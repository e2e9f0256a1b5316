# expects: other-count
# More than the step asks for.
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
        nvidia.com/gpu: 2
END
kubectl apply -f pod.yaml
sleep 60
