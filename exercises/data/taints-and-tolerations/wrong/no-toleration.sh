# expects: no-toleration
# Applies the file and waits.
kubectl apply -f prep.yaml
sleep 20
kubectl taint nodes gpu-1 gpu-2 nvidia.com/gpu=present:NoSchedule
sed 's/name: prep$/name: prep-{{name}}/' prep.yaml | kubectl apply -f -
sleep 20
kubectl apply -f train.yaml
sleep 120
