//! `NodePorts`: a port of the host serves one pod.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeInfo};
use super::super::framework::{Context, CycleState, Filter, Plugin, PreFilter, PreFilterResult, Status};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::no_arguments;

pub(super) const NAME: &str = "NodePorts";

#[derive(Clone, Debug)]
struct NodePorts;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(NodePorts))
}

impl Plugin for NodePorts {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::ASSIGNED_POD_DELETE | EventKinds::NODE_ADD
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        match change {
            ClusterChange::AssignedPodDeleted(gone)
                if !gone.host_ports.iter().any(|freed| {
                    context.pod.host_ports.iter().any(|wanted| wanted.conflicts_with(freed))
                }) =>
            {
                Hint::Skip
            }
            _ => Hint::Queue,
        }
    }
}

impl PreFilter for NodePorts {
    fn pre_filter(&self, context: &Context<'_>, _: &mut CycleState) -> PreFilterResult {
        if context.pod.host_ports.is_empty() { Status::skip() } else { Status::success() }.into()
    }
}

impl Filter for NodePorts {
    fn is_local(&self) -> bool {
        true
    }

    fn filter(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        let taken = |wanted: &_| node.used_ports.iter().any(|used| used.conflicts_with(wanted));
        if context.pod.host_ports.iter().any(taken) {
            Status::unschedulable("node(s) didn't have free ports for the requested pod ports")
        } else {
            Status::success()
        }
    }
}
