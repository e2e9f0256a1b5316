# expects: other-text
# Saves the description in place of the logs.
cat >> pod.yaml <<'END'
    resources:
      limits:
        nvidia.com/gpu: 1
END
kubectl apply -f pod.yaml
sleep 60
kubectl describe pod cuda-first > gpu.txt
