//! `select/cons_tres`: which nodes, cores and generic resources a job gets.
//!
//! Three steps, each in its own file: [`fit`] says what every node could give, [`eval`] (or [`tree`], [`spread`])
//! chooses nodes among those, [`assign`] takes cores and devices on them. Nothing here changes state: the caller
//! gives the usage, real or imagined, and takes the shares.

mod assign;
mod eval;
mod fit;
mod gres;
#[cfg(test)]
mod properties;
mod spread;
mod tree;

use crate::slurm::model::{Bits, GresAsk, GresNames, Memory, Node, NodeIdx, NodeShare, UsageTable};

pub use fit::{Room, most_cpus};
pub use tree::{Switch, Topology};

/// How nodes are filled, from `SelectTypeParameters` and the partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectFlags {
    /// Memory is a resource (`CR_*_Memory`).
    pub memory: bool,
    /// Nodes are given as a whole (`select/linear`).
    pub whole_nodes: bool,
    /// Whole sockets are given (`CR_Socket`).
    pub sockets: bool,
    /// Single threads are given (`CR_CPU`).
    pub cpus: bool,
    /// Least loaded nodes first (`CR_LLN`, or `LLN=yes` of the partition).
    pub lln: bool,
    /// As many tasks on a node as it holds (`CR_Pack_Nodes`).
    pub pack_nodes: bool,
    /// One task per core (`CR_ONE_TASK_PER_CORE`).
    pub one_task_per_core: bool,
    /// Cores of one socket after the other (`CR_CORE_DEFAULT_DIST_BLOCK`).
    pub dist_block: bool,
    /// Serial jobs at the end of the node list (`pack_serial_at_end`).
    pub pack_serial_at_end: bool,
}

/// What the selection needs to know of a job.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// Least nodes.
    pub min_nodes: u32,
    /// Nodes wanted, at least `min_nodes` (`-N1-3` wants 3).
    pub want_nodes: u32,
    /// Most nodes.
    pub max_nodes: u32,
    /// Least CPUs in all.
    pub min_cpus: u32,
    /// Tasks in all.
    pub ntasks: u32,
    /// CPUs per task.
    pub cpus_per_task: u32,
    /// Tasks per node, when given.
    pub ntasks_per_node: Option<u32>,
    /// Tasks per socket, when given.
    pub ntasks_per_socket: Option<u32>,
    /// Tasks per core, when given.
    pub ntasks_per_core: Option<u32>,
    /// Threads of a core that may be used, when given.
    pub threads_per_core: Option<u32>,
    /// Least sockets of a node.
    pub sockets_per_node: u32,
    /// Least cores per socket of a node.
    pub cores_per_socket: u32,
    /// Least CPUs on each node.
    pub pn_min_cpus: u32,
    /// Most CPUs on each node (`MaxCPUsPerNode` of the partition).
    pub max_cpus_per_node: Option<u32>,
    /// Memory; `None` takes all of a node.
    pub memory: Option<Memory>,
    /// Whole nodes.
    pub whole: bool,
    /// Nodes for this user alone.
    pub user_exclusive: bool,
    /// In how many rows cores may be given (OverSubscribe).
    pub rows: u8,
    /// Generic resources.
    pub gres: &'a [GresAsk],
    /// Nodes that must be among those chosen.
    pub required: &'a Bits,
    /// Nodes next to each other.
    pub contiguous: bool,
    /// As many nodes as possible.
    pub spread: bool,
    /// Most leaf switches; 0 when it does not matter.
    pub switches: u32,
    /// User id.
    pub uid: u32,
    /// How nodes are filled.
    pub flags: SelectFlags,
}

/// What the selection looks at.
#[derive(Clone, Copy, Debug)]
pub struct Machines<'a> {
    /// The nodes.
    pub nodes: &'a [Node],
    /// What is given away on each.
    pub usage: &'a UsageTable,
    /// Switches, with `topology/tree`.
    pub topology: Option<&'a Topology>,
    /// Names of generic resources.
    pub names: &'a GresNames,
}

/// An allocation that the selection found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Per node what the job gets, in the order of the nodes.
    pub shares: Vec<NodeShare>,
    /// Leaf switches that the nodes are on; 0 without a topology.
    pub leaves: u32,
}

/// Nodes that a job could have, without the cores on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// The nodes.
    pub nodes: Bits,
    /// CPUs that the job would be given in all.
    pub cpus: u32,
}

/// Chooses nodes among `avail` and what the job gets on them; `None` when they do not suffice.
///
/// Rules: `select/cons_tres` of 22.05 (see the modules); checked against recorded allocations.
pub fn select(machines: &Machines<'_>, ask: &Ask<'_>, avail: &Bits) -> Option<Selection> {
    choose_in_rows(machines, ask, avail, &|picks, row| {
        let shares = assign::assign(machines, ask, picks, row)?;
        let leaves = machines.topology.map_or(0, |tree| tree.leaves(shares.iter().map(|share| share.node)));
        Some(Selection { shares, leaves })
    })
}

