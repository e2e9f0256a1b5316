# expects: wrong-type
sbatch --gres=gpu:1 gpu.sh
sleep 5
sbatch --gres=gpu:{{few}} gpu.sh
sleep 5
