# expects: decode-gone
sleep 300
sbatch decode.sh
sleep 90
scancel -n decode
sleep 10
