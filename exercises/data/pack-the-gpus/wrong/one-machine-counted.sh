# expects: other-number
# Writes down what the whole cluster has.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
kubectl apply -f train.yaml
sleep 5
echo 24 > free.txt
