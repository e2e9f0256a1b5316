//! What the controller can say of a job that is not there yet, and of one that waits.

use super::Controller;
use crate::slurm::Time;
use crate::slurm::error::SlurmError;
use crate::slurm::model::{Bits, JobId, JobRequest};

impl Controller {
    /// When a job would start (`sbatch --test-only`): its id, start, CPUs, nodes, and partition. Call it on a copy.
    ///
    /// # Errors
    ///
    /// Those of a submission.
    pub fn expected_start(
        &mut self,
        request: JobRequest,
    ) -> Result<(u32, Time, u32, String, String), SlurmError> {
        let submission = self.submit(request)?;
        let job = self.jobs.get(submission.job).ok_or(SlurmError::Unspecified)?;
        let partition = job.partition;
        if self.partition_limit(job, partition).is_some() || !self.could_ever_run(submission.job, partition) {
            return Err(SlurmError::NodeConfigUnavailable);
        }
        let job = self.jobs.get(submission.job).ok_or(SlurmError::Unspecified)?;
        let avail = self.available_nodes(job, partition, None).map_err(|_| SlurmError::NodeNotAvailable)?;
        let (start, selection) =
            self.first_fit(job, partition, &avail, self.time()).ok_or(SlurmError::NodesBusy)?;
        let nodes = selection.shares.iter().map(|share| share.node).collect();
        let cpus = selection.shares.iter().map(|share| share.cpus).sum();
        Ok((job.id, start, cpus, self.names_of(&nodes), self.partitions[partition].name.clone()))
    }

    /// A job was only tried: its id is used up all the same (recorded: bad_inputs).
    pub fn use_up_id(&mut self) {
        self.next_id += 1;
    }

    /// When and where a job that waits could start if no other job waited and all that run ended at their limits;
    /// `None` if it waits for something else than nodes.
    pub fn first_start(&self, id: JobId) -> Option<(Time, Bits)> {
        let job = self.jobs.get(id).filter(|job| job.is_pending() && job.priority > 0)?;
        let avail = self.available_nodes(job, job.partition, None).ok()?;
        let (start, selection) = self.first_fit(job, job.partition, &avail, self.time().max(job.begin))?;
        Some((start, selection.shares.iter().map(|share| share.node).collect()))
    }

    /// What the user is told beside the error of a submission that was just refused.
    pub fn refusal_detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}
