# expects: packed-already
# Packs before it has seen why.
echo '  schedulerName: gpu-packer' >> small.yaml
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
