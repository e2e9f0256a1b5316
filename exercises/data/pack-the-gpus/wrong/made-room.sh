# expects: jobs-missing
# Gets the large job to run by dropping the small ones.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
kubectl apply -f train.yaml
sleep 5
echo $((24 - {{jobs}})) > free.txt
kubectl delete pods -l app=small
sleep 60
