# expects: no-shebang
# The first line is lost.
sed -i 1d job.sh
sbatch job.sh
