# expects: never
sbatch --array=1-{{shards}} shard.sh
sleep 60
sbatch --array=1-{{shards}}%{{at_once}} shard.sh
sleep 5
array=$(squeue -h -o %F -n shard | head -1)
sbatch --dependency=afterok:$array merge.sh
scancel ${array}_1
sleep 400
