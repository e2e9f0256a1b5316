//! `NodeResourcesFit` and `NodeResourcesBalancedAllocation`: is there room, and how well is it used?

mod balanced;
mod fit;
mod strategy;

pub(super) use balanced::{NAME as BALANCED_NAME, new as new_balanced};
pub(super) use fit::{NAME as FIT_NAME, new as new_fit};

use serde::Deserialize;

use super::super::cluster::{Cluster, NodeInfo, ResourceId, Resources};

/// `name: cpu, weight: 1`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ResourceSpec {
    name: String,
    #[serde(default)]
    weight: i64,
}

/// Resources with weights, by index.
fn compile(specs: &[ResourceSpec], cluster: &mut Cluster) -> Result<Vec<(ResourceId, i64)>, String> {
    specs
        .iter()
        .map(|spec| {
            // Absent weights are defaulted to 1 before they are validated.
            let weight = if spec.weight == 0 { 1 } else { spec.weight };
            if !(1..=100).contains(&weight) {
                return Err(format!("resources weight of {} should be in [1, 100], got {weight}", spec.name));
            }
            Ok((cluster.resources.intern(&spec.name, &mut cluster.symbols), weight))
        })
        .collect()
}

fn cpu_and_memory() -> Vec<ResourceSpec> {
    ["cpu", "memory"].map(|name| ResourceSpec { name: name.to_owned(), weight: 1 }).into()
}

/// Allocatable amount and what is asked for with the pod on the node; none if the resource does not count here.
///
/// With `nonzero`, cpu and memory are counted with defaults for pods that ask for none.
fn share(node: &NodeInfo, pod: &Resources, id: ResourceId, nonzero: bool) -> Option<(i64, i64)> {
    let asked = pod.get(id);
    if asked == 0 && id.is_scalar() {
        return None;
    }
    let allocatable = node.allocatable.get(id);
    (allocatable != 0).then(|| (allocatable, used_of(node, id, nonzero).saturating_add(asked)))
}

/// What the pods of a node ask for.
fn used_of(node: &NodeInfo, id: ResourceId, nonzero: bool) -> i64 {
    match id {
        ResourceId::CPU if nonzero => node.nonzero_requested[0],
        ResourceId::MEMORY if nonzero => node.nonzero_requested[1],
        _ => node.requested.get(id),
    }
}
