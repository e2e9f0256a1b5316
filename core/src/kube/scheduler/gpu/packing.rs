//! `GpuPackingScore`: GPUs in use first, then idle GPUs of nodes in use, then idle nodes.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, NodeInfo};
use super::super::framework::{Context, CycleState, MAX_NODE_SCORE, Plugin, PreScore, Score, Status};
use super::super::plugins::no_arguments;
use super::super::queue::EventKinds;
use super::best_fit::needs_view;
use super::devices::{GpuView, NodeGpus};
use super::dot_product;
use super::request::{GpuRequest, MILLI};

pub(super) const NAME: &str = "GpuPackingScore";

#[derive(Clone, Debug)]
struct GpuPacking;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    // The authors' files give every policy the arguments of `DotProductScore`.
    if !dot_product::are_arguments(args) {
        no_arguments(args)?;
    }
    Ok(Box::new(GpuPacking))
}

impl Plugin for GpuPacking {
    fn name(&self) -> &str {
        NAME
    }

    fn pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

impl PreScore for GpuPacking {
    fn pre_score(&self, _: &Context<'_>, state: &mut CycleState, _: &[NodeId]) -> Status {
        needs_view(state)
    }
}

impl Score for GpuPacking {
    fn score(&self, _: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        state.read::<GpuView>().map_or(0, |view| packing(view.node(node.id), &view.request))
    }

    fn score_all(&self, _: &Context<'_>, state: &CycleState, nodes: &[NodeId], scores: &mut [i64]) {
        let Some(view) = state.read::<GpuView>() else { return };
        for (node, score) in nodes.iter().zip(scores) {
            *score = packing(view.node(*node), &view.request);
        }
    }
}

fn packing(node: &NodeGpus, request: &GpuRequest) -> i64 {
    if request.milli == 0 {
        return 0;
    }
    let idle = i64::from(node.idle());
    if idle == node.left().len() as i64 {
        return (MAX_NODE_SCORE / 3 - idle).max(idle);
    }
    // The fullest devices that have room; which of several alike makes no difference.
    let mut left: smallvec::SmallVec<[u16; 8]> =
        node.left().iter().copied().filter(|left| *left >= request.milli).collect();
    left.sort_unstable();
    left.truncate(usize::from(request.count));
    let from_idle = left.iter().filter(|left| **left == MILLI).count() as i64;
    if from_idle > 0 {
        return (MAX_NODE_SCORE / 2 - from_idle).max(MAX_NODE_SCORE / 3);
    }
    let free: i64 = left.iter().map(|left| i64::from(*left) * 100 / i64::from(MILLI)).sum();
    (MAX_NODE_SCORE - free / 10).max(MAX_NODE_SCORE / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_gpus_come_before_idle_ones_and_used_nodes_before_idle_ones() {
        let check = |left: &[u16], milli, count, expect| {
            let node = NodeGpus::new(96_000, 96_000, left, None);
            let request = GpuRequest::new(100, milli, count);
            assert_eq!(packing(&node, &request), expect, "{left:?} {milli} x {count}");
        };
        // The figures of the authors' own test.
        check(&[200, 1000, 1000, 500], 1000, 2, 48);
        check(&[1000; 4], 1000, 2, 29);
        check(&[1000; 8], 1000, 2, 25);
        check(&[200, 1000, 1000, 500], 200, 2, 93);
        check(&[200, 1000], 0, 0, 0);
    }
}
