# expects: nothing-urgent
sbatch train.sh
sleep 200
