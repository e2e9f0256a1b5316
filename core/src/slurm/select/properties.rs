//! What is found by the figures of the nodes alone is what the whole selection finds.

use proptest::prelude::*;

use super::{Ask, Machines, SelectFlags, can_outline, fit, outline, select};
use crate::slurm::controller::{ClusterSpec, Users};
use crate::slurm::model::{Bits, NodeShare, UsageTable};

fn ask(required: &Bits) -> Ask<'_> {
    Ask {
        min_nodes: 1,
        want_nodes: 1,
        max_nodes: u32::MAX,
        min_cpus: 1,
        ntasks: 1,
        cpus_per_task: 1,
        ntasks_per_node: None,
        ntasks_per_socket: None,
        ntasks_per_core: None,
        threads_per_core: None,
        sockets_per_node: 0,
        cores_per_socket: 0,
        pn_min_cpus: 0,
        max_cpus_per_node: None,
        memory: None,
        whole: false,
        user_exclusive: false,
        rows: 1,
        gres: &[],
        required,
        contiguous: false,
        spread: false,
        switches: 0,
        uid: 1,
        flags: SelectFlags::default(),
    }
}

fn share(node: usize, core: usize, row: u8) -> NodeShare {
    NodeShare {
        node,
        cores: [core].into_iter().collect(),
        row,
        cpus: 1,
        memory: 1,
        gres: smallvec::SmallVec::new(),
        whole: false,
        user_exclusive: false,
    }
}

proptest! {
    #[test]
    fn an_outline_is_what_the_selection_gives(
        taken in prop::collection::btree_set((0..10_usize, 0..4_usize, 0..2_u8), 0..50),
        left_out in prop::collection::btree_set(0..10_usize, 0..5),
        needed in prop::collection::btree_set(0..10_usize, 0..2),
        (nodes, more, tasks, per_task) in (1..5_u32, 0..4_u32, 1..24_u32, 1..4_u32),
        limits in prop::array::uniform4(prop::option::of(1..4_u32)),
        (cpus, dist_block, contiguous, weights) in any::<(bool, bool, bool, bool)>(),
    ) {
        let weight = if weights { 5 } else { 1 };
        let lines = [
            "ClusterName=c",
            "NodeName=a[1-4] CPUs=8 Sockets=2 CoresPerSocket=2 ThreadsPerCore=2",
            &format!("NodeName=b[1-3] CPUs=4 Weight={weight}"),
            "NodeName=c[1-3] CPUs=4 Sockets=2",
            "PartitionName=all Nodes=ALL",
        ];
        let spec = ClusterSpec::from_lines(&lines, &[], &[], Users::named(&["user"])).unwrap();
        let mut usage = UsageTable::unused(&spec.nodes);
        for (node, core, row) in &taken {
            usage.take(&spec.nodes[*node], &share(*node, *core, *row), 1);
        }
        let machines = Machines { nodes: &spec.nodes, usage: &usage, topology: None, names: &spec.names };
        let avail: Bits = (0..10).filter(|node| !left_out.contains(node)).collect();
        let required: Bits = needed.iter().copied().collect();
        let asked = Ask {
            min_nodes: nodes,
            want_nodes: nodes + more,
            max_nodes: nodes + more,
            min_cpus: tasks * per_task,
            ntasks: tasks,
            cpus_per_task: per_task,
            ntasks_per_node: limits[0],
            ntasks_per_socket: limits[1],
            ntasks_per_core: limits[2],
            threads_per_core: limits[3],
            contiguous,
            flags: SelectFlags { cpus, dist_block, ..SelectFlags::default() },
            ..ask(&required)
        };
        prop_assert!(can_outline(&machines, &asked));
        let whole = select(&machines, &asked, &avail).map(|found| {
            let nodes: Bits = found.shares.iter().map(|share| share.node).collect();
            (nodes, found.shares.iter().map(|share| share.cpus).sum::<u32>())
        });
        let outlined = outline(&machines, &asked, &avail).map(|found| (found.nodes, found.cpus));
        prop_assert_eq!(outlined, whole);
        for node in 0..10 {
            let room = |cores_alone| {
                fit::room(&machines, &asked, node, 0, cores_alone).map(|room| (room.cpus, room.least))
            };
            prop_assert_eq!(room(true), room(false));
        }
    }
}
