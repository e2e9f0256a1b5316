//! The order of the queue.
//!
//! Jobs that may preempt first, then jobs with a reservation, then by PriorityTier, priority, time of submission, id.

use super::Controller;
use crate::slurm::model::{Job, JobId, PartIdx};

/// A job in one of its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) job: JobId,
    pub(super) partition: PartIdx,
    pub(super) priority: u32,
    key: (bool, std::cmp::Reverse<(bool, u16, u32)>, i64, u32, u32),
}

impl Controller {
    /// The queue at this instant: jobs that may start, one entry for each of their partitions.
    ///
    /// Brings dependencies, begin times and reasons of jobs that may not start up to date on the way, as slurmctld
    /// does when it builds its queue.
    pub(super) fn build_queue(&mut self) -> Vec<Queued> {
        self.split_correlated();
        let ids: Vec<JobId> = self.jobs.pending.iter().copied().collect();
        let mut queue = Vec::with_capacity(ids.len());
        for id in &ids {
            self.begin_age(*id);
        }
        for id in ids {
            if !self.is_independent(id) {
                continue;
            }
            let Some(job) = self.jobs.get(id) else { continue };
            for (at, partition) in job.partitions.iter().enumerate() {
                queue.push(self.queued(
                    job,
                    *partition,
                    job.part_priorities.get(at).copied().unwrap_or(job.priority),
                ));
            }
        }
        queue.sort_unstable_by_key(|queued| queued.key);
        queue
    }

    /// From when a job's age counts: from the time at which it is eligible, as far as that was known before this look
    /// (`acct_policy_handle_accrue_time`). Where limits are enforced, not before that time has come.
    fn begin_age(&mut self, id: JobId) {
        let now = self.time();
        let limits = self.params.enforce.limits;
        let Some(job) = self.jobs.get_mut(id).filter(|job| job.accrue == 0) else { return };
        let begin = match job.eligible {
            0 => job.begin.max(job.request.begin.unwrap_or(0)),
            eligible => eligible,
        };
        if !limits || job.priority != 0 && begin <= now {
            job.accrue = begin;
        }
    }

    fn queued(&self, job: &Job, partition: PartIdx, priority: u32) -> Queued {
        let tier = self.partitions.get(partition).map_or(1, |partition| partition.tier);
        let reserved = job.reservation.is_some();
        let (array, task) = job.array.unwrap_or((job.id, None));
        Queued {
            job: job.id,
            partition,
            priority,
            key: (
                false,
                std::cmp::Reverse((reserved, tier, priority)),
                job.submit,
                array,
                task.unwrap_or(job.id),
            ),
        }
    }
}
