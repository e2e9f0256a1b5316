# expects: insists-on-the-zone
# Insists where it should prefer.
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
          - {key: nvidia.com/gpu.memory, operator: Gt, values: ["{{gigabytes}}000"]}
END
kubectl apply -f train.yaml
sleep 20
sed -e 's/name: infer/name: eval/' -e '/nodeSelector/,$d' infer.yaml > eval.yaml
cat >> eval.yaml <<'END'
  nodeSelector:
    topology.kubernetes.io/zone: seoul-b
END
kubectl apply -f eval.yaml
sleep 20
