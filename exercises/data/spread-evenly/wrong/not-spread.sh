# expects: still-lopsided
# Waits for it to even out by itself.
for n in $(seq {{copies}}); do sed "s/number/$n/" serve.yaml | kubectl apply -f -; done
sleep 300
