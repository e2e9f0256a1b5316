//! Pods that preempted others and wait for them to go: the nodes on which room is being made for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cluster::{NodeId, PodInfo, Symbol};

/// Who is nominated to which node.
#[derive(Clone, Debug, Default)]
pub struct Nominator {
    by_node: BTreeMap<NodeId, Vec<Arc<PodInfo>>>,
    by_pod: BTreeMap<(Symbol, Symbol), NodeId>,
}

impl Nominator {
    /// Nominates a pod, in place of an earlier nomination.
    pub fn set(&mut self, pod: &Arc<PodInfo>, node: NodeId) {
        self.remove(pod);
        self.by_pod.insert((pod.namespace, pod.name), node);
        self.by_node.entry(node).or_default().push(Arc::clone(pod));
    }

    /// Takes a pod's nomination away; answers where it was.
    pub fn remove(&mut self, pod: &PodInfo) -> Option<NodeId> {
        let node = self.by_pod.remove(&(pod.namespace, pod.name))?;
        if let Some(pods) = self.by_node.get_mut(&node) {
            pods.retain(|other| !other.is_same(pod));
            if pods.is_empty() {
                self.by_node.remove(&node);
            }
        }
        Some(node)
    }

    /// Where a pod is nominated to.
    pub fn node_of(&self, pod: &PodInfo) -> Option<NodeId> {
        self.by_pod.get(&(pod.namespace, pod.name)).copied()
    }

    /// Pods nominated to a node that are at least as important as `pod`, without itself.
    pub fn at_least_as_important(&self, pod: &PodInfo, node: NodeId) -> Vec<&Arc<PodInfo>> {
        if self.by_node.is_empty() {
            return Vec::new();
        }
        let pods = self.by_node.get(&node).into_iter().flatten();
        pods.filter(|other| other.priority >= pod.priority && !other.is_same(pod)).collect()
    }

    /// Whether no pod is nominated anywhere.
    pub fn is_empty(&self) -> bool {
        self.by_node.is_empty()
    }

    /// Pods nominated to a node that are less important than `pod`.
    pub fn less_important(&self, pod: &PodInfo, node: NodeId) -> Vec<Arc<PodInfo>> {
        let pods = self.by_node.get(&node).into_iter().flatten();
        pods.filter(|other| other.priority < pod.priority).cloned().collect()
    }
}
