# expects: by-luck
# Lands on the right machine without having said so.
cat >> infer.yaml <<'END'
  nodeSelector:
    nvidia.com/gpu.product: NVIDIA-L40S
END
kubectl apply -f infer.yaml
kubectl apply -f train.yaml
sleep 20
