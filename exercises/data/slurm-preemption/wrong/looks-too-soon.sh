# expects: waits-to-return
sbatch train.sh
sleep 130
sudo -u mina sbatch urgent.sh
sleep 20
