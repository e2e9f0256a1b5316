# expects: nothing-to-mount
sed -i 's|^srun |srun --container-image=nvcr.io#nvidia/pytorch:{{tag}} |' train.sh
sbatch --wait train.sh
sed -i 's|python train.py|--container-mounts=/home/learner/checkpoints:/checkpoints python train.py --checkpoint-dir /checkpoints|' train.sh
sbatch --wait train.sh
