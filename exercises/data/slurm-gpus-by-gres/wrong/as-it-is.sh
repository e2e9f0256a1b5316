# expects: no-gpu
sbatch gpu.sh
sleep 10
