# expects: too-short
sleep 10
sbatch report.sh
sleep 60
scancel -n report
sbatch --time=5 report.sh
sleep 500
