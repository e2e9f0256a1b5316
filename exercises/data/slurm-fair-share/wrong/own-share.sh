# expects: own-share
sleep 300
sbatch decode.sh
sleep 1300
sudo sacctmgr -i modify user learner set fairshare={{shares}}
