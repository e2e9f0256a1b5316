# expects: still-runs
sed -i 's|^srun |srun --container-image=nvcr.io#nvidia/pytorch:{{tag}} |' train.sh
sbatch train.sh
sleep 20
