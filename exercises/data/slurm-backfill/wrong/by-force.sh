# expects: pushed-aside
sleep 10
sbatch report.sh
sleep 60
sudo scancel -n wide
sleep 60
