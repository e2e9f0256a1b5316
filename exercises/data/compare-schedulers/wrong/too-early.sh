# expects: wide-waits
bash pods.sh | tail -1
bash jobs.sh | tail -1
sleep 600
squeue -t PD -o "%j %r" > why.txt
kubectl get events | grep Insufficient | head -3 >> why.txt
sleep 1400
