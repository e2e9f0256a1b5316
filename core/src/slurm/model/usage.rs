//! What is given away on the nodes.

use std::ops::Index;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Bits, GresUsage, Node, NodeIdx, NodeShare};

/// What is given away on a node: the part that changes with every start and end, apart from [`Node`] so that
/// a scheduler can try out starts and ends on a copy.
#[derive(Clone, Debug, Default)]
pub struct NodeUsage {
    /// Cores given away; more than one row only where jobs share cores (OverSubscribe).
    pub rows: SmallVec<[Bits; 1]>,
    /// MiB given away.
    pub memory: u64,
    /// Generic resources given away, parallel to [`Node::gres`].
    pub gres: SmallVec<[GresUsage; 1]>,
    /// Jobs that have an allocation here, running or suspended.
    pub running: u32,
    /// Jobs here that have the whole node for themselves.
    pub exclusive: u32,
    /// Jobs here that want the node for their user alone, or are in a partition with ExclusiveUser.
    pub user_exclusive: u32,
    /// User ids of the jobs here, with their number.
    pub users: SmallVec<[(u32, u32); 2]>,
}

impl NodeUsage {
    /// Cores that at least one job has.
    pub fn used_cores(&self) -> Bits {
        let mut all = Bits::new();
        for row in &self.rows {
            all.union(row);
        }
        all
    }

    /// CPUs given away on `node`.
    pub fn cpus(&self, node: &Node) -> u32 {
        if self.exclusive > 0 {
            return node.cpus;
        }
        (self.used_cores().count() as u32 * node.cpus_per_core()).min(node.cpus)
    }

    /// Whether some jobs here do not share the node with everybody.
    fn is_particular(&self) -> bool {
        self.exclusive > 0 || self.user_exclusive > 0
    }

    /// Gives a job of user `uid` its share.
    fn take(&mut self, node: &Node, share: &NodeShare, uid: u32) {
        let row = usize::from(share.row);
        if self.rows.len() <= row {
            self.rows.resize(row + 1, Bits::new());
        }
        debug_assert!(!self.rows[row].overlaps(&share.cores), "a core of {} given twice", node.name);
        self.rows[row].union(&share.cores);
        self.memory += share.memory;
        if self.gres.len() < node.gres.len() {
            self.gres.resize(node.gres.len(), GresUsage::default());
        }
        for grant in &share.gres {
            let Some(at) = node.gres.iter().position(|gres| gres.kind == grant.kind) else { continue };
            self.gres[at].add(&node.gres[at], grant);
        }
        self.running += 1;
        self.exclusive += u32::from(share.whole);
        self.user_exclusive += u32::from(share.user_exclusive);
        match self.users.iter_mut().find(|(user, _)| *user == uid) {
            Some((_, jobs)) => *jobs += 1,
            None => self.users.push((uid, 1)),
        }
    }

    /// Takes a job's share back.
    fn release(&mut self, node: &Node, share: &NodeShare, uid: u32) {
        if let Some(row) = self.rows.get_mut(usize::from(share.row)) {
            row.subtract(&share.cores);
        }
        self.memory = self.memory.saturating_sub(share.memory);
        for grant in &share.gres {
            let Some(at) = node.gres.iter().position(|gres| gres.kind == grant.kind) else { continue };
            if let Some(usage) = self.gres.get_mut(at) {
                usage.remove(&node.gres[at], grant);
            }
        }
        self.running = self.running.saturating_sub(1);
        self.exclusive = self.exclusive.saturating_sub(u32::from(share.whole));
        self.user_exclusive = self.user_exclusive.saturating_sub(u32::from(share.user_exclusive));
        if let Some(at) = self.users.iter().position(|(user, _)| *user == uid) {
            self.users[at].1 -= 1;
            if self.users[at].1 == 0 {
                self.users.remove(at);
            }
        }
    }
}

/// The few figures of a node that every choice of nodes reads, beside each other in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeFigures {
    /// Cores that are not given away in the first row: those that nobody has, where jobs do not share cores.
    pub free_cores: u32,
    /// Cores.
    pub cores: u32,
    /// Logical CPUs.
    pub cpus: u32,
    /// CPUs that a core counts for.
    pub cpus_per_core: u32,
    /// Sockets.
    pub sockets: u32,
    /// Cores per socket.
    pub cores_per_socket: u32,
    /// Scheduling weight.
    pub weight: u32,
}

