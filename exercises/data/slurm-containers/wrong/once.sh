# expects: no-checkpoint
sed -i 's|^srun |srun --container-image=nvcr.io#nvidia/pytorch:{{tag}} |' train.sh
sbatch --wait train.sh
