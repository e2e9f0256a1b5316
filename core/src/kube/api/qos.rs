//! The quality-of-service class of a pod (`pkg/apis/core/helper/qos`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

use crate::kube::quantity::Amount;

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub(super) fn class(pod: &Pod) -> &'static str {
    let Some(spec) = &pod.spec else { return "BestEffort" };
    let of_containers;
    let all: &[Option<&ResourceRequirements>] = if let Some(resources) = &spec.resources {
        &[Some(resources)]
    } else {
        of_containers = spec
            .containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
            .map(|container| container.resources.as_ref())
            .collect::<Vec<_>>();
        &of_containers
    };
    let (mut requests, mut limits) = (BTreeMap::new(), BTreeMap::new());
    let mut guaranteed = true;
    for resources in all {
        let requested = resources.and_then(|r| r.requests.as_ref());
        let limited = resources.and_then(|r| r.limits.as_ref());
        add(&mut requests, requested);
        let found = add(&mut limits, limited);
        guaranteed &= found == 2;
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if guaranteed
        && requests.len() == limits.len()
        && requests.iter().all(|(name, amount)| {
            limits
                .get(name)
                .is_some_and(|limit: &Amount| limit.partial_cmp(amount) == Some(std::cmp::Ordering::Equal))
        })
    {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Adds what a container names of CPU and memory; answers how many of the two it names.
fn add(sum: &mut BTreeMap<&'static str, Amount>, list: Option<&BTreeMap<String, Text>>) -> usize {
    let mut found = 0;
    for name in ["cpu", "memory"] {
        let amount = list.and_then(|list| list.get(name)).and_then(|text| Amount::try_from(text).ok());
        if let Some(amount) = amount.filter(|amount| amount.nanos() > 0) {
            found += 1;
            sum.entry(name).and_modify(|sum| *sum = *sum + amount).or_insert(amount);
        }
    }
    found
}
