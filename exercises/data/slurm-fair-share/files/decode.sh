#!/bin/bash
#SBATCH --job-name=decode
#SBATCH --nodes=1
#SBATCH --exclusive
#SBATCH --time=20

sleep 600
