# expects: not-changed
sleep 300
sbatch decode.sh
sleep 1300
sacctmgr -i modify account speech set fairshare={{shares}}
