# expects: default-limit
sleep 10
sbatch report.sh
sleep 90
