sbatch --array=1-{{shards}} shard.sh
sleep 5
squeue
sleep 60
# Again, a few at once, and the merge behind it.
sbatch --array=1-{{shards}}%{{at_once}} shard.sh
sleep 3
squeue
array=$(squeue -h -o %F -n shard | head -1)
sbatch --dependency=afterok:$array merge.sh
sleep 700
cat merged.txt