impl NodeFigures {
    fn new(node: &Node, usage: &NodeUsage) -> Self {
        let cores = node.cores() as u32;
        let used = usage.rows.first().map_or(0, Bits::count) as u32;
        Self {
            free_cores: cores.saturating_sub(used),
            cores,
            cpus: node.cpus,
            cpus_per_core: node.cpus_per_core(),
            sockets: node.sockets,
            cores_per_socket: node.cores_per_socket,
            weight: node.weight,
        }
    }
}

/// Nodes that are copied together.
const CHUNK: usize = 32;

/// What is given away on all nodes, and the figures of them that a scheduler scans.
///
/// A scheduler that asks what would be if jobs ended works on a copy, which shares with the original what neither
/// changes. Where cores alone matter it lets jobs end in the figures only ([`UsageTable::sketch_release`]), which costs
/// a tenth.
#[derive(Clone, Debug, Default)]
pub struct UsageTable {
    chunks: Vec<Arc<Vec<NodeUsage>>>,
    figures: Vec<NodeFigures>,
    /// Nodes that have cores that nobody has.
    free: Bits,
    /// Nodes on which some jobs do not share with everybody.
    particular: usize,
}

impl Index<NodeIdx> for UsageTable {
    type Output = NodeUsage;

    fn index(&self, at: NodeIdx) -> &NodeUsage {
        &self.chunks[at / CHUNK][at % CHUNK]
    }
}

impl UsageTable {
    /// Nothing is given away.
    pub fn unused(nodes: &[Node]) -> Self {
        let unused = |node: &Node| NodeUsage {
            gres: node.gres.iter().map(|_| GresUsage::default()).collect(),
            ..NodeUsage::default()
        };
        let chunk = |nodes: &[Node]| Arc::new(nodes.iter().map(unused).collect());
        let mut table = Self { chunks: nodes.chunks(CHUNK).map(chunk).collect(), ..Self::default() };
        table.nodes_changed(nodes);
        table
    }

    /// Takes over what nodes have become; to be called when sizes or weights change.
    pub fn nodes_changed(&mut self, nodes: &[Node]) {
        self.figures =
            nodes.iter().zip(self.iter()).map(|(node, usage)| NodeFigures::new(node, usage)).collect();
        self.free = (0..self.figures.len()).filter(|at| self.figures[*at].free_cores > 0).collect();
    }

    /// What is given away on a node; `None` where there is no such node.
    pub fn get(&self, at: NodeIdx) -> Option<&NodeUsage> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// What is given away on each node.
    pub fn iter(&self) -> impl Iterator<Item = &NodeUsage> {
        self.chunks.iter().flat_map(|chunk| chunk.iter())
    }

    /// The figures of the nodes.
    pub fn figures(&self) -> &[NodeFigures] {
        &self.figures
    }

    /// The nodes that have cores that are not given away in the first row.
    pub fn free(&self) -> &Bits {
        &self.free
    }

    fn set_figures(&mut self, at: NodeIdx, figures: NodeFigures) {
        self.figures[at] = figures;
        if figures.free_cores > 0 { self.free.set(at) } else { self.free.clear(at) }
    }

    /// Whether jobs share every node with everybody, so that free cores say who may go there.
    pub fn shared_by_all(&self) -> bool {
        self.particular == 0
    }

    fn change(&mut self, at: NodeIdx, node: &Node, change: impl FnOnce(&mut NodeUsage)) {
        let usage = &mut Arc::make_mut(&mut self.chunks[at / CHUNK])[at % CHUNK];
        let before = usage.is_particular();
        change(usage);
        match (before, usage.is_particular()) {
            (false, true) => self.particular += 1,
            (true, false) => self.particular -= 1,
            _ => {}
        }
        let figures = NodeFigures::new(node, usage);
        self.set_figures(at, figures);
    }

    /// Gives a job of user `uid` its share.
    pub fn take(&mut self, node: &Node, share: &NodeShare, uid: u32) {
        self.change(share.node, node, |usage| usage.take(node, share, uid));
    }

