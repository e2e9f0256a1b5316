# expects: cpus-left
sbatch --gres=gpu:1 gpu.sh
sleep 5
sbatch --gres=gpu:h100:{{few}} gpu.sh
sleep 5
sbatch --nodes=2 --gpus-per-node=h100:4 gpu.sh
sleep 5
sbatch --gres=gpu:l40s:1 gpu.sh
sleep 5
