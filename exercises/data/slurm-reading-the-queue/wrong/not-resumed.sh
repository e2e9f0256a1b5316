# expects: still-drained
sleep 40
echo {{first}} > next.txt
scontrol release $(squeue -h -n alpha -o %i)
scontrol update JobId=$(squeue -h -n beta -o %i) StartTime=now
sleep 40
scontrol update NodeName=node-3 State=RESUME
