//! Suspension, and gang scheduling's time slices.

use super::{Action, Controller};
use crate::slurm::model::{JobBase, JobId, JobState};

impl Controller {
    /// Stops a job; it keeps its allocation. `by_gang`: for a job that preempts it or shares its cores.
    pub(super) fn suspend(&mut self, id: JobId, by_gang: bool) {
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id) else { return };
        if job.state.base != JobBase::Running || job.state.is_completing() {
            return;
        }
        job.state = JobState::new(JobBase::Suspended);
        job.suspended_at = now;
        job.gang = by_gang;
        self.actions.push_back(Action::Suspend { job: id });
        self.touch();
    }

    /// Lets a suspended job go on; its end moves by the time that it was stopped.
    pub(super) fn resume(&mut self, id: JobId) {
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id) else { return };
        if job.state.base != JobBase::Suspended {
            return;
        }
        let stopped = now - job.suspended_at;
        job.suspended_for += stopped;
        if job.end != 0 {
            job.end += stopped;
        }
        job.state = JobState::new(JobBase::Running);
        job.gang = false;
        self.actions.push_back(Action::Resume { job: id });
        self.touch();
    }

    /// The next of the jobs that share cores run, those that had their time stop.
    pub(super) fn next_slice(&mut self) {}
}
