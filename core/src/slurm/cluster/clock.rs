//! What a recording's machine made of time.
//!
//! A real node needs some tenths of a second, and when it is busy a second or two, to begin a script and to report its
//! end. Everything that is counted from there (usage, fair share, priorities, who is next) follows from those whole
//! seconds. A replay that is to give the same numbers takes them from the recording: as far as they are within the
//! tolerance of what comes here, no further.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::sim::{Seed, SimTime};
use crate::slurm::model::{Job, JobId};

/// When the runs of jobs began and ended where they were recorded.
#[derive(Clone, Debug, Default)]
pub struct RecordedRuns {
    tolerance: i64,
    /// Which order of what happens within one second; 0: as it comes.
    order: u64,
    /// Ends that this order has elsewhere: display id, `/`, restarts → thousandths of their second.
    ends: BTreeMap<String, u64>,
    runs: BTreeMap<String, Vec<RecordedRun>>,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct RecordedRun {
    /// Seconds since 1970.
    pub start: i64,
    /// Seconds since 1970, of a script that ended by itself.
    pub end: Option<i64>,
}

/// When a script begins whose job began in the second `start`: so that its end lies in the right second, the fraction
/// of the second stays below one.
pub(super) fn launch_at(start: i64, second: i64, now: SimTime, latency: Duration) -> SimTime {
    let later = Duration::from_secs(u64::try_from(start - second).unwrap_or(0));
    let rest = Duration::from_nanos(990_000_000_u64.saturating_sub(now.as_nanos() % 1_000_000_000));
    now + later + latency.min(rest)
}

/// The end of a script that is reported later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub at: SimTime,
    pub job: JobId,
    pub run: u32,
    pub code: u8,
    pub signal: u8,
}

impl RecordedRuns {
    /// No runs yet, of a recording that may be off by so many seconds. Ends that were recorded in one second came in
    /// an order that is not known; `order` other than 0 picks one by chance, but for `ends`.
    pub fn within(tolerance: i64, order: u64, ends: BTreeMap<String, u64>) -> Self {
        Self { tolerance, order, ends, runs: BTreeMap::new() }
    }

    /// Adds a run of the job that is displayed by this id, after those that it has.
    pub fn push(&mut self, display_id: String, run: RecordedRun) {
        self.runs.entry(display_id).or_default().push(run);
    }

    /// The recorded run that this run of the job is.
    fn of(&self, job: &Job) -> Option<&RecordedRun> {
        self.runs.get(&job.display_id())?.get(job.restarts as usize)
    }

    /// The recorded start of a job that has just begun.
    pub(super) fn start_of(&self, job: &Job) -> Option<i64> {
        let start = self.of(job)?.start;
        ((start - job.start).abs() <= self.tolerance).then_some(start)
    }

    /// How much later than now the end of a job's script is to be reported; `now` is a second since 1970, `fraction`
    /// what has passed of it in ms.
    pub(super) fn delay(&self, job: &Job, now: i64, fraction: u64) -> Duration {
        let recorded = self.of(job).and_then(|run| Some(run.end? - run.start));
        let later = recorded.map_or(0, |length| job.start + length - now);
        let Some(seconds) = u64::try_from(later).ok().filter(|_| later <= self.tolerance + 1) else {
            return Duration::ZERO;
        };
        let fractions = self.fraction_of(job).unwrap_or(fraction);
        Duration::from_millis((seconds * 1000 + fractions).saturating_sub(fraction))
    }

    /// Milliseconds of the second in which the job's end falls, if that is not to be as it comes.
    fn fraction_of(&self, job: &Job) -> Option<u64> {
        self.of(job)?.end?;
        let name = format!("{}/{}", job.display_id(), job.restarts);
        let moved = self.ends.get(&name).copied();
        moved.or_else(|| (self.order != 0).then(|| 20 + Seed::new(self.order).rng(&name).below(960)))
    }

    /// Seconds by which a script begins earlier, so that its end can be anywhere in the recorded second.
    pub(super) fn head_start(&self) -> u64 {
        u64::from(self.order != 0)
    }
}