/// Whether [`outline`] says of a job what [`select`] would, from the figures of the nodes alone.
pub fn can_outline(machines: &Machines<'_>, ask: &Ask<'_>) -> bool {
    ask.rows <= 1
        && fit::by_cores_alone(machines, ask, 0)
        && machines.topology.is_none()
        && !(ask.spread || ask.flags.lln)
}

/// The nodes that [`select`] would choose, for jobs of which [`can_outline`] is true.
pub fn outline(machines: &Machines<'_>, ask: &Ask<'_>, avail: &Bits) -> Option<Outline> {
    choose_in_rows(machines, ask, avail, &|picks, _| Some(assign::outline(machines, ask, picks)))
}

/// What becomes of chosen nodes, in a row; `None` when devices do not work out.
type Deal<'a, T> = dyn Fn(&[Pick], u8) -> Option<T> + 'a;

fn choose_in_rows<T>(machines: &Machines<'_>, ask: &Ask<'_>, avail: &Bits, deal: &Deal<'_, T>) -> Option<T> {
    if ask.min_nodes > ask.max_nodes || !ask.required.is_subset(avail) {
        return None;
    }
    // First in cores that nobody has; then, where cores may be shared, in the next row.
    (0..ask.rows.max(1)).find_map(|row| in_row(machines, ask, avail, row, deal))
}

fn in_row<T>(machines: &Machines<'_>, ask: &Ask<'_>, avail: &Bits, row: u8, deal: &Deal<'_, T>) -> Option<T> {
    let figures = machines.usage.figures();
    let cores_alone = fit::by_cores_alone(machines, ask, row);
    // Nodes are offered by rising weight: heavier ones only when the lighter ones do not suffice.
    let mut weights: Vec<u32> = Vec::new();
    let mut rooms: Vec<Room> = Vec::new();
    let mut offer = |node: NodeIdx| {
        let Some(room) = fit::room(machines, ask, node, row, cores_alone) else { return };
        let weight = figures[node].weight;
        if weights.last() != Some(&weight) {
            weights.push(weight);
        }
        rooms.push(room);
    };
    if cores_alone {
        avail.iter_common(machines.usage.free()).for_each(&mut offer);
    } else {
        avail.iter().take_while(|node| *node < figures.len()).for_each(&mut offer);
    }
    let has_room = |node: NodeIdx| rooms.binary_search_by_key(&node, |room| room.node).is_ok();
    if !ask.required.iter().all(has_room) {
        return None;
    }
    weights.sort_unstable();
    weights.dedup();
    if weights.len() <= 1 || !ask.required.is_empty() {
        return choose(machines, ask, rooms, row, deal);
    }
    weights.iter().find_map(|weight| {
        let offered: Vec<Room> =
            rooms.iter().filter(|room| figures[room.node].weight <= *weight).cloned().collect();
        if (offered.len() as u32) < ask.min_nodes { None } else { choose(machines, ask, offered, row, deal) }
    })
}

/// Chooses among `rooms`. When that fails, nodes with little room are left out step by step: a set of few large
/// nodes may do where the whole set, filled in order, reaches the limit of nodes.
fn choose<T>(
    machines: &Machines<'_>,
    ask: &Ask<'_>,
    mut rooms: Vec<Room>,
    row: u8,
    deal: &Deal<'_, T>,
) -> Option<T> {
    loop {
        // With fewer nodes or CPUs than it must have nothing can be chosen, in whatever order.
        let cpus: u64 = rooms.iter().map(|room| u64::from(room.cpus)).sum();
        if (rooms.len() as u32) < ask.min_nodes || cpus < u64::from(ask.min_cpus) {
            return None;
        }
        if let Some(picks) = pick(machines, ask, &rooms)
            && let Some(dealt) = deal(&picks, row)
        {
            return Some(dealt);
        }
        let least = rooms.iter().filter(|room| !ask.required.has(room.node)).map(|room| room.cpus).min()?;
        rooms.retain(|room| room.cpus > least || ask.required.has(room.node));
    }
}

/// A chosen node and how many CPUs the job takes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pick {
    node: NodeIdx,
    cpus: u32,
    /// Units that the node could give of each GRES asked for per job, in the order of the request.
    gres: [u64; 4],
}

fn pick(machines: &Machines<'_>, ask: &Ask<'_>, rooms: &[Room]) -> Option<Vec<Pick>> {
    if ask.spread {
        spread::spread(ask, rooms)
    } else if let (Some(tree), false) = (machines.topology, ask.contiguous) {
        tree::pick(tree, machines, ask, rooms)
    } else if ask.flags.lln {
        spread::least_loaded(machines, ask, rooms)
    } else if ask.flags.pack_serial_at_end && ask.min_cpus == 1 && ask.want_nodes <= 1 {
        spread::serial(ask, rooms)
    } else {
        eval::consecutive(machines, ask, rooms)
    }
}
