# expects: not-used
sed -i 's|^srun |srun --container-image=nvcr.io#nvidia/pytorch:{{tag}} --container-mounts=/home/learner/checkpoints:/checkpoints |; s|--epochs 2|--epochs 2 --checkpoint-dir /checkpoints|' train.sh
mkdir checkpoints
sbatch --wait train.sh
enroot import -o pytorch.sqsh docker://nvcr.io#nvidia/pytorch:{{tag}}
# Without ./ it is the name of an image.
srun --container-image=pytorch.sqsh true
