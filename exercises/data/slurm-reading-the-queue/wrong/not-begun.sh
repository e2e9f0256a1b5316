# expects: tonight
sleep 40
echo {{first}} > next.txt
scontrol release $(squeue -h -n alpha -o %i)
