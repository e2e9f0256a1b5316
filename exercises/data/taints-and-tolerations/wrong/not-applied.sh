# expects: no-prep
# Looks around and applies nothing.
cat prep.yaml
kubectl get nodes
