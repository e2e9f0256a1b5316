# expects: no-class
# A pod that names a class that does not exist is refused.
sed 's/^spec:/spec:\n  priorityClassName: experiment/; s/number/1/' batch.yaml | kubectl apply -f -
