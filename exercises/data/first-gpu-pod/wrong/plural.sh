# expects: misspelt-resource
# nvidia.com/gpus: accepted by the API server, offered by no node.
cat >> pod.yaml <<'END'
    resources:
      limits:
        nvidia.com/gpus: 1
END
kubectl apply -f pod.yaml
sleep 10
