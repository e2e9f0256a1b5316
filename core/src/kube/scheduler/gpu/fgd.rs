//! `FGDScore`: fragmentation gradient descent. The node on which [`Fragmentation`] grows least is best.
//!
//! Scores are kept per size of pod. Before a cycle only those of nodes that changed since the last pod of that size
//! are worked out anew, so that a cycle costs as much as has changed, not as much as there is.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{Cluster, Moment, NodeId, NodeInfo};
use super::super::framework::{
    Code, Context, CycleState, MAX_NODE_SCORE, Plugin, PreScore, Prepare, Score, Status,
};
use super::super::plugins::arguments;
use super::super::queue::EventKinds;
use super::NEEDS_SHARE;
use super::device_choice::{DeviceChoice, DeviceChoosers};
use super::devices::{DeviceList, GpuView, NodeGpus};
use super::fragmentation::Fragmentation;
use super::request::GpuRequest;
use super::typical::TypicalPod;

pub(super) const NAME: &str = "FGDScore";

/// Sizes of pods whose scores are kept; with more, all start anew.
const MAX_SIZES: usize = 1024;

/// `FGDScoreArgs`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    /// The sizes of pods that the cluster gets, and how frequent each is.
    typical_pods: Vec<TypicalPod>,
    /// For files of the authors; this policy looks at each device, whatever is said here.
    dim_ext_method: String,
    /// As `dim_ext_method`.
    norm_method: String,
}

/// The scores of all nodes for one size of pod.
#[derive(Clone, Debug)]
struct Scores {
    /// CPU, part of a GPU, number of GPUs.
    size: (i64, u16, u16),
    /// The moment up to which they are right.
    seen: Moment,
    by_node: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Fgd {
    measure: Arc<Fragmentation>,
    seen: Moment,
    /// What is fragmented of each node, in thousandths of GPUs.
    now: Vec<f64>,
    sizes: Vec<Scores>,
    /// The size of this cycle's pod.
    current: Option<usize>,
    /// For each node, the last cycle in which its score was worked out.
    touched: Vec<u32>,
    cycle: u32,
}

pub(super) fn new(args: &Value, cluster: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    if args.typical_pods.is_empty() {
        return Err("typicalPods: Required value: fragmentation is measured against them".to_owned());
    }
    let measure = Fragmentation::new(&args.typical_pods, &mut cluster.symbols)?;
    Ok(Box::new(Fgd {
        measure: Arc::new(measure),
        seen: Moment::default(),
        now: Vec::new(),
        sizes: Vec::new(),
        current: None,
        touched: Vec::new(),
        cycle: 0,
    }))
}

impl Plugin for Fgd {
    fn name(&self) -> &str {
        NAME
    }

