//! `NodeUnschedulable`: cordoned nodes take no pods but those that tolerate it.

use serde_json::Value;

use super::super::cluster::{Cluster, Effect, NodeInfo, Symbol, Taint};
use super::super::framework::{Context, CycleState, Filter, Plugin, Status};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::no_arguments;

pub(super) const NAME: &str = "NodeUnschedulable";

#[derive(Clone, Debug)]
struct NodeUnschedulable {
    /// What being cordoned is as a taint.
    taint: Taint,
}

pub(super) fn new(args: &Value, cluster: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    let mut intern = |text: &str| -> Symbol { cluster.symbols.intern(text) };
    let (key, value) = (intern("node.kubernetes.io/unschedulable"), intern(""));
    Ok(Box::new(NodeUnschedulable { taint: Taint { key, value, effect: Effect::NoSchedule } }))
}

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NODE_ADD | EventKinds::NODE_UPDATE_TAINT | EventKinds::POD_UPDATE_TOLERATION
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let worth = match change.node() {
            Some((old, new)) => old.is_none_or(|old| old.unschedulable) && !new.unschedulable,
            None => context.pod.tolerations.iter().any(|toleration| toleration.tolerates(&self.taint)),
        };
        if worth { Hint::Queue } else { Hint::Skip }
    }
}

impl Filter for NodeUnschedulable {
    fn is_local(&self) -> bool {
        true
    }

    fn filter(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        if !node.unschedulable || context.pod.tolerations.iter().any(|t| t.tolerates(&self.taint)) {
            Status::success()
        } else {
            Status::unresolvable("node(s) were unschedulable")
        }
    }
}
