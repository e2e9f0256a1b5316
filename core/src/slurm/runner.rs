//! Jobs that run for a known time: for simulations that need no scripts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use super::controller::{Action, Controller};
use super::model::JobId;
use crate::sim::SimTime;

/// How long a job runs, and how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its length.
    pub length: Duration,
    /// Its exit code.
    pub code: u8,
    /// Whether it ignores SIGTERM.
    pub stubborn: bool,
}

/// Runs jobs as their [`Script`]s say.
#[derive(Clone, Debug, Default)]
pub struct Runner {
    scripts: BTreeMap<JobId, Script>,
    running: BTreeMap<JobId, (u32, SimTime)>,
    suspended: BTreeMap<JobId, Duration>,
    ends: BinaryHeap<Reverse<(SimTime, JobId, u32)>>,
}

impl Runner {
    /// What a job does when it is started. Tasks of an array do what their array does.
    pub fn learn(&mut self, job: JobId, script: Script) {
        self.scripts.insert(job, script);
    }

    /// When the next job ends.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        self.ends.peek().map(|Reverse((at, ..))| *at)
    }

    /// How many jobs run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Takes up what the controller told the nodes, and tells it which jobs ended by `now`.
    pub fn step(&mut self, controller: &mut Controller, now: SimTime) {
        loop {
            let actions = controller.take_actions();
            let idle = actions.is_empty();
            for action in actions {
                self.act(controller, &action, now);
            }
            let mut ended = false;
            while let Some(Reverse((at, job, run))) =
                self.ends.peek().copied().filter(|Reverse((at, ..))| *at <= now)
            {
                self.ends.pop();
                if self.running.get(&job) == Some(&(run, at)) && !self.suspended.contains_key(&job) {
                    self.running.remove(&job);
                    let code = self.script(controller, job).code;
                    controller.batch_ended(job, run, code, 0);
                    ended = true;
                }
            }
            if idle && !ended {
                return;
            }
        }
    }

    fn script(&self, controller: &Controller, job: JobId) -> Script {
        let array = controller.jobs.get(job).and_then(|job| job.array).map_or(job, |(array, _)| array);
        let default = Script { length: Duration::from_secs(1), code: 0, stubborn: false };
        self.scripts.get(&job).or_else(|| self.scripts.get(&array)).copied().unwrap_or(default)
    }

    fn act(&mut self, controller: &mut Controller, action: &Action, now: SimTime) {
        match *action {
            Action::Launch { job, run } => {
                let at = now + self.script(controller, job).length;
                self.suspended.remove(&job);
                self.running.insert(job, (run, at));
                self.ends.push(Reverse((at, job, run)));
            }
            Action::Signal { job, run, signal: signal @ (9 | 15), .. } => {
                let stubborn = signal == 15 && self.script(controller, job).stubborn;
                match self.running.get(&job) {
                    Some((running, _)) if *running == run && stubborn => {}
                    Some((running, _)) if *running == run => {
                        self.running.remove(&job);
                        self.suspended.remove(&job);
                        controller.batch_ended(job, run, 0, signal);
                    }
                    _ => controller.batch_ended(job, run, 0, signal),
                }
            }
            // Its nodes' daemons never stop.
            Action::Signal { .. }
            | Action::SignalBatch { .. }
            | Action::SignalStep { .. }
            | Action::Reboot { .. } => {}
            Action::Suspend { job } => {
                if let Some((_, at)) = self.running.get(&job) {
                    self.suspended.insert(job, at.since(now));
                }
            }
            Action::Resume { job } => {
                if let (Some(left), Some(entry)) = (self.suspended.remove(&job), self.running.get_mut(&job)) {
                    entry.1 = now + left;
                    self.ends.push(Reverse((entry.1, job, entry.0)));
                }
            }
        }
    }

    /// A node is lost with all that ran there first: nothing of it is reported.
    pub fn lose(&mut self, jobs: impl IntoIterator<Item = JobId>) {
        for job in jobs {
            self.running.remove(&job);
            self.suspended.remove(&job);
        }
    }
}
