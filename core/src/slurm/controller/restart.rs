//! A controller that is stopped and started again.

use super::Controller;

impl Controller {
    /// Stops and starts the controller: jobs, priorities, holds and allocations survive; plans and what backfill
    /// found out do not; both schedulers look at everything anew.
    pub fn restart(&mut self) {
        let saved: Vec<u32> = self.jobs.pending.iter().copied().collect();
        for id in saved {
            if let Some(job) = self.jobs.get_mut(id) {
                job.planned_nodes = crate::slurm::model::Bits::new();
                if job.state.base == crate::slurm::model::JobBase::Pending && job.begin <= job.start {
                    job.start = 0;
                }
            }
        }
        for node in &mut self.nodes {
            node.flags.clear(crate::slurm::model::NodeFlags::PLANNED);
        }
        self.boot = self.time();
        self.ask_schedule();
    }
}
