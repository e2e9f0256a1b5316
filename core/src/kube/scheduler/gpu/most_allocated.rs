//! `GpuMostAllocatedScore`: the node on which the largest share of the GPUs is then taken is best.
//!
//! What `NodeResourcesFit` with the strategy `MostAllocated` does for whole GPUs, for shares of them as well.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, NodeInfo};
use super::super::framework::{Context, CycleState, MAX_NODE_SCORE, Plugin, PreScore, Score, Status};
use super::super::plugins::no_arguments;
use super::super::queue::EventKinds;
use super::best_fit::needs_view;
use super::devices::{GpuView, NodeGpus};
use super::request::{GpuRequest, MILLI};

pub(super) const NAME: &str = "GpuMostAllocatedScore";

#[derive(Clone, Debug)]
struct GpuMostAllocated;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    no_arguments(args)?;
    Ok(Box::new(GpuMostAllocated))
}

impl Plugin for GpuMostAllocated {
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

impl PreScore for GpuMostAllocated {
    fn pre_score(&self, _: &Context<'_>, state: &mut CycleState, _: &[NodeId]) -> Status {
        needs_view(state)
    }
}

impl Score for GpuMostAllocated {
    fn score(&self, _: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        state.read::<GpuView>().map_or(0, |view| allocated(view.node(node.id), &view.request))
    }

    fn score_all(&self, _: &Context<'_>, state: &CycleState, nodes: &[NodeId], scores: &mut [i64]) {
        let Some(view) = state.read::<GpuView>() else { return };
        for (node, score) in nodes.iter().zip(scores) {
            *score = allocated(view.node(*node), &view.request);
        }
    }
}

fn allocated(node: &NodeGpus, request: &GpuRequest) -> i64 {
    let all = i64::from(MILLI) * node.left().len() as i64;
    if all == 0 || request.milli == 0 {
        return 0;
    }
    let taken = (all - i64::from(node.total_left()) + request.total_milli()).min(all);
    taken * MAX_NODE_SCORE / all
}
