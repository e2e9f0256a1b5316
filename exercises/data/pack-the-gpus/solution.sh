# {{jobs}} jobs with one GPU each, placed as the default profile likes.
for n in $(seq {{jobs}}); do sed "s/number/$n/" small.yaml | kubectl apply -f -; done
sleep 30
kubectl get pods -o wide
# A job that needs a whole machine finds none.
kubectl apply -f train.yaml
sleep 5
kubectl describe pod train | grep Insufficient
# Three machines of eight GPUs, less one for each job.
echo $((24 - {{jobs}})) > free.txt
# The same jobs, packed.
kubectl delete pods -l app=small
cp small.yaml packed.yaml
echo '  schedulerName: gpu-packer' >> packed.yaml
for n in $(seq {{jobs}}); do sed "s/number/$n/" packed.yaml | kubectl apply -f -; done
sleep 60
kubectl get pods -o wide
# And a machine is left over.
sed 's/name: train$/name: train-2/' train.yaml | kubectl apply -f -
sleep 30
kubectl get pods -o wide
