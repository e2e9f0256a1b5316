sbatch train.sh
sleep 200
sudo -u mina sbatch urgent.sh
sleep 5
squeue
sleep 400
# It began from the start; now it shall go on.
scancel -n train
sleep 60
rm epochs.txt
sed -i 's/^for epoch.*/done=$(grep -c epoch epochs.txt)\nfor epoch in $(seq $((${done:-0} + 1)) {{epochs}}); do/' train.sh
cat train.sh
sbatch train.sh
sleep 200
sudo -u mina sbatch urgent.sh
sleep 1200
cat epochs.txt
sacct -D -X
