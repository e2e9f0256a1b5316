# expects: not-written
sleep 40
squeue
