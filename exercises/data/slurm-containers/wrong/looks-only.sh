# expects: not-begun
cat train.sh
sinfo
