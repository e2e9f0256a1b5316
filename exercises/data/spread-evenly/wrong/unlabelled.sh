# expects: unlabelled
# Copies without the label.
sed -e 's/number/1/' -e '/labels:/d' serve.yaml > one.yaml
cat >> one.yaml <<'END'
  topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: DoNotSchedule
    labelSelector: {matchLabels: {app: serve}}
END
kubectl apply -f one.yaml
sleep 5
