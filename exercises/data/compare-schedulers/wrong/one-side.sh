# expects: half-of-it
bash pods.sh | tail -1
bash jobs.sh | tail -1
sleep 600
squeue -t PD -o "%j %r" > why.txt
sleep 2400
