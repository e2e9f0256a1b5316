//! Priorities: `priority/basic` counts down, `priority/multifactor` weighs factors.

use super::Controller;
use crate::slurm::model::JobId;

impl Controller {
    /// The priority of a job that was just submitted, released or requeued.
    pub(super) fn set_priority(&mut self, id: JobId) {
        let basic = self.params.multifactor.is_none();
        if basic {
            let next = self.next_basic;
            let Some(job) = self.jobs.get_mut(id) else { return };
            let nice = i64::from(job.request.nice);
            job.priority = u32::try_from((i64::from(next) - nice).max(1)).unwrap_or(u32::MAX);
            self.next_basic = next.saturating_sub(1);
            return;
        }
        let priority = self.multifactor_priority(id);
        if let Some(job) = self.jobs.get_mut(id) {
            job.priority = priority;
        }
    }

    fn multifactor_priority(&self, _id: JobId) -> u32 {
        1
    }

    /// PriorityCalcPeriod is over: usage decays, priorities of waiting jobs are worked out anew.
    pub(super) fn recalculate(&mut self) {}
}
