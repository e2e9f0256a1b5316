#!/bin/bash
#SBATCH --job-name=merge
#SBATCH --time=5

cat parts/*.txt > merged.txt
echo "$(wc -l < merged.txt) shards"
