# expects: still-spread
# Adds the packer to the file, and applies it over the pods that run.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
kubectl apply -f train.yaml
sleep 5
echo $((24 - {{jobs}})) > free.txt
echo '  schedulerName: gpu-packer' >> small.yaml
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
