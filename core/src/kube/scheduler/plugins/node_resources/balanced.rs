//! `NodeResourcesBalancedAllocation`: a node whose resources are used to the same share is better.

use serde::Deserialize;
use serde_json::Value;
use smallvec::SmallVec;

use super::super::super::cluster::{Cluster, NodeId, NodeInfo, ResourceId};
use super::super::super::framework::{Context, CycleState, MAX_NODE_SCORE, Plugin, PreScore, Score, Status};
use super::super::super::queue::EventKinds;
use super::super::arguments;
use super::{ResourceSpec, compile, cpu_and_memory, share};

pub(in super::super) const NAME: &str = "NodeResourcesBalancedAllocation";

/// `NodeResourcesBalancedAllocationArgs`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    resources: Vec<ResourceSpec>,
}

#[derive(Clone, Debug)]
struct BalancedAllocation {
    resources: Vec<ResourceId>,
}

pub(in super::super) fn new(args: &Value, cluster: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    let specs = if args.resources.is_empty() { cpu_and_memory() } else { args.resources };
    if let Some(spec) = specs.iter().find(|spec| spec.weight > 1) {
        return Err(format!("resources: Invalid value: {}: weight of {} must be 1", spec.weight, spec.name));
    }
    let resources = compile(&specs, cluster)?.into_iter().map(|(id, _)| id).collect();
    Ok(Box::new(BalancedAllocation { resources }))
}

impl Plugin for BalancedAllocation {
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

impl PreScore for BalancedAllocation {
    fn pre_score(&self, context: &Context<'_>, _: &mut CycleState, _: &[NodeId]) -> Status {
        // A pod that asks for nothing moves no balance.
        let asks = self.resources.iter().any(|id| context.pod.requests.exact.get(*id) != 0);
        if asks { Status::success() } else { Status::skip() }
    }
}

impl Score for BalancedAllocation {
    fn is_local(&self, _: &Context<'_>) -> bool {
        true
    }

    /// 50 for a node whose balance the pod destroys, 75 where it changes nothing, 100 where it restores it.
    fn score(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> i64 {
        let asked = &context.pod.requests.exact;
        let (mut with, mut without) = (Fractions::default(), Fractions::default());
        for &id in &self.resources {
            if let Some((allocatable, requested)) = share(node, asked, id, false) {
                with.push(requested, allocatable);
                without.push(requested.saturating_sub(asked.get(id)), allocatable);
            }
        }
        MAX_NODE_SCORE / 2 + (MAX_NODE_SCORE / 2 + with.balance() - without.balance()) / 2
    }
}

/// Shares of a node's resources.
#[derive(Default)]
struct Fractions(SmallVec<[f64; 4]>);

impl Fractions {
    fn push(&mut self, requested: i64, allocatable: i64) {
        self.0.push((requested as f64 / allocatable as f64).min(1.0));
    }

    /// 100 if all shares are equal, less the more they scatter.
    fn balance(&self) -> i64 {
        let deviation = match self.0[..] {
            [] | [_] => 0.0,
            [a, b] => ((a - b) / 2.0).abs(),
            ref values => {
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                let sum: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
                (sum / values.len() as f64).sqrt()
            }
        };
        ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
    }
}
