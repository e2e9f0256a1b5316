#!/bin/bash
#SBATCH --job-name=shard
#SBATCH --time=5

mkdir -p parts
sleep 20
echo "shard $SLURM_ARRAY_TASK_ID from $(hostname)" > parts/$SLURM_ARRAY_TASK_ID.txt
