# expects: other-size
# The script as it is has one task with one CPU.
sbatch job.sh
sleep 10
