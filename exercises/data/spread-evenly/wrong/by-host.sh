# expects: by-another-key
# Spreads over machines, of which one zone has three times as many.
for n in $(seq {{copies}}); do sed "s/number/$n/" serve.yaml | kubectl apply -f -; done
sleep 20
kubectl delete pods -l app=serve
cp serve.yaml even.yaml
cat >> even.yaml <<'END'
  topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: DoNotSchedule
    labelSelector: {matchLabels: {app: serve}}
END
for n in $(seq {{copies}}); do sed "s/number/$n/" even.yaml | kubectl apply -f -; done
sleep 20
