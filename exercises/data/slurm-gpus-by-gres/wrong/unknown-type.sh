# expects: no-typed
# The type is refused.
sbatch --gres=gpu:1 gpu.sh
sleep 5
sbatch --gres=gpu:L4:{{few}} gpu.sh
