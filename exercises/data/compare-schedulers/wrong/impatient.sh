# expects: not-yet
bash pods.sh | tail -1
bash jobs.sh | tail -1
sleep 600
