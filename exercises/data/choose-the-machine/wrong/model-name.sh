# expects: no-such-label
# Guesses the label's value.
cat >> infer.yaml <<'END'
  nodeSelector:
    nvidia.com/gpu.product: L40S
END
kubectl apply -f infer.yaml
sleep 20
