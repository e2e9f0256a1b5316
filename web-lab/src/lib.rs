//! ClusterLab in the browser.

#[cfg(target_arch = "wasm32")]
mod entry {
    use wasm_bindgen::prelude::*;

    /// Mounts the page; `worker` is the one that runs the lab.
    #[wasm_bindgen]
    pub fn main(worker: web_sys::Worker) {
        let _ = worker;
    }

    /// Runs the lab inside a Web Worker.
    #[wasm_bindgen]
    pub fn worker_main() {}
}
