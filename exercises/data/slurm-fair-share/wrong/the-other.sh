# expects: wrong-account
sleep 300
sbatch decode.sh
sleep 1300
sudo sacctmgr -i modify account vision set fairshare={{shares}}
