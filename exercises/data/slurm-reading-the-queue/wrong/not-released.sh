# expects: still-held
sleep 40
echo {{first}} > next.txt
scontrol hold alpha
