# expects: named-node
# Names the machine, so that the scheduler is not asked.
kubectl apply -f prep.yaml
sleep 20
kubectl taint nodes gpu-1 gpu-2 nvidia.com/gpu=present:NoSchedule
sed -e 's/name: prep$/name: prep-{{name}}/' -e 's/^spec:/spec:\n  nodeName: cpu-1/' prep.yaml | kubectl apply -f -
sleep 20
