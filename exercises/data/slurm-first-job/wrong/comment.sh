# expects: other-size
# A space makes the line a comment.
sed -i '/--time/a # SBATCH --cpus-per-task={{cpus}}' job.sh
sbatch job.sh
sleep 10
