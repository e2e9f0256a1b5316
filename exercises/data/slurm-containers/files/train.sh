#!/bin/bash
#SBATCH --job-name=train --gpus=1 --time=30

srun python train.py --epochs 2
