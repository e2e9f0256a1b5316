# On the machines there is no Python.
sbatch train.sh
sleep 10
cat slurm-1.out
# In the image there is.
sed -i 's|^srun |srun --container-image=nvcr.io#nvidia/pytorch:{{tag}} |' train.sh
sbatch --wait train.sh
cat slurm-2.out
# With a directory that stays.
mkdir checkpoints
sed -i 's|python train.py|--container-mounts=/home/learner/checkpoints:/checkpoints python train.py --checkpoint-dir /checkpoints|' train.sh
sbatch --wait train.sh
ls checkpoints
# The image as a file.
enroot import -o pytorch.sqsh docker://nvcr.io#nvidia/pytorch:{{tag}}
srun --gpus=1 --container-image=./pytorch.sqsh nvidia-smi -L
# A container that stays.
srun -w gpu-1 --container-image=./pytorch.sqsh --container-name=dev --container-writable bash -c 'echo lr=0.1 > /workspace/settings'
srun -w gpu-1 --container-name=dev cat /workspace/settings
