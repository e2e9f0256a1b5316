//! How the tasks of a step are dealt out over its nodes (`srun --distribution`).

use crate::slurm::model::Distribution;

/// Ranks of the tasks on each node. `caps`: tasks that each node's CPUs hold; beyond them nodes are overcommitted.
///
/// The block distribution first deals the tasks out in turn, as far as the CPUs of each node reach, and then numbers them
/// node by node (recorded in `task_dist`: eight tasks on nodes with 6, 1 and 1 CPUs).
pub(super) fn deal(distribution: Distribution, caps: &[u32], ntasks: u32) -> Vec<Vec<u32>> {
    let mut ranks: Vec<Vec<u32>> = vec![Vec::new(); caps.len()];
    if caps.is_empty() {
        return ranks;
    }
    let burst = match distribution {
        Distribution::Plane(size) => size.max(1),
        Distribution::Block | Distribution::Cyclic => 1,
    };
    let (mut next, mut over) = (0, false);
    while next < ntasks {
        let before = next;
        for (node, cap) in ranks.iter_mut().zip(caps) {
            for _ in 0..burst {
                if next < ntasks && (over || (node.len() as u32) < *cap) {
                    node.push(next);
                    next += 1;
                }
            }
        }
        // Every CPU has its task: the rest is dealt out as if there were more.
        over |= next == before;
    }
    if distribution == Distribution::Block {
        let mut first = 0;
        for node in &mut ranks {
            let count = node.len() as u32;
            *node = (first..first + count).collect();
            first += count;
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(distribution: Distribution, caps: &[u32], ntasks: u32, expect: &[&[u32]]) {
        assert_eq!(deal(distribution, caps, ntasks), expect, "{distribution:?} {caps:?} {ntasks}");
    }

    // Recorded: task_dist.
    #[test]
    fn tasks_are_dealt_out_as_recorded() {
        check(Distribution::Block, &[6, 1, 1], 8, &[&[0, 1, 2, 3, 4, 5], &[6], &[7]]);
        check(Distribution::Cyclic, &[6, 1, 1], 8, &[&[0, 3, 4, 5, 6, 7], &[1], &[2]]);
        check(Distribution::Plane(2), &[6, 1, 1], 8, &[&[0, 1, 4, 5, 6, 7], &[2], &[3]]);
        check(Distribution::Block, &[2, 1], 3, &[&[0, 1], &[2]]);
    }

    #[test]
    fn equal_nodes_share_the_tasks_and_too_many_tasks_go_round_again() {
        check(Distribution::Block, &[16, 16], 4, &[&[0, 1], &[2, 3]]);
        check(Distribution::Cyclic, &[1, 1], 5, &[&[0, 2, 4], &[1, 3]]);
        check(Distribution::Block, &[], 5, &[]);
        check(Distribution::Block, &[4], 0, &[&[]]);
    }
}
