# expects: merge-cancelled
sbatch --array=1-{{shards}} shard.sh
sleep 60
sbatch --array=1-{{shards}}%{{at_once}} shard.sh
sleep 5
sbatch --dependency=afterok:$(squeue -h -o %F -n shard | head -1) merge.sh
scancel -n merge
sleep 5
