//! How much a whole pod asks for.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::kube::quantity::Amount;
use crate::order::Collected;

/// What a whole pod requests: containers and sidecars together, or the largest
/// moment of the init containers, plus overhead
/// (`component-helpers/resource/helpers.go`, `PodRequests`). CPU in millicores,
/// everything else in units.
pub fn pod_requests(spec: &core::PodSpec) -> BTreeMap<String, i64> {
    let requests = |container: &core::Container| -> BTreeMap<String, i64> {
        let requests = container.resources.as_ref().and_then(|r| r.requests.as_ref());
        requests.into_iter().flatten().map(|(name, q)| (name.clone(), amount(name, q))).into_map()
    };
    let mut total = BTreeMap::new();
    for container in &spec.containers {
        add_amounts(&mut total, &requests(container));
    }
    let mut sidecars = BTreeMap::new();
    let mut peak: BTreeMap<String, i64> = BTreeMap::new();
    for init in spec.init_containers.as_deref().unwrap_or_default() {
        let mut moment = requests(init);
        add_amounts(&mut moment, &sidecars);
        if init.restart_policy.as_deref() == Some("Always") {
            add_amounts(&mut total, &requests(init));
            sidecars.clone_from(&moment);
        }
        for (name, amount) in moment {
            let entry = peak.entry(name).or_default();
            *entry = (*entry).max(amount);
        }
    }
    for (name, amount) in peak {
        let entry = total.entry(name).or_default();
        *entry = (*entry).max(amount);
    }
    if let Some(pod_level) = spec.resources.as_ref().and_then(|r| r.requests.as_ref()) {
        for (name, q) in pod_level {
            total.insert(name.clone(), amount(name, q));
        }
    }
    let overhead = spec.overhead.iter().flatten().map(|(n, q)| (n.clone(), amount(n, q))).into_map();
    add_amounts(&mut total, &overhead);
    total
}

/// A quantity of that resource: CPU in thousandths, everything else in units; zero if it is not one.
pub fn amount(name: &str, quantity: &Quantity) -> i64 {
    let read = if name == "cpu" { Amount::milli_value } else { Amount::value };
    Amount::try_from(quantity).map_or(0, read)
}

/// Adds amounts, resource by resource.
pub fn add_amounts(to: &mut BTreeMap<String, i64>, from: &BTreeMap<String, i64>) {
    for (name, amount) in from {
        let entry = to.entry(name.clone()).or_default();
        *entry = entry.saturating_add(*amount);
    }
}
