# expects: not-submitted
sleep 300
sprio
