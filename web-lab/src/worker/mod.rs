//! The worker: one lab, advanced in small slices, so that the next message is never far away.
//!
//! [`Session`] is plain Rust and tested natively; this module only gives it messages
//! and time. While time passes (or a long advance is under way) the worker runs a
//! slice of at most [`SLICE_MILLIS`], says what changed, and lets the browser hand
//! over what has arrived in the meantime: Ctrl-C and "pause" always get through.

mod files;
mod read;
mod session;
#[cfg(test)]
mod tests;

pub use session::Session;

/// How long the simulation runs before it looks for messages.
pub const SLICE_MILLIS: f64 = 14.0;

/// How often the page hears of passing time.
pub const FRAME_MILLIS: u32 = 50;

#[cfg(target_arch = "wasm32")]
pub(crate) mod run {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    use gloo::timers::callback::Timeout;
    use js_sys::Uint8Array;
    use wasm_bindgen::prelude::*;
    use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

    use super::{FRAME_MILLIS, SLICE_MILLIS, Session};
    use crate::dom::{milliseconds, received};
    use crate::protocol::{FromWorker, Response, ToWorker, read, write};

    struct Worker {
        scope: DedicatedWorkerGlobalScope,
        session: Session,
        timer: Option<Timeout>,
        ticked: f64,
    }

    type Shared = Rc<RefCell<Worker>>;

    /// Listens for the page for as long as the worker lives.
    pub(crate) fn run() {
        let scope: DedicatedWorkerGlobalScope = js_sys::global().unchecked_into();
        let worker =
            Worker { scope: scope.clone(), session: Session::default(), timer: None, ticked: milliseconds() };
        let worker: Shared = Rc::new(RefCell::new(worker));
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            hear(&worker, &received(&event));
        });
        scope.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        heard.forget();
    }

    fn hear(shared: &Shared, bytes: &[u8]) {
        let mut worker = shared.borrow_mut();
        match read::<ToWorker>(bytes) {
            Ok(asked) => {
                let was_moving = worker.session.moves();
                let answers = worker.session.handle(asked.request);
                worker.say(Some(asked.id), answers);
                if !was_moving {
                    worker.ticked = milliseconds();
                }
            }
            Err(error) => worker.say(None, vec![Response::Failed { message: error.to_string() }]),
        }
        schedule(&mut worker, shared);
    }

    fn schedule(worker: &mut Worker, shared: &Shared) {
        if worker.timer.is_none() && worker.session.moves() {
            let shared = Rc::clone(shared);
            // A long advance goes on at once; the clock ticks at the rate at which the page draws.
            let wait = if worker.session.is_advancing() { 0 } else { FRAME_MILLIS };
            worker.timer = Some(Timeout::new(wait, move || tick(&shared)));
        }
    }

    fn tick(shared: &Shared) {
        let mut worker = shared.borrow_mut();
        worker.timer = None;
        let now = milliseconds();
        let elapsed = Duration::from_secs_f64(((now - worker.ticked) / 1000.0).clamp(0.0, 0.5));
        worker.ticked = now;
        let said = worker.session.tick(elapsed, &mut || milliseconds() - now < SLICE_MILLIS);
        worker.say(None, said);
        schedule(&mut worker, shared);
    }

    impl Worker {
        /// The first answer carries the number of the question.
        fn say(&self, id: Option<u64>, responses: Vec<Response>) {
            for (at, response) in responses.into_iter().enumerate() {
                let id = id.filter(|_| at == 0);
                if let Ok(bytes) = write(&FromWorker { id, response }) {
                    // It fails for things that cannot be copied; bytes can.
                    let _ = self.scope.post_message(&Uint8Array::from(bytes.as_slice()));
                }
            }
        }
    }
}
