# expects: only-prefers
# The mild effect.
kubectl apply -f prep.yaml
sleep 20
kubectl taint nodes gpu-1 gpu-2 nvidia.com/gpu=present:PreferNoSchedule
