//! Switches.

use std::collections::BTreeMap;

use smallvec::SmallVec;

use crate::slurm::config::Config;
use crate::slurm::hostlist;
use crate::slurm::model::Node;
use crate::slurm::select::{Switch, Topology};

/// The tree of `topology.conf`.
pub(super) fn topology(config: &Config, nodes: &[Node]) -> Topology {
    let index: BTreeMap<&str, usize> =
        nodes.iter().enumerate().map(|(at, node)| (node.name.as_str(), at)).collect();
    let mut switches: Vec<Switch> = Vec::new();
    let mut children: Vec<Vec<String>> = Vec::new();
    for record in &config.switches {
        let members = hostlist::expand(record.fields.text("Nodes")).unwrap_or_default();
        switches.push(Switch {
            name: record.name.clone(),
            level: 0,
            nodes: members.iter().filter_map(|name| index.get(name.as_str()).copied()).collect(),
            children: Vec::new(),
            link_speed: record.fields.number("LinkSpeed").unwrap_or(1),
        });
        children.push(hostlist::expand(record.fields.text("Switches")).unwrap_or_default());
    }
    for at in 0..switches.len() {
        switches[at].children = children[at]
            .iter()
            .filter_map(|name| switches.iter().position(|switch| switch.name == *name))
            .collect();
    }
    // Levels and nodes come up from the leaves; a cycle stops after as many rounds as there are switches.
    for _ in 0..switches.len() {
        for at in 0..switches.len() {
            let below: SmallVec<[usize; 8]> = switches[at].children.iter().copied().collect();
            for child in below {
                let (level, nodes) = (switches[child].level + 1, switches[child].nodes.clone());
                switches[at].level = switches[at].level.max(level);
                switches[at].nodes.union(&nodes);
            }
        }
    }
    Topology { switches }
}
