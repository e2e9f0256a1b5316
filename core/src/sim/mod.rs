//! Floor 0: virtual time and everything that makes a run repeatable.
//!
//! Nothing here knows of GPUs, pods or jobs. The four parts are
//!
//! - [`SimTime`]: an instant, in whole nanoseconds since the lab was switched on;
//! - [`EventQueue`]: what happens next, in a stable order;
//! - [`Seed`]: randomness, split per component so that one more draw in one
//!   component does not move the dice of another;
//! - [`Journal`]: what happened, append-only, with a digest.
//!
//! Together they give the promise the rest of the house relies on: the same
//! spec, commands and seed give the same journal, byte for byte, native and in
//! WebAssembly, in debug and in release.

mod journal;
mod queue;
mod rng;
mod time;

pub use journal::{Digest, Entry, Journal};
pub use queue::{EventId, EventQueue};
pub use rng::{Rng, Seed};
pub use time::{Epoch, SimTime};
