# The work as pods: name, which job it belongs to, GPUs, seconds.
pod() { sed -e "s/NAME/$1/" -e "s/JOB/$2/" -e "s/GPUS/$3/" -e "s/SECONDS/$4/" pod.yaml; echo ---; }
for n in $(seq 12); do pod train-$n train-$n 8 $((1200 + 120 * n)); done > work.yaml
for n in 1 2 3 4; do pod wide-$n wide 8 900; done >> work.yaml
for n in $(seq 12); do pod small-$n small-$n 2 {{small}}; done >> work.yaml
kubectl apply -f work.yaml
