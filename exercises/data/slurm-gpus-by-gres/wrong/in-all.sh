# expects: one-machine
sbatch --gres=gpu:1 gpu.sh
sleep 5
sbatch --gres=gpu:h100:{{few}} gpu.sh
sleep 90
sbatch --gpus=8 gpu.sh
sleep 5
