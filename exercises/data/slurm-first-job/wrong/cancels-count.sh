# expects: cancelled-own-work
# Ends the job before it is done.
sbatch --cpus-per-task={{cpus}} job.sh
sleep 5
scancel 3
sleep 5
