//! `NodeName`: a pod that names its node goes there and nowhere else.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeInfo};
use super::super::framework::{Context, CycleState, Filter, Plugin, Status};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::no_arguments;

pub(super) const NAME: &str = "NodeName";

#[derive(Clone, Debug)]
struct NodeName;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(NodeName))
}

impl Plugin for NodeName {
    fn name(&self) -> &str {
        NAME
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NODE_ADD
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let wanted = context.pod.rest.node_name;
        let came = change.node().map(|(_, node)| node.name);
        if wanted.is_none() || wanted == came { Hint::Queue } else { Hint::Skip }
    }
}

impl Filter for NodeName {
    fn is_local(&self) -> bool {
        true
    }

    fn filter(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        match context.pod.rest.node_name {
            Some(wanted) if wanted != node.name => {
                Status::unresolvable("node(s) didn't match the requested node name")
            }
            _ => Status::success(),
        }
    }
}
