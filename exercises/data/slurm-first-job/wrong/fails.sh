# expects: script-failed
# The last command of the script does not succeed.
echo 'ls /no/such/place' >> job.sh
sbatch job.sh
sleep 60
