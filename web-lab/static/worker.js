// The worker's first message is the compiled module; what comes while it starts is kept for it.
import init, { worker_main } from "./clusterlab_web.js";

const early = [];
self.onmessage = async ({ data: module }) => {
  self.onmessage = (event) => early.push(event);
  await init({ module_or_path: module });
  worker_main(); // Sets its own `onmessage`.
  for (const event of early) self.onmessage(event);
};
