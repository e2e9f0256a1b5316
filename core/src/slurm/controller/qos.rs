//! What the schedulers ask of accounting about QOS.

use super::Controller;
use crate::slurm::model::PreemptMode;

impl Controller {
    /// Whether jobs of one QOS preempt those of another.
    pub(super) fn qos_preempts(&self, qos: &str, other: &str) -> bool {
        self.accounting.qos(qos).is_some_and(|qos| qos.preempt.iter().any(|name| name == other))
    }

    /// PreemptMode of a QOS, where it has its own.
    pub(super) fn qos_preempt_mode(&self, qos: &str) -> Option<PreemptMode> {
        self.accounting.qos(qos).and_then(|qos| qos.preempt_mode)
    }

    /// Priority of a QOS.
    pub(super) fn qos_priority(&self, qos: &str) -> u32 {
        self.accounting.qos(qos).map_or(0, |qos| qos.priority)
    }

    /// GraceTime of a QOS, seconds.
    pub(super) fn qos_grace(&self, qos: &str) -> u32 {
        self.accounting.qos(qos).map_or(0, |qos| qos.grace_time)
    }

    /// PreemptExemptTime of a QOS, where it has its own, seconds.
    pub(super) fn qos_exempt_time(&self, qos: &str) -> Option<i64> {
        self.accounting.qos(qos).and_then(|qos| qos.preempt_exempt_time).map(i64::from)
    }
}
