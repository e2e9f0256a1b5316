# expects: too-few-copies
# Applies the pattern as if it were one pod.
sed 's/number/1/' serve.yaml | kubectl apply -f -
sleep 20
