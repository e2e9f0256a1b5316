# expects: other-namespace
# The right pod in the wrong place.
cat >> pod.yaml <<'END'
    resources:
      limits:
        nvidia.com/gpu: 1
END
kubectl apply -n kube-public -f pod.yaml
sleep 60
