# expects: other-image
sed -i 's|^srun |srun --container-image=nvcr.io#nvidia/pytorch:24.01-py3 |' train.sh
sbatch --wait train.sh
