# expects: not-merged
sbatch --array=1-{{shards}} shard.sh
sleep 60
sbatch --array=1-{{shards}}%{{at_once}} shard.sh
sleep 400
