# expects: only-pods
bash pods.sh | tail -1
sleep 60
