# expects: not-submitted
for n in 1 2 3; do SLURM_ARRAY_TASK_ID=$n bash shard.sh; done
