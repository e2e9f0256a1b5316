# {{copies}} copies, placed as the scheduler likes.
for n in $(seq {{copies}}); do sed "s/number/$n/" serve.yaml | kubectl apply -f -; done
sleep 30
kubectl get pods -o wide
# Evenly over the two zones.
kubectl delete pods -l app=serve
cp serve.yaml even.yaml
cat >> even.yaml <<'END'
  topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: DoNotSchedule
    labelSelector: {matchLabels: {app: serve}}
END
for n in $(seq {{copies}}); do sed "s/number/$n/" even.yaml | kubectl apply -f -; done
sleep 30
kubectl get pods -o wide
# More than the smaller zone can keep up with.
for n in $(seq {{copies}} 20); do sed "s/number/$n/" even.yaml | kubectl apply -f -; done
sleep 30
kubectl get pods
# Evenly where possible, and running in any case.
kubectl delete pods -l app=serve
sed -i 's/DoNotSchedule/ScheduleAnyway/' even.yaml
for n in $(seq 20); do sed "s/number/$n/" even.yaml | kubectl apply -f -; done
sleep 30
kubectl get pods -o wide
