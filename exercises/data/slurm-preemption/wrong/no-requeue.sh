# expects: not-requeued
sbatch --no-requeue train.sh
sleep 200
sudo -u mina sbatch urgent.sh
sleep 100
