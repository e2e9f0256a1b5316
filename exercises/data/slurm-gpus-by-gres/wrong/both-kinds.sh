# expects: mixed
sbatch --gres=gpu:1 gpu.sh
sleep 5
sbatch --gres=gpu:h100:{{few}} gpu.sh
sleep 90
sbatch --nodes=2 --nodelist=big-1,small --gpus-per-node=4 gpu.sh
sleep 5
