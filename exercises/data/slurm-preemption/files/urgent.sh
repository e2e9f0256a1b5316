#!/bin/bash
#SBATCH --job-name=urgent
#SBATCH --partition=urgent
#SBATCH --nodes=1 --exclusive
#SBATCH --time=5

sleep 120
