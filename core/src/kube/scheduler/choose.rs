//! The choice among equals.
//!
//! Since v1.35 the scheduler puts the scored nodes into a heap and takes its
//! root; among equal scores the heap's own order decides, and nothing is random
//! (`newSortedNodeScores` in `schedule_one.go`, `container/heap`). So the order
//! in which nodes were found feasible is part of the decision.

/// The index of the score that Go's `container/heap` has at its root after `Init`, the highest on top.
pub fn heap_root(scores: &[i64]) -> Option<usize> {
    let mut heap: Vec<(i64, u32)> = scores.iter().copied().zip(0..).collect();
    for start in (0..heap.len() / 2).rev() {
        let mut parent = start;
        loop {
            let left = 2 * parent + 1;
            if left >= heap.len() {
                break;
            }
            let right = left + 1;
            // Strictly greater: the left child wins a tie.
            let child = if right < heap.len() && heap[right].0 > heap[left].0 { right } else { left };
            if heap[child].0 <= heap[parent].0 {
                break;
            }
            heap.swap(parent, child);
            parent = child;
        }
    }
    heap.first().map(|(_, index)| *index as usize)
}

/// How many feasible nodes are enough (`numFeasibleNodesToFind`).
pub fn feasible_nodes_to_find(percentage: i32, all_nodes: usize) -> usize {
    const MIN_NODES: usize = 100;
    const MIN_PERCENTAGE: usize = 5;
    if all_nodes < MIN_NODES {
        return all_nodes;
    }
    let percentage = match usize::try_from(percentage) {
        Ok(0) | Err(_) => 50_usize.saturating_sub(all_nodes / 125).max(MIN_PERCENTAGE),
        Ok(percentage) => percentage,
    };
    (all_nodes * percentage / 100).max(MIN_NODES)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn among_equals_the_heap_decides() {
        let check = |scores: &[i64], expect: usize| assert_eq!(heap_root(scores), Some(expect), "{scores:?}");
        check(&[5], 0);
        check(&[5, 5, 5, 5], 0);
        check(&[1, 5, 5], 1);
        check(&[1, 1, 5, 5], 3);
        check(&[1, 2, 3, 5, 5, 5, 5], 3);
        assert_eq!(heap_root(&[]), None);
    }

    #[test]
    fn fewer_nodes_are_scored_in_larger_clusters() {
        let check = |percentage, nodes, expect| {
            assert_eq!(feasible_nodes_to_find(percentage, nodes), expect, "{percentage} % of {nodes}");
        };
        check(0, 99, 99);
        check(0, 100, 100);
        check(0, 1_000, 420);
        check(0, 5_000, 500);
        check(0, 100_000, 5_000);
        check(10, 500, 100);
        check(100, 5_000, 5_000);
    }

    proptest! {
        #[test]
        fn the_chosen_score_is_a_highest_one(scores in proptest::collection::vec(0_i64..20, 1..200)) {
            let index = heap_root(&scores).unwrap();
            prop_assert_eq!(Some(&scores[index]), scores.iter().max());
        }
    }
}
