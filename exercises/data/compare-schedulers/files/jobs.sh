# The same work as jobs.
for n in $(seq 12); do sbatch -J train-$n -t 50 --gres=gpu:8 --wrap "sleep $((1200 + 120 * n))"; done
sbatch -J wide -t 20 -N4 --gres=gpu:8 --wrap "sleep 900"
for n in $(seq 12); do sbatch -J small-$n -t 10 --gres=gpu:2 --wrap "sleep {{small}}"; done
