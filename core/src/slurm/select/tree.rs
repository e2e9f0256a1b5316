//! `topology/tree`: nodes under as few leaf switches as possible.
//!
//! The lowest switch that holds enough is taken, of several the one with the fewest nodes that could be used; below
//! it leaves are filled best fit first.

use super::eval::{Need, consecutive, sorted};
use super::{Ask, Machines, Pick, Room, gres};
use crate::slurm::model::{Bits, NodeIdx};

/// A switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// Its name.
    pub name: String,
    /// 0 for a leaf.
    pub level: u32,
    /// Nodes below it.
    pub nodes: Bits,
    /// Switches directly below it, by index.
    pub children: Vec<usize>,
    /// `LinkSpeed`, for display.
    pub link_speed: u32,
}

/// The switches of a cluster, leaves first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// The switches, in the order of `topology.conf`.
    pub switches: Vec<Switch>,
}

impl Topology {
    /// Over how many leaves `nodes` are spread.
    pub fn leaves(&self, nodes: impl Iterator<Item = NodeIdx>) -> u32 {
        let nodes: Bits = nodes.collect();
        self.switches.iter().filter(|switch| switch.level == 0 && switch.nodes.overlaps(&nodes)).count()
            as u32
    }
}

fn within<'a>(rooms: &'a [Room], nodes: &Bits) -> Vec<&'a Room> {
    rooms.iter().filter(|room| nodes.has(room.node)).collect()
}

fn sums(rooms: &[&Room]) -> (usize, i64, [u64; gres::PER_JOB]) {
    let mut units = [0; gres::PER_JOB];
    rooms.iter().for_each(|room| units.iter_mut().zip(&room.gres).for_each(|(sum, have)| *sum += have));
    (rooms.len(), rooms.iter().map(|room| i64::from(room.cpus)).sum(), units)
}

pub(super) fn pick(
    tree: &Topology,
    machines: &Machines<'_>,
    ask: &Ask<'_>,
    rooms: &[Room],
) -> Option<Vec<Pick>> {
    let mut need = Need::new(ask);
    let mut picks: Vec<Pick> = Vec::new();
    let required = within(rooms, ask.required);
    for room in &required {
        picks.push(need.take(ask, room));
    }
    if need.is_met() {
        return Some(sorted(picks));
    }
    // The lowest switch with enough below it.
    let mut best: Option<(u32, usize, usize)> = None;
    for (at, switch) in tree.switches.iter().enumerate() {
        if !ask.required.is_subset(&switch.nodes) {
            continue;
        }
        let below = within(rooms, &switch.nodes);
        let (nodes, cpus, units) = sums(&below);
        if !Need::new(ask).met_by(nodes, cpus, &units) {
            continue;
        }
        if best.is_none_or(|(level, count, _)| (switch.level, nodes) < (level, count)) {
            best = Some((switch.level, nodes, at));
        }
    }
    let Some((level, _, top)) = best else {
        // Not under one switch: as if there were none, unless a number of leaves was asked for.
        return if ask.switches > 0 { None } else { consecutive(machines, ask, rooms) };
    };
    let top = &tree.switches[top];
    if level == 0 {
        let below: Vec<Room> = within(rooms, &top.nodes).into_iter().cloned().collect();
        return consecutive(machines, ask, &below);
    }
    let mut leaves: Vec<&Bits> = tree
        .switches
        .iter()
        .filter(|switch| switch.level == 0 && switch.nodes.overlaps(&top.nodes))
        .map(|switch| &switch.nodes)
        .collect();
    let mut used_leaves = 0;
    let taken = |picks: &[Pick], node: NodeIdx| picks.iter().any(|pick| pick.node == node);
    while !need.is_met() && need.room_for_nodes > 0 && !leaves.is_empty() {
        // Of the leaves one that suffices with the fewest nodes, else the one with the most.
        let mut best: Option<(usize, usize, bool)> = None;
        for (at, leaf) in leaves.iter().enumerate() {
            let below: Vec<&Room> =
                within(rooms, leaf).into_iter().filter(|room| !taken(&picks, room.node)).collect();
            let (nodes, cpus, units) = sums(&below);
            if nodes == 0 {
                continue;
            }
            let suffices = need.met_by(nodes, cpus, &units);
            let better = best.is_none_or(|(_, now, now_suffices)| match (suffices, now_suffices) {
                (true, false) => true,
                (true, true) => nodes < now,
                (false, false) => nodes > now,
                (false, true) => false,
            });
            if better {
                best = Some((at, nodes, suffices));
            }
        }
        let Some((at, ..)) = best else { break };
        let leaf = leaves.remove(at);
        used_leaves += 1;
        for room in within(rooms, leaf) {
            if need.is_met() || need.room_for_nodes <= 0 {
                break;
            }
            if !taken(&picks, room.node) {
                picks.push(need.take(ask, room));
            }
        }
    }
    if ask.switches > 0 && used_leaves > ask.switches {
        return None;
    }
    need.must_is_met().then(|| sorted(picks))
}
