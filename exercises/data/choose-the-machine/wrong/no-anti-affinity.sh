# expects: not-apart
# Makes the copies, but lets them stand together.
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
cat > eval.yaml <<'END'
apiVersion: v1
kind: Pod
metadata: {name: eval}
spec:
  affinity:
    nodeAffinity:
      preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        preference:
          matchExpressions:
          - {key: topology.kubernetes.io/zone, operator: In, values: [seoul-b]}
  containers:
  - name: eval
    image: ubuntu:22.04
    command: ["sleep", "100000"]
    resources: {limits: {nvidia.com/gpu: 1}}
END
kubectl apply -f eval.yaml
sleep 20
for n in 1 2 3; do sed "s/number/$n/" serve.yaml | kubectl apply -f -; done
sleep 20
