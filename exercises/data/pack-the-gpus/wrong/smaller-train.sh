# expects: smaller-train
# Makes the large job fit by asking for less.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
sed 's|gpu: 8|gpu: 4|' train.yaml | kubectl apply -f -
sleep 20
