# expects: not-by-the-packer
# Packs by naming the machine.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
kubectl apply -f train.yaml
sleep 5
echo $((24 - {{jobs}})) > free.txt
kubectl delete pods -l app=small
echo '  nodeName: gpu-3' >> small.yaml
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
