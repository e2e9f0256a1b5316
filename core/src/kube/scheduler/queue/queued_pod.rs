//! A pod that waits, and how long it has to.

use std::sync::Arc;
use std::time::Duration;

use super::super::cluster::PodInfo;
use super::super::framework::{PluginId, PluginSet, Reason};
use crate::sim::SimTime;

/// Expiries of back-offs are cut to windows of this length, so that within one the order of priority holds.
pub(super) const WINDOW: Duration = Duration::from_secs(1);

/// A pod that waits for a node.
#[derive(Clone, Debug)]
pub struct QueuedPod {
    /// The pod.
    pub info: Arc<PodInfo>,
    /// The profile that its `schedulerName` names.
    pub profile: usize,
    /// When it came into the queue, or was last refused.
    pub timestamp: SimTime,
    /// Tells apart what happened at one instant.
    pub sequence: u64,
    /// When it was first tried; the number tells apart what happened at one instant.
    pub initial_attempt: Option<(SimTime, u64)>,
    /// How many cycles it had.
    pub attempts: u32,
    /// How often it was refused: the length of its back-off.
    pub(super) unschedulable_count: u32,
    /// How many errors in a row it had.
    pub(super) error_count: u32,
    /// When its back-off is over, cut to its window.
    pub(super) backoff_expiration: Option<SimTime>,
    /// Plugins that refused it in its last cycle.
    pub unschedulable_plugins: PluginSet,
    /// Plugins that put it off in its last cycle.
    pub pending_plugins: PluginSet,
    /// The plugin that keeps it out of the queue, and why.
    pub gated_by: Option<(PluginId, Reason)>,
}

impl QueuedPod {
    /// A pod that has just come.
    pub(super) fn new(info: Arc<PodInfo>, profile: usize, now: SimTime, sequence: u64) -> Self {
        Self {
            info,
            profile,
            timestamp: now,
            sequence,
            initial_attempt: None,
            attempts: 0,
            unschedulable_count: 0,
            error_count: 0,
            backoff_expiration: None,
            unschedulable_plugins: PluginSet::default(),
            pending_plugins: PluginSet::default(),
            gated_by: None,
        }
    }

    /// Whether it has to wait longer: `initial` after the first failure, twice as long after each, at most `max`.
    pub(super) fn is_backing_off(&mut self, now: SimTime, initial: Duration, max: Duration) -> bool {
        let count = if self.error_count > 0 { self.error_count } else { self.unschedulable_count };
        if count == 0 {
            return false;
        }
        let timestamp = self.timestamp;
        let expiration = *self.backoff_expiration.get_or_insert_with(|| {
            let doubled = initial.saturating_mul(1_u32.checked_shl(count - 1).unwrap_or(u32::MAX));
            align(timestamp + doubled.min(max))
        });
        // Equal windows are still within the back-off.
        expiration >= align(now)
    }
}

/// Where a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Active,
    Backoff,
    ErrorBackoff,
    Unschedulable,
    InFlight,
}

/// What a change is worth to a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strategy {
    Skip,
    AfterBackoff,
    Immediately,
}

/// The start of the window in which an instant lies.
fn align(instant: SimTime) -> SimTime {
    let window = WINDOW.as_nanos() as u64;
    SimTime::from_nanos(instant.as_nanos() / window * window)
}
