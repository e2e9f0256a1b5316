//! `scontrol top`: jobs of a user change places in the queue, by their nice values.

use super::Controller;
use crate::slurm::error::SlurmError;
use crate::slurm::model::JobId;

impl Controller {
    /// Puts waiting jobs before the others of their user, account, partition and QOS: they get the highest priorities
    /// that these jobs have together, the others sink by what the first rose.
    ///
    /// # Errors
    ///
    /// No such job; not the user's, or users may not; none that waits without being held.
    pub fn top(&mut self, ids: &[(JobId, Option<u32>)], uid: u32) -> Result<(), SlurmError> {
        if uid != 0 && !self.params.scheduler.enable_user_top {
            return Err(SlurmError::AccessDenied);
        }
        let mut top: Vec<JobId> = Vec::new();
        let mut passed_over = None;
        for (id, task) in ids {
            let records = self.named(*id, task.as_ref().map(std::slice::from_ref))?;
            for id in records.into_iter().take(1) {
                let Some(job) = self.jobs.get(id) else { return Err(SlurmError::InvalidJobId) };
                if uid != 0 && job.request.uid != uid {
                    return Err(SlurmError::AccessDenied);
                }
                if !self.jobs.pending.contains(&id) {
                    passed_over = Some(SlurmError::NotPending);
                } else if job.partitions.len() > 1 {
                    return Err(SlurmError::PartitionConfigUnavailable);
                } else if job.priority == 0 {
                    passed_over = Some(SlurmError::JobHeld);
                } else if !top.contains(&id) {
                    top.push(id);
                }
            }
        }
        let Some(first) = top.first().and_then(|id| self.jobs.get(*id)) else {
            return passed_over.map_or(Ok(()), Err);
        };
        let alike = (first.request.uid, first.request.account.clone(), first.qos.clone(), first.partition);
        let others: Vec<JobId> = self
            .jobs
            .pending()
            .filter(|job| {
                !top.contains(&job.id)
                    && job.partitions.len() <= 1
                    && job.priority > 1
                    && (job.request.uid, &job.request.account, &job.qos, job.partition)
                        == (alike.0, &alike.1, &alike.2, alike.3)
            })
            .map(|job| job.id)
            .collect();
        let mut priorities: Vec<u32> =
            top.iter().chain(&others).filter_map(|id| Some(self.jobs.get(*id)?.priority)).collect();
        priorities.sort_unstable_by(|a, b| b.cmp(a));
        let mut last: Option<u32> = None;
        let mut risen: i64 = 0;
        for (id, next) in top.iter().zip(priorities) {
            let next = if last == Some(next) && next > 2 { next - 1 } else { next };
            last = Some(next);
            let Some(job) = self.jobs.get_mut(*id) else { continue };
            let by = i64::from(next) - i64::from(job.priority);
            let nice = i64::from(job.request.nice).min(by);
            risen += nice;
            job.priority = next;
            job.request.nice = i32::try_from(i64::from(job.request.nice) - nice).unwrap_or(job.request.nice);
        }
        let last = i64::from(last.unwrap_or(1));
        for (at, id) in others.iter().enumerate() {
            let Some(job) = self.jobs.get_mut(*id) else { continue };
            let mut by = risen / (others.len() - at) as i64;
            if i64::from(job.priority) - by >= last {
                by = i64::from(job.priority) - (last - 1);
            }
            job.priority = u32::try_from((i64::from(job.priority) - by).max(1)).unwrap_or(1);
            job.request.nice = i32::try_from(i64::from(job.request.nice) + by).unwrap_or(job.request.nice);
            risen -= by;
        }
        self.ask_schedule();
        Ok(())
    }
}
