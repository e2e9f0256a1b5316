# expects: other-key
# A taint of another name.
kubectl apply -f prep.yaml
sleep 20
kubectl taint nodes gpu-1 gpu-2 gpu=yes:NoSchedule
