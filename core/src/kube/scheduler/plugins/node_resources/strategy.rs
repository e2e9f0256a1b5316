//! The three ways to score how full a node would be.

use serde::Deserialize;

use super::super::super::cluster::{Cluster, NodeInfo, ResourceId, Resources};
use super::super::super::framework::MAX_NODE_SCORE;
use super::{ResourceSpec, compile, cpu_and_memory, share, used_of};

/// `scoringStrategy` of `NodeResourcesFitArgs`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(super) struct StrategyArgs {
    #[serde(rename = "type")]
    kind: String,
    resources: Vec<ResourceSpec>,
    requested_to_capacity_ratio: Option<RatioArgs>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RatioArgs {
    shape: Vec<ShapePoint>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ShapePoint {
    #[serde(default)]
    utilization: i64,
    #[serde(default)]
    score: i64,
}

impl Default for StrategyArgs {
    fn default() -> Self {
        Self { kind: "LeastAllocated".to_owned(), resources: Vec::new(), requested_to_capacity_ratio: None }
    }
}

/// How a resource's share becomes a score.
#[derive(Clone, Debug)]
enum Shape {
    /// The emptier the better.
    Least,
    /// The fuller the better.
    Most,
    /// A broken line through (utilisation in per cent, score).
    Line(Vec<(i64, i64)>),
}

/// A scoring strategy.
#[derive(Clone, Debug)]
pub(super) struct Strategy {
    shape: Shape,
    resources: Vec<(ResourceId, i64)>,
}

impl Strategy {
    pub fn new(args: &StrategyArgs, cluster: &mut Cluster) -> Result<Self, String> {
        let shape = match args.kind.as_str() {
            "LeastAllocated" => Shape::Least,
            "MostAllocated" => Shape::Most,
            "RequestedToCapacityRatio" => Shape::Line(line(args.requested_to_capacity_ratio.as_ref())?),
            other => {
                return Err(format!(
                    "scoringStrategy.type: Unsupported value: {other:?}: supported values: \
                     \"LeastAllocated\", \"MostAllocated\", \"RequestedToCapacityRatio\""
                ));
            }
        };
        let default = cpu_and_memory();
        let resources = if args.resources.is_empty() { &default } else { &args.resources };
        Ok(Self { shape, resources: compile(resources, cluster)? })
    }

    /// The score of a node with the pod on it.
    pub fn score(&self, node: &NodeInfo, pod: &Resources) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for &(id, weight) in &self.resources {
            let Some((allocatable, asked)) = share(node, pod, id, true) else { continue };
            let score = match &self.shape {
                Shape::Least if asked > allocatable => 0,
                Shape::Least => percent(allocatable.saturating_sub(asked), allocatable),
                Shape::Most => percent(asked.min(allocatable), allocatable),
                Shape::Line(_) if asked > allocatable => self.on_line(100),
                Shape::Line(_) => self.on_line(percent(asked, allocatable)),
            };
            if score > 0 || !matches!(self.shape, Shape::Line(_)) {
                sum += score * weight;
                weights += weight;
            }
        }
        match self.shape {
            _ if weights == 0 => 0,
            Shape::Line(_) => (sum as f64 / weights as f64).round() as i64,
            _ => sum / weights,
        }
    }

    /// How full all these nodes together would be with those pods, in per cent (`MostAllocated`).
    pub fn fullness(&self, nodes: &[&NodeInfo], pods: &[&Resources]) -> i64 {
        let (mut sum, mut weights) = (0, 0);
        for &(id, weight) in &self.resources {
            let asked: i64 = pods.iter().map(|pod| pod.get(id)).sum();
            if asked == 0 && id.is_scalar() {
                continue;
            }
            let (mut allocatable, mut used) = (0_i64, asked);
            for node in nodes {
                allocatable = allocatable.saturating_add(node.allocatable.get(id));
                used = used.saturating_add(used_of(node, id, true));
            }
            if allocatable != 0 {
                sum += percent(used.min(allocatable), allocatable) * weight;
                weights += weight;
            }
        }
        if weights == 0 { 0 } else { sum / weights }
    }

    fn on_line(&self, utilization: i64) -> i64 {
        let Shape::Line(points) = &self.shape else { return 0 };
        let Some(next) = points.iter().position(|(x, _)| utilization <= *x) else {
            return points.last().map_or(0, |(_, y)| *y);
        };
        let (x1, y1) = points[next];
        if next == 0 {
            return y1;
        }
        let (x0, y0) = points[next - 1];
        y0 + (y1 - y0) * (utilization - x0) / (x1 - x0)
    }
}

/// `part` of `whole` in per cent, truncated.
fn percent(part: i64, whole: i64) -> i64 {
    match part.checked_mul(MAX_NODE_SCORE) {
        Some(product) => product / whole,
        None => (i128::from(part) * i128::from(MAX_NODE_SCORE) / i128::from(whole)) as i64,
    }
}

/// Checks the shape and brings its scores from 0..10 to 0..100.
fn line(args: Option<&RatioArgs>) -> Result<Vec<(i64, i64)>, String> {
    let points = args.map(|args| args.shape.as_slice()).unwrap_or_default();
    if points.is_empty() {
        return Err(
            "requestedToCapacityRatio.shape: Required value: at least one point must be specified".to_owned()
        );
    }
    for pair in points.windows(2) {
        if pair[0].utilization >= pair[1].utilization {
            return Err(
                "requestedToCapacityRatio.shape: utilization values must be sorted in increasing order"
                    .to_owned(),
            );
        }
    }
    for point in points {
        if !(0..=100).contains(&point.utilization) {
            return Err(format!(
                "requestedToCapacityRatio.shape: utilization {} not in [0, 100]",
                point.utilization
            ));
        }
        if !(0..=10).contains(&point.score) {
            return Err(format!("requestedToCapacityRatio.shape: score {} not in [0, 10]", point.score));
        }
    }
    Ok(points.iter().map(|point| (point.utilization, point.score * (MAX_NODE_SCORE / 10))).collect())
}
