# expects: not-submitted
# The script runs on the login machine.
bash job.sh
