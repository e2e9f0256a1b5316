# expects: not-spread
sbatch --gres=gpu:1 gpu.sh
sleep 5
sbatch --gres=gpu:h100:{{few}} gpu.sh
sleep 5
sbatch --gpus-per-node=h100:4 gpu.sh
sleep 5
