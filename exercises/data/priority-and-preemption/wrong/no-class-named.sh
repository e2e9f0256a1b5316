# expects: no-priority
# Fills the machines with pods of no class.
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
for n in 1 2 3 4; do sed "s/number/$n/" batch.yaml | kubectl apply -f -; done
sleep 30
