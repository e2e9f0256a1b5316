# expects: unknown-topology
# A topology key that no node has.
sed 's/number/1/' serve.yaml > one.yaml
cat >> one.yaml <<'END'
  affinity:
    podAffinity:
      requiredDuringSchedulingIgnoredDuringExecution:
      - labelSelector: {matchLabels: {app: serve}}
        topologyKey: zone
END
kubectl apply -f one.yaml
sleep 5
