# expects: work-taken-out
bash pods.sh | tail -1
bash jobs.sh | tail -1
sleep 60
scancel -n wide
sleep 10
