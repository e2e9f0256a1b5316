//! The functions that only tests call.

use std::ffi::c_char;

use crate::answer::text;
use crate::scenario::Command;
use crate::state::{HAPPENED, lock};

/// Does what a [`Command`] says; 0 if it was understood.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clusterlab_fake_nvml_control(json: *const c_char) -> u32 {
    let Ok(json) = text(json) else { return 2 };
    let Ok(command) = serde_json::from_str::<Command>(&json) else { return 2 };
    let mut state = lock();
    match command {
        Command::Set(scenario) => {
            state.scenario = *scenario;
            state.counted = 0;
        }
        Command::Raise(event) => {
            for set in state.sets.values_mut() {
                if set.registered.get(&event.gpu).is_some_and(|mask| mask & event.event_type != 0) {
                    set.queue.push_back(event.clone());
                }
            }
            HAPPENED.notify_all();
        }
        Command::Lose(index, lost) => {
            if let Some(gpu) = state.scenario.gpus.get_mut(index) {
                gpu.lost = lost;
            }
        }
        Command::Reload => {
            state.started = 0;
            state.sets.clear();
            state.samples.clear();
            HAPPENED.notify_all();
        }
    }
    0
}

/// Event sets, GPM samples and starts that nobody has given back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clusterlab_fake_nvml_alive() -> u64 {
    let state = lock();
    state.sets.len() as u64 + state.samples.len() as u64 + state.started
}
