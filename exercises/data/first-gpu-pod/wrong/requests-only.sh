# expects: requests-only
# A request without a limit: the API server refuses the pod.
cat >> pod.yaml <<'END'
    resources:
      requests:
        nvidia.com/gpu: 1
END
kubectl apply -f pod.yaml
