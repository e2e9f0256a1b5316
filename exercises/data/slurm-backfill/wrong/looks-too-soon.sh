# expects: not-planned-yet
sleep 10
sbatch report.sh
squeue
