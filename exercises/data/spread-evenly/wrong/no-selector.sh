# expects: counts-nobody
# A constraint that counts no pods.
for n in $(seq {{copies}}); do sed "s/number/$n/" serve.yaml | kubectl apply -f -; done
sleep 20
kubectl delete pods -l app=serve
cp serve.yaml even.yaml
cat >> even.yaml <<'END'
  topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: DoNotSchedule
    labelSelector: {matchLabels: {app: server}}
END
for n in $(seq {{copies}}); do sed "s/number/$n/" even.yaml | kubectl apply -f -; done
sleep 20
