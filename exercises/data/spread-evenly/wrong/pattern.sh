# expects: too-few-copies
# Applies the pattern itself, which makes one copy of a strange name.
kubectl apply -f serve.yaml
