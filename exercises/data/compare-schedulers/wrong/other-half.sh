# expects: only-jobs
bash jobs.sh | tail -1
sleep 60
