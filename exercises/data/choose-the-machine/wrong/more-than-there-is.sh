# expects: nothing-so-large
# Asks for a GPU with more memory than any has.
cat >> infer.yaml <<'END'
  nodeSelector:
    nvidia.com/gpu.product: NVIDIA-L40S
END
kubectl apply -f infer.yaml
cat >> train.yaml <<'END'
  affinity:
    nodeAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
        nodeSelectorTerms:
        - matchExpressions:
          - {key: nvidia.com/gpu.memory, operator: Gt, values: ["{{gigabytes}}000000"]}
END
kubectl apply -f train.yaml
sleep 20
