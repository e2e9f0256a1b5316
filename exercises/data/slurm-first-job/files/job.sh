#!/bin/bash
#SBATCH --job-name=count
#SBATCH --time=5

echo "ran on $(hostname) with $SLURM_CPUS_ON_NODE CPUs"
sleep 30
echo finished
