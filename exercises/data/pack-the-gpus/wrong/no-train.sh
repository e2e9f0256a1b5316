# expects: no-train
# Stops after the small jobs.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 20
