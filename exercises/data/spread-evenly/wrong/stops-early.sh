# expects: all-fit-yet
# Adds a few, which still fit.
for n in $(seq {{copies}}); do sed "s/number/$n/" serve.yaml | kubectl apply -f -; done
sleep 20
kubectl delete pods -l app=serve
cp serve.yaml even.yaml
cat >> even.yaml <<'END'
  topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: DoNotSchedule
    labelSelector: {matchLabels: {app: serve}}
END
for n in $(seq 14); do sed "s/number/$n/" even.yaml | kubectl apply -f -; done
sleep 20
