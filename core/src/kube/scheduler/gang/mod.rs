//! Groups of pods that are placed together or not at all: the pod-group cycle of kube-scheduler v1.36
//! (`schedule_one_podgroup.go`; KEP-4671 gang scheduling, KEP-5732 topology-aware workload scheduling).
//!
//! When a pod with `spec.schedulingGroup` is next, all pods of its group that wait are taken with it,
//! ordered by priority, then by their first attempt. Each goes through the normal filters and scores
//! and is assumed to be on its node, so that the next one sees it. Whatever comes of it is taken back;
//! then, if the permit plugins were content with as many as found a node, these are bound, else all
//! wait again. A group that names a topology label is tried once per value of that label, and the
//! placement with the best score is taken.
//!
//! A group that found no room is retried by the real scheduler without pause. As nothing can come of
//! that before something has changed, here it waits for any change of the cluster, or five minutes.

mod attempt;
mod cycle;
mod groups;
mod placement;
#[cfg(test)]
mod tests;

use k8s_openapi::api::scheduling::v1alpha2::PodGroup;

pub use attempt::{GroupAttempt, PlacementAttempt, PlacementScoreRow};
pub use groups::{Group, GroupKey, PodGroups, Policy};

use super::engine::Scheduler;
use std::sync::Arc;

impl Scheduler {
    /// A pod group came or changed.
    pub fn set_pod_group(&mut self, group: &PodGroup) {
        let symbols = &mut self.cluster.symbols;
        let mut policy = Policy::new(group, symbols);
        if !self.features.topology_aware_workload_scheduling {
            policy.topology = None;
        }
        let key = (
            symbols.intern(group.metadata.namespace.as_deref().unwrap_or("default")),
            symbols.intern(group.metadata.name.as_deref().unwrap_or_default()),
        );
        if self.cluster.groups.get(key).and_then(|group| group.policy) != Some(policy) {
            self.cluster.groups.set_policy(key, Some(policy));
            self.regate(key);
        }
    }

    /// A pod group went.
    pub fn remove_pod_group(&mut self, namespace: &str, name: &str) {
        if let Some(key) = self.key(namespace, name) {
            self.cluster.groups.set_policy(key, None);
            self.group_attempts.remove(&key);
            self.regate(key);
        }
    }

    /// Cycles of a pod group that are still known, the latest last.
    pub fn group_attempts(&self, namespace: &str, name: &str) -> &[Arc<GroupAttempt>] {
        let key = self.key(namespace, name);
        key.and_then(|key| self.group_attempts.get(&key)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Brings the queue's view of a group up to date, and lets its pods in if it is complete now.
    pub(super) fn regate(&mut self, key: GroupKey) {
        if !self.features.gang_scheduling {
            return;
        }
        self.queue.set_group_gate(key, self.cluster.groups.gate(key, &self.cluster.symbols));
        if let Some(group) = self.cluster.groups.get(key) {
            self.queue.move_group(&group.members, &self.profiles);
        }
    }
}
