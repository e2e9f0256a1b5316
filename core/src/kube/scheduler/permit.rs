//! Pods that have a node and wait for permission to be bound.

use std::collections::BTreeMap;

use super::cluster::NodeId;
use super::framework::{CycleState, PluginId};
use crate::sim::SimTime;

/// A pod that one or more permit plugins asked to wait.
#[derive(Clone, Debug)]
pub(super) struct WaitingPod {
    pub node: NodeId,
    pub profile: usize,
    pub state: CycleState,
    /// Who still has to allow it, and until when they may.
    pub pending: BTreeMap<PluginId, SimTime>,
}

impl WaitingPod {
    /// When the first of them has waited too long.
    pub fn deadline(&self) -> SimTime {
        self.pending.values().copied().min().unwrap_or(SimTime::MAX)
    }
}
