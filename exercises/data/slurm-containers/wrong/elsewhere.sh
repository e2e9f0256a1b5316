# expects: other-node
sed -i 's|^srun |srun --container-image=nvcr.io#nvidia/pytorch:{{tag}} --container-mounts=/home/learner/checkpoints:/checkpoints |; s|--epochs 2|--epochs 2 --checkpoint-dir /checkpoints|' train.sh
mkdir checkpoints
sbatch --wait train.sh
enroot import -o pytorch.sqsh docker://nvcr.io#nvidia/pytorch:{{tag}}
srun -w gpu-1 --container-image=./pytorch.sqsh --container-name=dev true
srun -w gpu-2 --container-name=dev true
