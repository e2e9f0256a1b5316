# expects: undisturbed
sbatch train.sh
sleep 200
sudo -u mina sbatch urgent.sh
sleep 400
scancel -n train
sleep 60
rm epochs.txt
sbatch train.sh
sleep 900
