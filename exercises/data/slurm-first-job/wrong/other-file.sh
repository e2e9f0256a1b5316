# expects: not-copied
# The file of the other job has nothing in it.
sbatch --cpus-per-task={{cpus}} job.sh
sleep 60
squeue > result.txt
