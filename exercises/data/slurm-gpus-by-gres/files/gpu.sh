#!/bin/bash
#SBATCH --job-name=gpu
#SBATCH --time=10

echo "on $(hostname): GPUs ${CUDA_VISIBLE_DEVICES:-none}"
sleep 60
