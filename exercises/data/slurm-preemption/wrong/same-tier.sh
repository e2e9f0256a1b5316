# expects: urgent-in-spare
sbatch train.sh
sleep 100
sudo -u mina sbatch -p spare urgent.sh
sleep 30
