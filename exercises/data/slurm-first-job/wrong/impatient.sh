# expects: still-runs
# Copies the file while the job runs.
sbatch --cpus-per-task={{cpus}} job.sh
sleep 3
cp slurm-3.out result.txt
