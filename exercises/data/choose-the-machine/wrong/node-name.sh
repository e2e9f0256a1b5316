# expects: named-node
# Names the machine.
cat >> infer.yaml <<'END'
  nodeName: l40s-1
END
kubectl apply -f infer.yaml
sleep 20
