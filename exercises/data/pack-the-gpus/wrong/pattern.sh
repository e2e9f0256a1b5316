# expects: too-few-jobs
# Applies the pattern itself: a name may not have capital letters.
kubectl apply -f small.yaml
