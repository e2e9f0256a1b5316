# expects: decode-waits
sleep 300
sbatch decode.sh
sleep 90
