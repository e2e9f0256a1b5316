# The job's size stands in its script.
sed -i '/--time/a #SBATCH --cpus-per-task={{cpus}}' job.sh
sbatch job.sh
sleep 10
squeue
sleep 40
cp slurm-3.out result.txt
cat result.txt
# A limit of one minute.
sbatch long.sh
sleep 150
sacct -X
# The forgotten one.
squeue --me
scancel 2
sleep 5
