# expects: limit-raised
# The command line counts more than the script.
sbatch --cpus-per-task={{cpus}} job.sh
sleep 60
cp slurm-3.out result.txt
sbatch -t 20 long.sh
sleep 60
