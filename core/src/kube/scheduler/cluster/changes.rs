//! Which nodes have changed, for those who keep something about nodes from one cycle to the next.

use super::node_info::NodeId;

/// A moment in the life of a [`Cluster`](super::Cluster): how many changes of nodes it had seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

/// The latest changes of nodes, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    log: Vec<NodeId>,
    /// How many changes were forgotten.
    forgotten: u64,
    /// How often each node has changed.
    versions: Vec<u32>,
}

impl Changes {
    /// Notes that a node changed. Of `nodes` nodes, a few changes each are remembered.
    pub fn note(&mut self, node: NodeId, nodes: usize) {
        if self.log.len() >= 1024 + 4 * nodes {
            let half = self.log.len() / 2;
            self.log.drain(..half);
            self.forgotten += half as u64;
        }
        self.log.push(node);
        let nodes = nodes.max(node.index() + 1);
        if self.versions.len() < nodes {
            self.versions.resize(nodes, 0);
        }
        self.versions[node.index()] = self.versions[node.index()].wrapping_add(1);
    }

    /// How often each node has changed, by its index.
    pub fn versions(&self) -> &[u32] {
        &self.versions
    }

    pub fn now(&self) -> Moment {
        Moment(self.forgotten + self.log.len() as u64)
    }

    /// The nodes that have changed since; none if that is too long ago to know.
    pub fn since(&self, moment: Moment) -> Option<&[NodeId]> {
        let known = moment.0.checked_sub(self.forgotten)?;
        Some(self.log.get(known as usize..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::super::NodeId;
    use super::*;

    #[test]
    fn whoever_looks_often_enough_sees_every_change_and_others_are_told_to_look_at_all() {
        let mut changes = Changes::default();
        let start = changes.now();
        changes.note(NodeId(3), 1);
        let middle = changes.now();
        changes.note(NodeId(5), 1);
        assert_eq!(changes.since(start), Some(&[NodeId(3), NodeId(5)][..]));
        assert_eq!(changes.since(middle), Some(&[NodeId(5)][..]));
        assert_eq!(changes.since(changes.now()), Some(&[][..]));
        for _ in 0..2_000 {
            changes.note(NodeId(7), 1);
        }
        assert_eq!(changes.since(start), None);
        assert_eq!(changes.since(changes.now()), Some(&[][..]));
    }
}
