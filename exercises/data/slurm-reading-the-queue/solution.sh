sleep 40
squeue -o "%.6i %.8j %.8u %.2t %.20S %R"
squeue -h -t PD -o "%j %r" | grep Resources > next.txt
cat next.txt
scontrol release $(squeue -h -n alpha -o %i)
scontrol update JobId=$(squeue -h -n beta -o %i) StartTime=now
sinfo -R
sudo scontrol update NodeName=node-3 State=RESUME
sleep 60
squeue
