//! `TopologyPlacementGenerator`: one placement for each value of the topology label that a group names.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, Symbol};
use super::super::framework::{GroupContext, Placement, PlacementGenerate, Plugin};
use super::super::queue::EventKinds;
use super::no_arguments;

pub(super) const NAME: &str = "TopologyPlacementGenerator";

#[derive(Clone, Debug)]
struct TopologyPlacement;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(TopologyPlacement))
}

impl Plugin for TopologyPlacement {
    fn name(&self) -> &str {
        NAME
    }

    fn placement_generate(&self) -> Option<&dyn PlacementGenerate> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl PlacementGenerate for TopologyPlacement {
    /// Placements come in the order of their names; upstream's come in that of a hash map.
    fn generate(&self, context: &GroupContext<'_>, parent: Placement) -> Result<Vec<Placement>, String> {
        let cluster = context.cluster;
        let group = cluster.groups.get(context.group);
        let Some(key) = group.and_then(|group| group.policy?.topology) else { return Ok(vec![parent]) };
        let domain = |node: NodeId| cluster.node(node).labels.get(key);
        let required = required_domain(context, key)?;
        let mut domains: BTreeMap<Arc<str>, Vec<NodeId>> = BTreeMap::new();
        for node in parent.nodes {
            if let Some(value) =
                domain(node).filter(|value| required.is_none_or(|required| required == *value))
            {
                domains.entry(Arc::clone(cluster.symbols.name(value))).or_default().push(node);
            }
        }
        Ok(domains.into_iter().map(|(name, nodes)| Placement { name, nodes }).collect())
    }
}

/// The domain of the pods of the group that have a node already.
fn required_domain(context: &GroupContext<'_>, key: Symbol) -> Result<Option<Symbol>, String> {
    let cluster = context.cluster;
    let name = |symbol: Symbol| cluster.symbols.name(symbol);
    let mut found = None;
    if cluster.groups.get(context.group).is_none_or(|group| group.scheduled == 0) {
        return Ok(None);
    }
    for node in cluster.all_nodes().map(|id| cluster.node(id)) {
        for pod in node.pods.iter().filter(|pod| pod.group_key() == Some(context.group)) {
            let problem = match (node.labels.get(key), found) {
                (None, _) => {
                    format!("no topology domain found for pod {}/{}", name(pod.namespace), name(pod.name))
                }
                (Some(domain), Some(other)) if domain != other => {
                    format!("more than 1 domain found for pod group: {}, {}", name(other), name(domain))
                }
                (Some(domain), _) => {
                    found = Some(domain);
                    continue;
                }
            };
            return Err(format!("cannot determine domain for already scheduled pods: {problem}"));
        }
    }
    Ok(found)
}
