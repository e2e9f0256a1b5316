# Where does work without a GPU go?
kubectl apply -f prep.yaml
sleep 20
kubectl get pods -o wide
# The GPU machines are kept for those who say that they may go there.
kubectl taint nodes gpu-1 gpu-2 nvidia.com/gpu=present:NoSchedule
# From now on such work stays away.
sed 's/name: prep$/name: prep-{{name}}/' prep.yaml | kubectl apply -f -
sleep 20
kubectl get pods -o wide
# Training does not get in either, yet.
kubectl apply -f train.yaml
sleep 5
kubectl get pod train-{{name}} -o jsonpath='{.status.conditions[0].message}'
# With a toleration it does. A toleration may be added to a pod that exists.
cat >> train.yaml <<'END'
  tolerations:
  - key: nvidia.com/gpu
    operator: Exists
    effect: NoSchedule
END
kubectl apply -f train.yaml
sleep 30
kubectl get pods -o wide
