# expects: no-second
# Packs, and does not look at what is left.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
kubectl apply -f train.yaml
sleep 5
echo $((24 - {{jobs}})) > free.txt
kubectl delete pods -l app=small
echo '  schedulerName: gpu-packer' >> small.yaml
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 60
