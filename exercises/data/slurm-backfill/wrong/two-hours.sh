# expects: still-too-long
sleep 10
sbatch report.sh
sleep 60
scancel -n report
sbatch --time=2:00:00 report.sh
sleep 60
