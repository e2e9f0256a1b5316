# expects: not-yet
sinfo -N -o "%N %G"
bash gpu.sh
