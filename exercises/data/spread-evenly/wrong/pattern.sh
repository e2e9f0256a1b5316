# expects: too-few-copies
# Applies the pattern itself: a name may not have capital letters.
kubectl apply -f serve.yaml