    /// Takes a job's share back.
    pub fn release(&mut self, node: &Node, share: &NodeShare, uid: u32) {
        self.change(share.node, node, |usage| usage.release(node, share, uid));
    }

    /// Takes the cores of a job's share back; memory and devices stay given away, as with a suspended job.
    pub fn release_cores(&mut self, node: &Node, share: &NodeShare, uid: u32) {
        self.change(share.node, node, |usage| {
            let kept = (usage.memory, usage.gres.clone());
            usage.release(node, share, uid);
            (usage.memory, usage.gres) = kept;
        });
    }

    /// Takes the cores of a share back in the figures alone.
    pub fn sketch_release(&mut self, share: &NodeShare) {
        if share.row == 0 {
            let figures = &mut self.figures[share.node];
            figures.free_cores = (figures.free_cores + share.cores.count() as u32).min(figures.cores);
            self.free.set(share.node);
        }
    }

    /// All is as it is in `other` again, of which this is a copy: `changed` are the nodes on which they differ,
    /// `sketched` those of which the figures alone do.
    pub fn restore(
        &mut self,
        other: &Self,
        changed: impl IntoIterator<Item = NodeIdx>,
        sketched: impl IntoIterator<Item = NodeIdx>,
    ) {
        for at in changed {
            // One that is its own stays so: the next change copies nothing.
            match Arc::get_mut(&mut self.chunks[at / CHUNK]) {
                Some(own) => own[at % CHUNK].clone_from(&other.chunks[at / CHUNK][at % CHUNK]),
                None => self.chunks[at / CHUNK] = Arc::clone(&other.chunks[at / CHUNK]),
            }
            self.set_figures(at, other.figures[at]);
        }
        for at in sketched {
            self.set_figures(at, other.figures[at]);
        }
        self.particular = other.particular;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::slurm::controller::{ClusterSpec, Users};

    fn share(node: usize, core: usize, whole: bool) -> NodeShare {
        NodeShare {
            node,
            cores: [core].into_iter().collect(),
            row: 0,
            cpus: 1,
            memory: 1,
            gres: SmallVec::new(),
            whole,
            user_exclusive: false,
        }
    }

    proptest! {
        #[test]
        fn figures_say_what_is_given_away_and_a_copy_that_is_restored_is_the_original(
            kept in prop::collection::btree_set((0..40_usize, 0..4_usize), 0..40),
            whole in any::<bool>(),
        ) {
            let lines = ["ClusterName=c", "NodeName=n[1-40] CPUs=4", "PartitionName=all Nodes=ALL"];
            let nodes = ClusterSpec::from_lines(&lines, &[], &[], Users::named(&["user"])).unwrap().nodes;
            let mut table = UsageTable::unused(&nodes);
            for (node, core) in &kept {
                table.take(&nodes[*node], &share(*node, *core, whole), 1);
            }
            let fresh = |table: &UsageTable| -> Vec<NodeFigures> {
                nodes.iter().zip(table.iter()).map(|(node, usage)| NodeFigures::new(node, usage)).collect()
            };
            prop_assert_eq!(table.figures(), fresh(&table));
            let free = |table: &UsageTable| -> Bits {
                table.iter().enumerate().filter(|(_, usage)| usage.used_cores().count() < 4).map(|(at, _)| at).collect()
            };
            prop_assert_eq!(table.free(), &free(&table));
            prop_assert_eq!(table.shared_by_all(), !whole || kept.is_empty());
            let mut copy = table.clone();
            let (changed, sketched): (Vec<_>, Vec<_>) = kept.iter().partition(|(node, _)| node % 2 == 0);
            for (node, core) in &changed {
                copy.release(&nodes[*node], &share(*node, *core, whole), 1);
            }
            for (node, core) in &sketched {
                copy.sketch_release(&share(*node, *core, whole));
            }
            prop_assert!(copy.figures().iter().all(|figures| figures.free_cores == figures.cores));
            copy.restore(&table, changed.iter().map(|(node, _)| *node), sketched.iter().map(|(node, _)| *node));
            prop_assert_eq!(copy.figures(), fresh(&copy));
            prop_assert_eq!(copy.figures(), table.figures());
            prop_assert_eq!(copy.free(), table.free());
            prop_assert_eq!(copy.shared_by_all(), table.shared_by_all());
        }
    }
}
