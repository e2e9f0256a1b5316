# expects: everything-tolerated
# The data work gets the key, too.
kubectl apply -f prep.yaml
sleep 20
kubectl taint nodes gpu-1 gpu-2 nvidia.com/gpu=present:NoSchedule
sed 's/name: prep$/name: prep-{{name}}/' prep.yaml > second.yaml
cat >> second.yaml <<'END'
  tolerations:
  - operator: Exists
END
kubectl apply -f second.yaml
sleep 20
