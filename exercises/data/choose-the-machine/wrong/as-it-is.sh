# expects: on-the-largest
# Applies the file as it is.
kubectl apply -f infer.yaml
sleep 20
