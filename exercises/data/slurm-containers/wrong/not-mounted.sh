# expects: went-away
sed -i 's|^srun |srun --container-image=nvcr.io#nvidia/pytorch:{{tag}} |' train.sh
sbatch --wait train.sh
sed -i 's|--epochs 2|--epochs 2 --checkpoint-dir /checkpoints|' train.sh
sbatch --wait train.sh
