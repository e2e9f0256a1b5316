# expects: begins-again
sbatch train.sh
sleep 200
sudo -u mina sbatch urgent.sh
sleep 1500