    fn prepare(&mut self) -> Option<&mut dyn Prepare> {
        Some(self)
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

impl Prepare for Fgd {
    fn prepare(&mut self, context: &Context<'_>, state: &mut CycleState) {
        let Some(view) = state.read::<GpuView>().cloned() else {
            self.current = None;
            return;
        };
        let cluster = context.cluster;
        self.now.resize(cluster.node_slots(), 0.0);
        for_changed(cluster, self.seen, |id| {
            self.now[id.index()] = self.measure.of(view.node(id)).fragmented();
        });
        self.seen = cluster.moment();
        self.renew_scores(&view, cluster);
        let mut choosers = state.read::<DeviceChoosers>().cloned().unwrap_or_default();
        choosers.0.push((NAME, Arc::new(LeastFragmented(Arc::clone(&self.measure)))));
        state.write(choosers);
    }
}

/// Calls `visit` for every node that changed since then, for some more than once.
fn for_changed(cluster: &Cluster, since: Moment, mut visit: impl FnMut(NodeId)) {
    match cluster.changed_since(since) {
        Some(changed) => changed.iter().for_each(|id| visit(*id)),
        None => cluster.node_ids().for_each(visit),
    }
}

impl Fgd {
    fn renew_scores(&mut self, view: &GpuView, cluster: &Cluster) {
        let request = &view.request;
        let size = (request.milli_cpu, request.milli, request.count);
        let known = self.sizes.iter().position(|known| known.size == size);
        let index = known.unwrap_or_else(|| {
            if self.sizes.len() == MAX_SIZES {
                self.sizes.clear();
            }
            self.sizes.push(Scores { size, seen: Moment::default(), by_node: Vec::new() });
            self.sizes.len() - 1
        });
        self.current = Some(index);
        self.cycle = self.cycle.wrapping_add(1);
        self.touched.resize(cluster.node_slots(), 0);
        let scores = &mut self.sizes[index];
        scores.by_node.resize(cluster.node_slots(), 0);
        for_changed(cluster, scores.seen, |id| {
            let touched = &mut self.touched[id.index()];
            if std::mem::replace(touched, self.cycle) != self.cycle {
                let now = self.now[id.index()];
                scores.by_node[id.index()] =
                    best(&self.measure, view.node(id), now, request).map_or(0, |(score, _)| score);
            }
        });
        scores.seen = cluster.moment();
    }
}

/// The score of a node and the devices that give it; none if the pod has no room there.
fn best(
    measure: &Fragmentation,
    node: &NodeGpus,
    now: f64,
    request: &GpuRequest,
) -> Option<(u8, DeviceList)> {
    let milli_cpu_left = node.milli_cpu_left - request.milli_cpu;
    if milli_cpu_left < 0 || !node.has_room(request) {
        return None;
    }
    let mut left: SmallLeft = node.left().iter().copied().collect();
    let score =
        |left: &SmallLeft| score(now - measure.amounts(left, milli_cpu_left, node.model).fragmented());
    if !request.is_shared() {
        let devices = node.first_idle(request.count)?;
        for device in &devices {
            left[usize::from(*device)] = 0;
        }
        return Some((score(&left), devices));
    }
    let mut best: Option<(u8, u8)> = None;
    for device in node.with_room(request.milli) {
        let at = usize::from(device);
        // A device like an earlier one gives the same score, and the first wins.
        if node.left()[..at].contains(&node.left()[at]) {
            continue;
        }
        left[at] -= request.milli;
        let with = score(&left);
        left[at] += request.milli;
        if best.is_none_or(|(known, _)| with > known) {
            best = Some((with, device));
        }
    }
    best.map(|(score, device)| (score, [device].into_iter().collect()))
}

type SmallLeft = smallvec::SmallVec<[u16; 8]>;

/// 50 where fragmentation stays the same, less where it grows, more where it shrinks by these thousandths of GPUs.
fn score(shrinks: f64) -> u8 {
    // Not the platform's `exp`: the same score everywhere.
    let sigmoid = 1.0 / (1.0 + libm::exp(-shrinks / 1000.0));
    (sigmoid * MAX_NODE_SCORE as f64) as u8
}

impl PreScore for Fgd {
    fn pre_score(&self, _: &Context<'_>, _: &mut CycleState, _: &[NodeId]) -> Status {
        if self.current.is_some() { Status::success() } else { Status::new(Code::Error, NEEDS_SHARE) }
    }
}

impl Score for Fgd {
    fn score(&self, _: &Context<'_>, _: &CycleState, node: &NodeInfo) -> i64 {
        let scores = self.current.and_then(|size| self.sizes.get(size));
        scores.and_then(|size| size.by_node.get(node.id.index())).map_or(0, |score| i64::from(*score))
    }

    fn score_all(&self, _: &Context<'_>, _: &CycleState, nodes: &[NodeId], scores: &mut [i64]) {
        let Some(size) = self.current.and_then(|size| self.sizes.get(size)) else { return };
        for (node, score) in nodes.iter().zip(scores) {
            *score = size.by_node.get(node.index()).map_or(0, |score| i64::from(*score));
        }
    }
}

/// The device on which a share of a GPU fragments the node least.
#[derive(Clone, Debug)]
struct LeastFragmented(Arc<Fragmentation>);

impl DeviceChoice for LeastFragmented {
    fn choose(&self, node: &NodeGpus, request: &GpuRequest) -> Option<DeviceList> {
        best(&self.0, node, self.0.of(node).fragmented(), request).map(|(_, devices)| devices)
    }
}
