//! Alibaba's production GPU trace of 2023 ("openb"), replayed through the scheduler.
//!
//! The trace has 1,213 nodes with 6,212 GPUs and 8,152 pods, many of which ask for a part of a GPU. Weng et al.
//! (*Beware of Fragmentation*, USENIX ATC 2023) place them by several [policies](Policy), one after the other in an
//! order drawn by chance, with copies of pods drawn by chance until 1.3 times the GPUs are asked for; no pod ever
//! goes, and one that finds no place is dropped. This module reads the trace ([`Trace`]), makes that
//! [`Workload`] from the same seeds (the same pods in the same order), gives it to a [`Scheduler`](super::Scheduler)
//! with the policy's plugins ([`run`]), and measures what the paper measures ([`Run`]).
//!
//! The trace itself is not part of this crate.

mod curve;
mod go_random;
mod policy;
mod run;
mod trace;
mod workload;

pub use curve::{Curve, columns};
pub use go_random::GoRandom;
pub use policy::{Policy, UnknownPolicy};
pub use run::{Placement, Run, RunError, Step, run};
pub use trace::{Trace, TraceError, TraceNode, TracePod};
pub use workload::Workload;
