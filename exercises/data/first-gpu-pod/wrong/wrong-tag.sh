# expects: image-not-found
# A tag that the registry does not have.
cat > tag.yaml <<'END'
apiVersion: v1
kind: Pod
metadata:
  name: cuda-first
spec:
  restartPolicy: Never
  containers:
  - name: cuda
    image: nvcr.io/nvidia/cuda:12.4.99-base-ubuntu22.04
    command: ["nvidia-smi"]
    resources:
      limits:
        nvidia.com/gpu: 1
END
kubectl apply -f tag.yaml
sleep 60
