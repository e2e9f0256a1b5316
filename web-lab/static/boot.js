// Loads the module once, gives it to the worker that simulates and to the page that draws.
import init, { main } from "./clusterlab_web.js";

const at = (name) => new URL(name, import.meta.url);

// A web host that does not know the type of .wasm files cannot stream it; the slow way always works.
async function compile() {
  const response = await fetch(at("clusterlab_web_bg.wasm"));
  if (!response.ok) throw new Error(`clusterlab_web_bg.wasm: HTTP ${response.status}`);
  return (response.headers.get("content-type") ?? "").startsWith("application/wasm")
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

// A worker that starts, for the page to call again after one has died.
let compiled;
globalThis.clusterlabWorker = () => {
  const worker = new Worker(at("worker.js"), { type: "module", name: "clusterlab" });
  worker.postMessage(compiled);
  return worker;
};

try {
  compiled = await compile();
  const worker = globalThis.clusterlabWorker();
  await init({ module_or_path: compiled });
  main(worker);
} catch (error) {
  const text = document.getElementById("boot-text");
  if (text) {
    text.setAttribute("role", "alert");
    text.textContent = `The lab could not start · 시작하지 못했습니다: ${error}`;
  }
  throw error;
}
