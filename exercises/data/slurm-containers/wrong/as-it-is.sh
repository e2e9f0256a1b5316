# expects: no-python
sbatch train.sh
sleep 10
