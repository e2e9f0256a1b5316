# expects: not-submitted
sleep 10
squeue
