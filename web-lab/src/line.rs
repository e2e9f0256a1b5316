//! The line to the worker: numbers what is asked, hands on what is heard.

use gloo::events::EventListener;
use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;
use web_sys::{MessageEvent, Worker};
use yew::html::Scope;

use crate::dom::received;
use crate::protocol::{FromWorker, Request, ToWorker, read, write};
use crate::ui::{App, AppMsg};

#[wasm_bindgen]
extern "C" {
    /// From `static/boot.js`, which knows where the site's files are: a text, or nothing and why not.
    #[wasm_bindgen(js_namespace = globalThis, js_name = clusterlabExercise)]
    fn get_exercise(id: &str, done: &JsValue);
}

/// Gets the files of an exercise from the site, as JSON, and tells.
pub fn fetch_exercise(id: &str, tell: impl FnOnce(Result<String, String>) + 'static) {
    let done = Closure::once_into_js(move |text: Option<String>, error: Option<String>| {
        tell(text.ok_or_else(|| error.unwrap_or_default()));
    });
    get_exercise(id, &done);
}

/// The worker, and what listens to it.
pub struct Line {
    worker: Worker,
    next: u64,
    /// Kept for as long as they are to listen.
    listeners: Vec<EventListener>,
}

impl Line {
    /// Listens to `worker` on behalf of `app`.
    pub fn new(worker: Worker, app: &Scope<App>) -> Self {
        let listeners = listen(&worker, app);
        Self { worker, next: 1, listeners }
    }

    /// Asks, and answers the number of the question.
    pub fn ask(&mut self, request: Request) -> u64 {
        let id = self.next;
        self.next += 1;
        if let Ok(bytes) = write(&ToWorker { id, request }) {
            // It fails for things that cannot be copied; bytes can.
            let _ = self.worker.post_message(&Uint8Array::from(bytes.as_slice()));
        }
        id
    }

    /// Gets a new worker in place of a dead one. Answers whether there is one.
    pub fn restart(&mut self, app: &Scope<App>) -> bool {
        self.worker.terminate();
        let start = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("clusterlabWorker")).ok();
        let worker = start
            .and_then(|start| start.dyn_into::<js_sys::Function>().ok())
            .and_then(|start| start.call0(&JsValue::NULL).ok())
            .and_then(|worker| worker.dyn_into::<Worker>().ok());
        let Some(worker) = worker else { return false };
        self.listeners = listen(&worker, app);
        self.worker = worker;
        true
    }
}

fn listen(worker: &Worker, app: &Scope<App>) -> Vec<EventListener> {
    let link = app.clone();
    let heard = EventListener::new(worker, "message", move |event| {
        let bytes = event.dyn_ref::<MessageEvent>().map(received).unwrap_or_default();
        match read::<FromWorker>(&bytes) {
            Ok(heard) => link.send_message(AppMsg::Heard(Box::new(heard))),
            Err(error) => link.send_message(AppMsg::Died(error.to_string())),
        }
    });
    let link = app.clone();
    let died = EventListener::new(worker, "error", move |event| {
        let why =
            js_sys::Reflect::get(event, &JsValue::from_str("message")).ok().and_then(|why| why.as_string());
        link.send_message(AppMsg::Died(why.unwrap_or_default()));
    });
    vec![heard, died]
}
