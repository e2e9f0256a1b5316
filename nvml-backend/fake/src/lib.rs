//! A `libnvidia-ml.so` that has no GPU: it answers from a scenario.
//!
//! The tests of `clusterlab-nvml` load it as any program loads NVIDIA's library, so that what they test is the whole
//! way through the C interface. Other people's clients (Python's `nvidia-ml-py`, Slurm's GPU plugin) load it too.
//!
//! Cargo builds the shared object, because the crate is a development dependency, into the folder in which the test
//! itself lies; [`FILE`] is its name there. NVML's state belongs to the loaded library, so **each test loads a private
//! copy** from a folder of its own, with a `scenario.json` ([`Scenario`]) beside it. Without that file it is a DGX H100.
//!
//! What it does while a test runs is steered by [`Command`]s, as JSON through the exported function [`CONTROL`].
//!
//! It is no model of a driver: it knows what a scenario says, checks handles, buffer sizes and structure versions as
//! NVML documents them, and panics nowhere, because a panic may not cross into C.

#![allow(non_snake_case, reason = "the exported functions have NVML's names")]
#![allow(
    missing_docs,
    clippy::missing_safety_doc,
    reason = "the exported functions are documented by NVML; every pointer comes from a C caller"
)]

mod answer;
mod control;
#[cfg(unix)]
pub mod copy;
mod device;
mod events;
mod gpm;
mod links;
mod mig;
pub mod scenario;
mod state;
mod system;

pub use scenario::{Command, Event, Gpu, MigDevice, Process, Scenario};

/// The name that cargo gives the shared object.
pub const FILE: &str = "libclusterlab_fake_nvml.so";

/// The exported function that takes a [`Command`] as JSON text, NUL-terminated, and answers 0 if it was understood.
pub const CONTROL: &str = "clusterlab_fake_nvml_control";

/// The exported function that answers how many event sets and GPM samples are alive, and how often NVML was started
/// without being shut down: what a client leaks.
pub const ALIVE: &str = "clusterlab_fake_nvml_alive";
