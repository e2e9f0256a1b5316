# expects: still-there
# That job is Mina's.
sbatch --cpus-per-task={{cpus}} job.sh
sleep 60
cp slurm-3.out result.txt
sbatch long.sh
sleep 150
scancel 1
