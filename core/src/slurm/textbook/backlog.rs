//! A long queue, to measure with.

use super::{Job, Workload};
use crate::sim::Seed;

/// A machine of 128 processors before which `pending` jobs wait from the first second on: they ask for 1 to 64 processors, by powers
/// of two, run for up to an hour and estimate up to an hour more. The same jobs on every platform.
pub fn backlog(pending: u32) -> Workload {
    let mut random = Seed::new(1).rng("backlog");
    let mut below = |bound: u64| random.below(bound) as i64;
    let jobs = (1..=i64::from(pending)).map(|number| {
        let processors = 1 << below(7);
        let run = 1 + below(3600);
        let estimate = run + below(3600);
        Job { number, submit: 0, run, estimate, processors }
    });
    Workload { processors: 128, jobs: jobs.collect(), ..Workload::default() }
}
