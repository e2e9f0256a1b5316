# expects: made-room-by-hand
# Deletes the experiments itself.
cat > classes.yaml <<'END'
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: experiment}
value: 100
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: {{class}}}
value: 100000
END
kubectl apply -f classes.yaml
sed -i 's/^spec:/spec:\n  priorityClassName: experiment/' batch.yaml
for n in 1 2 3 4; do sed "s/number/$n/" batch.yaml | kubectl apply -f -; done
sleep 30
kubectl delete pods -l app=batch
sed -i 's/^spec:/spec:\n  priorityClassName: {{class}}/' serve.yaml
kubectl apply -f serve.yaml
sleep 60
