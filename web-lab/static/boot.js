// Loads the module once, gives it to the worker that simulates and to the page that draws. There are two modules, one
// of which knows Slurm too; the page that loads this file says which one it wants.
import { restOf } from "./rest.js";

const name = new URL(import.meta.url).searchParams.get("module") ?? "clusterlab_web";
const at = (file) => new URL(file, import.meta.url);

// A web host that does not know the type of .wasm files cannot stream it; the slow way always works.
async function compile() {
  const response = await fetch(at(`${name}_bg.wasm`));
  if (!response.ok) throw new Error(`${name}_bg.wasm: HTTP ${response.status}`);
  return (response.headers.get("content-type") ?? "").startsWith("application/wasm")
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

// A worker that starts, for the page to call again after one has died.
let compiled;
globalThis.clusterlabWorker = () => {
  const worker = new Worker(at("worker.js"), { type: "module", name: "clusterlab" });
  worker.postMessage({ name, module: compiled });
  return worker;
};

// The files of an exercise.
globalThis.clusterlabExercise = async (id, done) => {
  try {
    const response = await fetch(at(`exercise-${id}.json`));
    if (!response.ok) throw new Error(`exercise-${id}.json: HTTP ${response.status}`);
    done(await response.text());
  } catch (error) {
    done(undefined, String(error));
  }
};

try {
  const loading = import(`./${name}.js`);
  compiled = await compile();
  const worker = globalThis.clusterlabWorker();
  const { default: init, main } = await loading;
  const exports = await init({ module_or_path: compiled });
  globalThis.clusterlabRest = restOf(exports, at(`${name}_rest.wasm`));
  main(worker);
} catch (error) {
  const text = document.getElementById("boot-text");
  if (text) {
    text.setAttribute("role", "alert");
    text.textContent = `The lab could not start · 시작하지 못했습니다: ${error}`;
  }
  throw error;
}
