sleep 10
sbatch report.sh
sleep 60
squeue --start
scancel -n report
sbatch --time=15 report.sh
sleep 60
squeue
sleep 3000
sleep 2400
squeue
