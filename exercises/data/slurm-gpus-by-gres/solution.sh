# As it is, no GPU is seen.
sbatch gpu.sh
sleep 5
cat slurm-1.out
sbatch --gres=gpu:1 gpu.sh
sleep 5
cat slurm-2.out
# Of one kind.
sbatch --gres=gpu:h100:{{few}} gpu.sh
sleep 5
cat slurm-3.out
# Over two machines.
sbatch --nodes=2 --gpus-per-node=h100:4 gpu.sh
sleep 5
squeue
sleep 90
# All cores, one GPU.
sbatch -w small --gres=gpu:1 --cpus-per-task=128 gpu.sh
sleep 5
sinfo -N -O NodeList,CPUsState,Gres,GresUsed
