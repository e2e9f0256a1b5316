//! Limits of associations and QOS, and what `priority` and preemption need to know of them.

use super::Controller;
use crate::slurm::model::{Job, PartIdx, Reason};

impl Controller {
    /// The limit of accounting that keeps a job from starting now.
    pub(super) fn accounting_limit(&self, _job: &Job, _partition: PartIdx) -> Option<Reason> {
        None
    }
}
