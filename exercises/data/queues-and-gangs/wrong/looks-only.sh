# expects: no-queue
# Looks around and applies nothing.
cat queues.yaml
