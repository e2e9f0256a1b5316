# expects: no-file
# Reads the logs, but saves nothing.
cat >> pod.yaml <<'END'
    resources:
      limits:
        nvidia.com/gpu: 1
END
kubectl apply -f pod.yaml
sleep 60
kubectl logs cuda-first
