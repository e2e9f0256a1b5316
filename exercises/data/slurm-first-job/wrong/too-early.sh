# expects: within-limit
# Looks before the minute is over.
sbatch --cpus-per-task={{cpus}} job.sh
sleep 60
cp slurm-3.out result.txt
sbatch long.sh
sleep 20
