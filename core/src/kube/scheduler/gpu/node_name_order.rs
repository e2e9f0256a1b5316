//! `NodeNameOrder`: of the best nodes, the one whose name comes first.
//!
//! kube-scheduler has no such plugin; the simulator of the paper chooses so, in order that a run can be repeated.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeId};
use super::super::framework::{Context, CycleState, Plugin, Prepare, TieBreak};
use super::super::plugins::no_arguments;
use super::super::queue::EventKinds;

pub(super) const NAME: &str = "NodeNameOrder";

#[derive(Clone, Debug, Default)]
struct NodeNameOrder {
    /// The place of each node's name among all names.
    ranks: Vec<u32>,
}

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(NodeNameOrder::default()))
}

impl Plugin for NodeNameOrder {
    fn name(&self) -> &str {
        NAME
    }

    fn prepare(&mut self) -> Option<&mut dyn Prepare> {
        Some(self)
    }

    fn tie_break(&self) -> Option<&dyn TieBreak> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl Prepare for NodeNameOrder {
    fn prepare(&mut self, context: &Context<'_>, _: &mut CycleState) {
        let cluster = context.cluster;
        // A node's name never changes, and one that went keeps its number.
        if self.ranks.len() != cluster.node_slots() {
            let mut ids: Vec<NodeId> = cluster.node_ids().collect();
            ids.sort_by(|a, b| cluster.node_name(*a).cmp(cluster.node_name(*b)));
            self.ranks = vec![0; ids.len()];
            for (rank, id) in (0..).zip(&ids) {
                self.ranks[id.index()] = rank;
            }
        }
    }
}

impl TieBreak for NodeNameOrder {
    fn rank(&self, _: &Context<'_>, node: NodeId) -> u64 {
        self.ranks.get(node.index()).map_or(u64::MAX, |rank| u64::from(*rank))
    }
}
