//! ClusterLab in the browser: the page, and the worker that runs the lab.
//!
//! One WebAssembly module serves both. `static/boot.js` compiles it once, starts
//! a Web Worker with it (`entry::worker_main`), and mounts the page
//! (`entry::main`). The page never simulates and the worker never draws; between
//! them go the messages of [`protocol`].
//!
//! ```text
//! page                                   worker
//! ui/      components, thin              worker/  a Session: one Lab, one Grader
//! model/   what they draw, plain Rust      ▲
//! i18n/    the words, en and ko            │
//! line.rs ── protocol.rs (JSON) ───────────┘
//! ```
//!
//! # Names that tests and other pages may rely on
//!
//! | selector | what |
//! | --- | --- |
//! | `.lab[data-ready=true]` | a lab is open |
//! | `#terminal-input`, `#terminal-log`, `[data-testid=prompt]`, `[data-testid=completions]` | the terminal |
//! | `#editor`, `.filetab[data-file=…]`, `[data-testid=problem]`, `#new-file` | the editor |
//! | `#step-N[data-step=ID][data-done=true\|false]`, `[data-hint=ID]`, `#hint`, `.hint`, `[data-mistake=ID]`, `#finished`, `#prediction` | the exercise |
//! | `#play[data-playing]`, `#step`, `#next-event`, `#speed`, `#clock[data-millis]`, `#timeline`, `#return`, `#continue-here` | the clock |
//! | `[data-node=NAME]`, `.chip[data-pod=NAME][data-status]`, `#cluster-as-table`, `[data-testid=cluster-table]` | the picture |
//! | `[data-tab=pods\|nodes\|events]`, `#pods`, `#nodes`, `[data-testid=pod-detail]`, `[data-testid=why]`, `[data-testid=verdicts]`, `#back` | the lists |
//! | `#exercise`, `#undo`, `#reset`, `#confirm-reset`, `#menu`, `#export`, `#import-file`, `#share`, `#help`, `#lang-switch`, `#theme-switch` | the bar at the top |
//! | `#messages`, `.toast`, `#dialog` | messages and dialogs |
//!
//! The address takes `?exercise=ID`, `&embed=1` (a compact page for a frame),
//! `&lang=ko`, `&seed=7`, and `#lab=…`, a moment that somebody shared.

pub mod delta;
mod dom;
pub mod i18n;
mod line;
pub mod model;
pub mod protocol;
pub mod ui;
pub mod worker;

/// What `static/boot.js` and `static/worker.js` call.
#[cfg(target_arch = "wasm32")]
pub mod entry {
    use wasm_bindgen::prelude::*;

    use crate::ui::{App, AppProps};

    /// Mounts the page; `worker` is the one that runs the lab.
    #[wasm_bindgen]
    pub fn main(worker: web_sys::Worker) {
        let root = web_sys::window().and_then(|w| w.document()).and_then(|d| d.get_element_by_id("app"));
        if let Some(root) = root {
            root.set_inner_html("");
            yew::Renderer::<App>::with_root_and_props(root, AppProps { worker }).render();
        }
    }

    /// The digest of a lab of this spec after these lines were typed: the same here as natively, which a test proves.
    ///
    /// # Errors
    ///
    /// If the spec makes no lab.
    #[wasm_bindgen]
    pub fn digest(spec: &str, script: &str) -> Result<String, JsError> {
        let mut lab = clusterlab::lab::Lab::new(clusterlab::lab::LabSpec::from_yaml(spec)?)?;
        lab.run(script);
        Ok(lab.digest().to_string())
    }

    #[wasm_bindgen]
    extern "C" {
        /// `static/rest.js` gives it to page and worker.
        #[wasm_bindgen(js_namespace = globalThis, js_name = clusterlabRest)]
        fn rest();
    }

    /// Fetches the functions that a first visit goes without. Calls to it are put into the module when it is split
    /// (`xtask/site/src/split.rs`).
    #[wasm_bindgen]
    pub fn load_rest() {
        rest();
    }

    /// Runs the lab inside a Web Worker.
    #[wasm_bindgen]
    pub fn worker_main() {
        crate::worker::run::run();
    }
}
