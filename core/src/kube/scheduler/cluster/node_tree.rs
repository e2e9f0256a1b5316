//! The order in which nodes are looked at: one of each zone in turn.
//!
//! Pods of one owner would otherwise fill the first zone before the second is
//! even tried, as the search stops when it has found enough nodes
//! (`pkg/scheduler/backend/cache/node_tree.go`).

use super::node_info::NodeId;
use super::symbols::{Labels, Symbol, Symbols};

/// Region and zone of a node, from its labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    region: Option<Symbol>,
    zone: Option<Symbol>,
}

impl Zone {
    /// Reads the labels `topology.kubernetes.io/region` and `/zone`, or their old beta names.
    pub fn new(labels: &Labels, symbols: &Symbols) -> Self {
        let value = |names: [&str; 2]| {
            let values = names.iter().filter_map(|name| labels.get(symbols.get(name)?));
            values.into_iter().find(|value| !symbols.name(*value).is_empty())
        };
        Self {
            region: value(["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"]),
            zone: value(["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"]),
        }
    }
}

/// Nodes by zone, zones in the order in which their first node came.
#[derive(Clone, Debug, Default)]
pub struct NodeTree {
    zones: Vec<(Zone, Vec<NodeId>)>,
}

impl NodeTree {
    /// Adds a node to its zone.
    pub fn add(&mut self, zone: Zone, node: NodeId) {
        match self.zones.iter_mut().find(|(known, _)| *known == zone) {
            Some((_, nodes)) => nodes.push(node),
            None => self.zones.push((zone, vec![node])),
        }
    }

    /// Removes a node; a zone without nodes goes, too.
    pub fn remove(&mut self, zone: Zone, node: NodeId) {
        if let Some(index) = self.zones.iter().position(|(known, _)| *known == zone) {
            let nodes = &mut self.zones[index].1;
            nodes.retain(|other| *other != node);
            if nodes.is_empty() {
                self.zones.remove(index);
            }
        }
    }

    /// All nodes: the first of every zone, then the second of every zone, and so on.
    pub fn list(&self) -> Vec<NodeId> {
        let longest = self.zones.iter().map(|(_, nodes)| nodes.len()).max().unwrap_or(0);
        let mut list = Vec::with_capacity(self.zones.iter().map(|(_, nodes)| nodes.len()).sum());
        let mut zones: Vec<&[NodeId]> = self.zones.iter().map(|(_, nodes)| nodes.as_slice()).collect();
        for round in 0..longest {
            list.extend(zones.iter().map(|nodes| nodes[round]));
            zones.retain(|nodes| nodes.len() > round + 1);
        }
        list
    }
}
