//! What the schedulers ask of accounting about QOS.

use super::Controller;
use crate::slurm::model::PreemptMode;

impl Controller {
    /// Whether jobs of one QOS preempt those of another.
    pub(super) fn qos_preempts(&self, _qos: &str, _other: &str) -> bool {
        false
    }

    /// PreemptMode of a QOS, where it has its own.
    pub(super) fn qos_preempt_mode(&self, _qos: &str) -> Option<PreemptMode> {
        None
    }

    /// Priority of a QOS.
    pub(super) fn qos_priority(&self, _qos: &str) -> u32 {
        0
    }

    /// GraceTime of a QOS, seconds.
    pub(super) fn qos_grace(&self, _qos: &str) -> u32 {
        0
    }

    /// PreemptExemptTime of a QOS, where it has its own, seconds.
    pub(super) fn qos_exempt_time(&self, _qos: &str) -> Option<i64> {
        None
    }
}
