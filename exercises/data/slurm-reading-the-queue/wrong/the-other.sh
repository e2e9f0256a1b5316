# expects: the-one-behind
sleep 40
echo behind > next.txt
