# expects: unlimited
sbatch --array=1-{{shards}} shard.sh
sleep 10
