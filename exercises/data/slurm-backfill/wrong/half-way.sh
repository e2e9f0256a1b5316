# expects: time-to-pass
sleep 10
sbatch report.sh
sleep 60
scancel -n report
sbatch --time=15 report.sh
sleep 60
