//! `GpuClusteringScore`: pods of the same size are kept together.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, NodeInfo};
use super::super::framework::{Context, CycleState, MAX_NODE_SCORE, Plugin, PreScore, Score, Status};
use super::super::plugins::no_arguments;
use super::super::queue::EventKinds;
use super::best_fit::needs_view;
use super::devices::{GpuView, NodeGpus};
use super::dot_product;
use super::request::GpuRequest;

pub(super) const NAME: &str = "GpuClusteringScore";

#[derive(Clone, Debug)]
struct GpuClustering;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    // The authors' files give every policy the arguments of `DotProductScore`.
    if !dot_product::are_arguments(args) {
        no_arguments(args)?;
    }
    Ok(Box::new(GpuClustering))
}

impl Plugin for GpuClustering {
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

impl PreScore for GpuClustering {
    fn pre_score(&self, _: &Context<'_>, state: &mut CycleState, _: &[NodeId]) -> Status {
        needs_view(state)
    }
}

impl Score for GpuClustering {
    fn score(&self, _: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        state.read::<GpuView>().map_or(0, |view| clustering(view.node(node.id), &view.request))
    }

    fn score_all(&self, _: &Context<'_>, state: &CycleState, nodes: &[NodeId], scores: &mut [i64]) {
        let Some(view) = state.read::<GpuView>() else { return };
        for (node, score) in nodes.iter().zip(scores) {
            *score = clustering(view.node(*node), &view.request);
        }
    }
}

/// From 75 on where only pods of its size are, from 50 on where others are too, from 25 on where none is; within
/// each, the fuller node is better.
fn clustering(node: &NodeGpus, request: &GpuRequest) -> i64 {
    let Some(kind) = request.kind() else { return 0 };
    let quarter = MAX_NODE_SCORE / 4;
    let most = dot_product::MAX_MILLI_GPU as i64;
    // A node of more GPUs than the largest of the authors' cluster would get less than nothing.
    let full = quarter * (most - i64::from(node.total_left())).max(0) / most;
    let kinds = node.kinds;
    let base = match (kinds & (1 << kind) != 0, kinds.count_ones()) {
        (true, 1) => 3 * quarter,
        (true, _) => 2 * quarter,
        (false, 0) => quarter,
        (false, _) => 0,
    };
    full + base
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_go_where_their_like_are() {
        let check = |kinds, left: &[u16], request: GpuRequest, expect| {
            let mut node = NodeGpus::new(96_000, 96_000, left, None);
            node.kinds = kinds;
            assert_eq!(clustering(&node, &request), expect, "{kinds:b} {left:?} {request:?}");
        };
        let (share, two) = (GpuRequest::new(1, 500, 1), GpuRequest::new(1, 1000, 2));
        check(0b1, &[500, 1000, 1000, 1000], share.clone(), 75 + 25 * 4500 / 8000);
        check(0b11, &[500, 0, 1000, 1000], share.clone(), 50 + 25 * 5500 / 8000);
        check(0, &[1000; 8], share, 25);
        check(0b1, &[500, 1000, 1000, 1000], two.clone(), 25 * 4500 / 8000);
        check(0b100, &[0, 0, 1000, 1000], two, 75 + 25 * 6000 / 8000);
        check(0b100, &[0, 0], GpuRequest::new(1, 0, 0), 0);
    }
}
