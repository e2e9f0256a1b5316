#!/bin/bash
#SBATCH --job-name=train
#SBATCH --partition=spare
#SBATCH --nodes=1 --exclusive

for epoch in $(seq 1 {{epochs}}); do
  sleep 60
  echo "epoch $epoch" >> epochs.txt
done
echo finished >> epochs.txt
