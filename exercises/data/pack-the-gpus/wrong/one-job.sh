# expects: too-few-jobs
# Applies the pattern as if it were one pod.
sed 's/number/1/' small.yaml | kubectl apply -f -
sleep 20
