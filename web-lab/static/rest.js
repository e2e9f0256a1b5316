// A module comes in two parts: what a first visit runs, and the rest. The function that is returned here fetches the rest;
// the first part calls it, in the middle of what it does, when something of the rest is called. So it has to wait, in the
// page as in the worker, and a page may not ask for anything but text while it waits: its characters stand for bytes.
export const restOf = (exports, url) => () => {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  if (request.status !== 200) throw new Error(`${url}: HTTP ${request.status}`);
  const text = request.responseText;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  new WebAssembly.Instance(new WebAssembly.Module(bytes), { 0: exports });
};
