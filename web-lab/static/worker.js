import { restOf } from "./rest.js";

// The worker's first message names the module and brings it compiled; what comes while it starts is kept for it.
const early = [];
self.onmessage = async ({ data: { name, module } }) => {
  self.onmessage = (event) => early.push(event);
  const { default: init, worker_main } = await import(`./${name}.js`);
  const exports = await init({ module_or_path: module });
  globalThis.clusterlabRest = restOf(exports, new URL(`${name}_rest.wasm`, import.meta.url));
  worker_main(); // Sets its own `onmessage`.
  for (const event of early) self.onmessage(event);
};
