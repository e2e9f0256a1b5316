# expects: nobody-schedules-it
# Names a scheduler that does not run.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
kubectl apply -f train.yaml
sleep 5
echo $((24 - {{jobs}})) > free.txt
kubectl delete pods -l app=small
echo '  schedulerName: packer' >> small.yaml
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
