#!/bin/bash
#SBATCH --job-name=long
#SBATCH --time=1

echo begun
sleep 600
echo finished
