# expects: thrown-away
sleep 40
scancel -n alpha
sleep 5
