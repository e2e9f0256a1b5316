//! Suspension, and gang scheduling's time slices.

use super::{Action, Controller, PreemptType};
use crate::slurm::model::{Bits, Job, JobBase, JobId, JobState, PartIdx, PreemptMode};
use crate::slurm::select::{Machines, Selection};

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
        job.slice_since = now;
        job.gang = false;
        self.actions.push_back(Action::Resume { job: id });
        self.touch();
    }

    /// Whether preemption suspends.
    pub(super) fn suspends(&self) -> bool {
        self.params.preempt_type != PreemptType::None && self.params.preempt_mode == PreemptMode::Suspend
    }

    /// What a job would get if the jobs that it may suspend were not there; in rows above theirs.
    pub(super) fn find_over_suspended(
        &self,
        id: JobId,
        partition: PartIdx,
        avail: &Bits,
    ) -> Option<Selection> {
        if !self.suspends() {
            return None;
        }
        let job = self.jobs.get(id)?;
        let mut usage = self.usage.clone();
        let mut any = false;
        for other in self.jobs.active().filter(|other| self.may_preempt(job, partition, other)) {
            for share in &other.shares_of_nodes {
                // A suspended job keeps its memory and its devices; only its cores can be had.
                usage.release_cores(&self.nodes[share.node], share, other.request.uid);
                any = true;
            }
        }
        if !any {
            return None;
        }
        let machines = Machines { usage: &usage, ..self.machines() };
        let mut selection = self.find_in(&machines, job, partition, avail)?;
        for share in &mut selection.shares {
            let rows = &self.usage[share.node].rows;
            let free = |row: usize| rows.get(row).is_none_or(|row| !row.overlaps(&share.cores));
            share.row = (0..=rows.len()).find(|row| free(*row)).unwrap_or(rows.len()) as u8;
        }
        Some(selection)
    }

    /// Suspends the jobs whose cores a job that just started takes over.
    pub(super) fn suspend_below(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(id) else { return };
        let partition = job.partition;
        let below: Vec<JobId> = self
            .jobs
            .active()
            .filter(|other| {
                other.id != id && Self::share_cores(job, other) && self.may_preempt(job, partition, other)
            })
            .map(|other| other.id)
            .collect();
        for other in below {
            self.suspend(other, true);
        }
    }

    fn share_cores(job: &Job, other: &Job) -> bool {
        job.shares_of_nodes.iter().any(|mine| {
            other
                .shares_of_nodes
                .iter()
                .any(|theirs| mine.node == theirs.node && mine.cores.overlaps(&theirs.cores))
        })
    }

    /// Lets gang-suspended jobs go on whose cores nobody uses.
    pub(super) fn resume_free(&mut self) {
        let waiting: Vec<JobId> = self
            .jobs
            .active()
            .filter(|job| job.state.base == JobBase::Suspended && job.gang)
            .map(|job| job.id)
            .collect();
        for id in waiting {
            let Some(job) = self.jobs.get(id) else { continue };
            let taken = self.jobs.active().any(|other| {
                other.id != id
                    && other.state.base == JobBase::Running
                    && !other.state.is_completing()
                    && Self::share_cores(job, other)
            });
            if !taken {
                self.resume(id);
            }
        }
    }

    /// A job that starts on cores that another has waits for its slice.
    pub(super) fn join_slices(&mut self, id: JobId) {
        if !self.params.gang {
            return;
        }
        let Some(job) = self.jobs.get(id) else { return };
        let partition = job.partition;
        let tier = self.partitions[partition].tier;
        let shared = self.jobs.active().any(|other| {
            other.id != id
                && other.state.base == JobBase::Running
                && !other.state.is_completing()
                && self.partitions[other.partition].tier >= tier
                && Self::share_cores(job, other)
        });
        if shared {
            self.suspend(id, true);
        }
    }

    /// The next of the jobs that share cores run, those that had a whole slice stop.
    pub(super) fn next_slice(&mut self) {
        let now = self.time();
        let slice = self.params.time_slice;
        let waiting: Vec<JobId> = self
            .jobs
            .active()
            .filter(|job| job.state.base == JobBase::Suspended && job.gang)
            .map(|job| job.id)
            .collect();
        for id in waiting {
            let Some(job) = self.jobs.get(id) else { continue };
            let tier = self.partitions[job.partition].tier;
            let holders: Vec<JobId> = self
                .jobs
                .active()
                .filter(|other| {
                    other.id != id
                        && other.state.base == JobBase::Running
                        && !other.state.is_completing()
                        && Self::share_cores(job, other)
                })
                .map(|other| other.id)
                .collect();
            let all_may_stop = holders.iter().filter_map(|id| self.jobs.get(*id)).all(|other| {
                self.partitions[other.partition].tier == tier && now - other.slice_since >= slice
            });
            if all_may_stop {
                for holder in holders {
                    self.suspend(holder, true);
                }
                self.resume(id);
            }
        }
    }
}
