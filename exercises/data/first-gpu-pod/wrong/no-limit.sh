# expects: no-gpu
# The file as it is: no GPU is asked for, so that the container has no nvidia-smi.
kubectl apply -f pod.yaml
sleep 60
