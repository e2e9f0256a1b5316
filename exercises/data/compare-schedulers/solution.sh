bash pods.sh | tail -1
bash jobs.sh | tail -1
sleep 600
squeue -t PD -o "%j %r" > why.txt
kubectl get events | grep Insufficient | head -3 >> why.txt
sleep 2400
squeue
sleep 900
