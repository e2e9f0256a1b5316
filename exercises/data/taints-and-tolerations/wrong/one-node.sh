# expects: one-is-open
# Taints only one of the GPU machines.
kubectl apply -f prep.yaml
sleep 20
kubectl taint nodes gpu-1 nvidia.com/gpu=present:NoSchedule
