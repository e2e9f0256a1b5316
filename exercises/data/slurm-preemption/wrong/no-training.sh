# expects: not-begun
sudo -u mina sbatch urgent.sh
sleep 20
