sleep 300
sshare -a
sbatch decode.sh
sleep 90
sprio
sleep 1200
squeue
sudo sacctmgr -i modify account speech set fairshare={{shares}}
sshare -a
