//! Pods that have a node and wait for permission to be bound.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cluster::NodeId;
use super::decision::{Attempt, Decision, Outcome};
use super::engine::{Scheduler, notify};
use super::framework::{Binder, CycleState, PluginId, Status};
use super::queue::{ClusterChange, PodId};
use super::schedule::refused_on;
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

impl Scheduler {
    /// The pods that wait for permission: namespace, name and node.
    pub fn waiting_pods(&self) -> Vec<(Arc<str>, Arc<str>, Arc<str>)> {
        let waiting = self.waiting.iter().filter_map(|(id, waiting)| {
            let (namespace, name) = self.names(&self.record(*id)?.info);
            Some((namespace, name, Arc::clone(self.cluster.node_name(waiting.node))))
        });
        waiting.collect()
    }

    /// A permit plugin allows a pod that it asked to wait; the pod is bound when no other plugin has it wait.
    pub fn allow_waiting(
        &mut self,
        namespace: &str,
        name: &str,
        plugin: &str,
        now: SimTime,
        binder: &mut dyn Binder,
    ) -> Option<Decision> {
        let id = self.find(namespace, name)?;
        let waiting = self.waiting.get_mut(&id)?;
        let profile = waiting.profile;
        let plugin = self.profiles[profile].plugins().find(|(_, known)| known.name() == plugin)?.0;
        waiting.pending.remove(&plugin)?;
        if !waiting.pending.is_empty() {
            return None;
        }
        let WaitingPod { node, mut state, .. } = self.waiting.remove(&id)?;
        let info = Arc::clone(&self.record(id)?.info);
        let mut attempt = self.continued_attempt(id, now)?;
        match self.bind(id, &info, profile, &mut state, node, binder) {
            Ok(()) => {
                attempt.outcome = Outcome::Scheduled { node: Arc::clone(self.cluster.node_name(node)) };
                Some(self.conclude(id, &info, attempt, None))
            }
            Err(failure) => Some(self.fail(id, &info, attempt, failure)),
        }
    }

    /// A permit plugin refuses a pod that it asked to wait.
    pub fn reject_waiting(
        &mut self,
        namespace: &str,
        name: &str,
        plugin: &str,
        message: &str,
        now: SimTime,
    ) -> Option<Decision> {
        let id = self.find(namespace, name)?;
        let profile = self.waiting.get(&id)?.profile;
        let plugin = self.profiles[profile].plugins().find(|(_, known)| known.name() == plugin)?.0;
        self.refuse_waiting(id, plugin, message, now)
    }

    pub(super) fn refuse_waiting(
        &mut self,
        id: PodId,
        plugin: PluginId,
        message: &str,
        now: SimTime,
    ) -> Option<Decision> {
        let WaitingPod { node, profile, mut state, .. } = self.waiting.remove(&id)?;
        let info = Arc::clone(&self.record(id)?.info);
        let attempt = self.continued_attempt(id, now)?;
        self.unreserve(id, &info, profile, &mut state, node);
        let failure = refused_on(node, plugin, Status::unschedulable(message.to_owned()));
        let decision = self.fail(id, &info, attempt, failure);
        let change = ClusterChange::AssignedPodDeleted(&info);
        notify(&mut self.queue, &self.profiles, &self.cluster, &change);
        Some(decision)
    }

    /// The attempt of a pod that waited, taken up again.
    fn continued_attempt(&mut self, id: PodId, now: SimTime) -> Option<Attempt> {
        let last = self.record_mut(id)?.attempts.pop()?;
        Some(Attempt { at: now, ..(*last).clone() })
    }
}
