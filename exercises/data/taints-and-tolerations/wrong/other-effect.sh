# expects: tolerates-something-else
# The right key, another effect.
kubectl apply -f prep.yaml
sleep 20
kubectl taint nodes gpu-1 gpu-2 nvidia.com/gpu=present:NoSchedule
sed 's/name: prep$/name: prep-{{name}}/' prep.yaml | kubectl apply -f -
sleep 20
kubectl apply -f train.yaml
sleep 5
cat >> train.yaml <<'END'
  tolerations:
  - key: nvidia.com/gpu
    operator: Exists
    effect: PreferNoSchedule
END
kubectl apply -f train.yaml
sleep 30
