# expects: other-size
# Below the first command nothing is read any more.
echo '#SBATCH --cpus-per-task={{cpus}}' >> job.sh
sbatch job.sh
sleep 10
