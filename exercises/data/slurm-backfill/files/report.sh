#!/bin/bash
#SBATCH --job-name=report
#SBATCH --nodes=1
#SBATCH --gres=gpu:8

sleep 600
echo "the report is done"
