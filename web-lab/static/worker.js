// The worker's first message names the module and brings it compiled; what comes while it starts is kept for it.
const early = [];
self.onmessage = async ({ data: { name, module } }) => {
  self.onmessage = (event) => early.push(event);
  const { default: init, worker_main } = await import(`./${name}.js`);
  await init({ module_or_path: module });
  worker_main(); // Sets its own `onmessage`.
  for (const event of early) self.onmessage(event);
};
