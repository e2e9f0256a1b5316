# expects: too-early
sbatch --array=1-{{shards}} shard.sh
sleep 60
rm -r parts
sbatch --array=1-{{shards}}%{{at_once}} shard.sh
sleep 10
sbatch merge.sh
sleep 30
