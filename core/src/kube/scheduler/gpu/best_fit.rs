//! `BestFitScore`: the node on which the least CPU and GPU remain is best.

use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, NodeInfo};
use super::super::framework::{Code, Context, CycleState, MAX_NODE_SCORE, Plugin, PreScore, Score, Status};
use super::super::plugins::no_arguments;
use super::super::queue::EventKinds;
use super::devices::{GpuView, NodeGpus};
use super::request::GpuRequest;
use super::{NEEDS_SHARE, dot_product};

pub(super) const NAME: &str = "BestFitScore";

#[derive(Clone, Debug)]
struct BestFit;

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    // The authors' files give every policy the arguments of `DotProductScore`.
    if !dot_product::are_arguments(args) {
        no_arguments(args)?;
    }
    Ok(Box::new(BestFit))
}

impl Plugin for BestFit {
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

impl PreScore for BestFit {
    fn pre_score(&self, _: &Context<'_>, state: &mut CycleState, _: &[NodeId]) -> Status {
        needs_view(state)
    }
}

/// Success if `Open-Gpu-Share` has shown the GPUs.
pub(super) fn needs_view(state: &CycleState) -> Status {
    match state.read::<GpuView>() {
        Some(_) => Status::success(),
        None => Status::new(Code::Error, NEEDS_SHARE),
    }
}

impl Score for BestFit {
    fn score(&self, _: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        state.read::<GpuView>().map_or(0, |view| fit(view.node(node.id), &view.request))
    }

    fn score_all(&self, _: &Context<'_>, state: &CycleState, nodes: &[NodeId], scores: &mut [i64]) {
        let Some(view) = state.read::<GpuView>() else { return };
        for (node, score) in nodes.iter().zip(scores) {
            *score = fit(view.node(*node), &view.request);
        }
    }

    /// The worst node to 0, the best one to 100.
    fn normalize(&self, _: &Context<'_>, _: &CycleState, _: &[NodeId], scores: &mut [i64]) {
        let (Some(&lowest), Some(&highest)) = (scores.iter().min(), scores.iter().max()) else { return };
        for score in scores {
            *score =
                if highest == lowest { 0 } else { (*score - lowest) * MAX_NODE_SCORE / (highest - lowest) };
        }
    }
}

/// What remains of CPU and GPU, as parts of the largest node's, half and half; less is better.
fn fit(node: &NodeGpus, request: &GpuRequest) -> i64 {
    let cpu = (node.milli_cpu_left - request.milli_cpu) as f64 / dot_product::MAX_MILLI_CPU * 0.5;
    let gpus = (i64::from(node.total_left()) - request.total_milli()) as f64;
    let gpus = gpus / dot_product::MAX_MILLI_GPU * 0.5;
    ((1.0 - (cpu + gpus)) * MAX_NODE_SCORE as f64) as i64
}
