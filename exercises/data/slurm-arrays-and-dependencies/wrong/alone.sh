# expects: no-array
sbatch shard.sh
sleep 30
