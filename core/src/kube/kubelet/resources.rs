//! What pods ask for and whether the node has it: the kubelet's own admission
//! (`pkg/kubelet/lifecycle/predicate.go`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::kube::quantity::Amount;

/// The extended resource of NVIDIA's device plugin.
pub(super) const GPU: &str = "nvidia.com/gpu";

/// Thousandths of a quantity; zero if it is not one (the API server has refused those).
pub(super) fn milli(quantity: &Quantity) -> i64 {
    Amount::try_from(quantity).map_or(0, Amount::milli_value)
}

fn value(quantity: &Quantity) -> i64 {
    Amount::try_from(quantity).map_or(0, Amount::value)
}

/// GPUs that a container asks for: its limit, which the API server has made equal to its request.
pub(super) fn gpus(container: &core::Container) -> usize {
    let limits = container.resources.as_ref().and_then(|r| r.limits.as_ref());
    limits.and_then(|l| l.get(GPU)).map_or(0, |q| usize::try_from(value(q)).unwrap_or(0))
}

/// What a whole pod requests: containers and sidecars together, or the largest
/// moment of the init containers, plus overhead
/// (`component-helpers/resource/helpers.go`, `PodRequests`). CPU in millicores,
/// everything else in units.
pub(super) fn pod_requests(spec: &core::PodSpec) -> BTreeMap<String, i64> {
    let requests = |container: &core::Container| -> BTreeMap<String, i64> {
        let requests = container.resources.as_ref().and_then(|r| r.requests.as_ref());
        requests.into_iter().flatten().map(|(name, q)| (name.clone(), amount(name, q))).collect()
    };
    let mut total = BTreeMap::new();
    for container in &spec.containers {
        add(&mut total, &requests(container));
    }
    let mut sidecars = BTreeMap::new();
    let mut peak: BTreeMap<String, i64> = BTreeMap::new();
    for init in spec.init_containers.as_deref().unwrap_or_default() {
        let mut moment = requests(init);
        add(&mut moment, &sidecars);
        if init.restart_policy.as_deref() == Some("Always") {
            add(&mut total, &requests(init));
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
    let overhead = spec.overhead.iter().flatten().map(|(n, q)| (n.clone(), amount(n, q))).collect();
    add(&mut total, &overhead);
    total
}

fn amount(name: &str, quantity: &Quantity) -> i64 {
    if name == "cpu" { milli(quantity) } else { value(quantity) }
}

fn add(to: &mut BTreeMap<String, i64>, from: &BTreeMap<String, i64>) {
    for (name, amount) in from {
        let entry = to.entry(name.clone()).or_default();
        *entry = entry.saturating_add(*amount);
    }
}

/// A pod that its node cannot take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rejection {
    /// `OutOfcpu`, `OutOfnvidia.com/gpu`
    pub(super) reason: String,
    /// What the event says; the status puts "Pod was rejected: " before it.
    pub(super) message: String,
}

/// Whether `pod` fits beside `others` on a node with that allocatable.
pub(super) fn admit<'a>(
    allocatable: &BTreeMap<String, Quantity>,
    pod: &core::PodSpec,
    others: impl Iterator<Item = &'a core::PodSpec>,
) -> Result<(), Rejection> {
    let mut used = BTreeMap::new();
    let mut pods = 0;
    for other in others {
        add(&mut used, &pod_requests(other));
        pods += 1;
    }
    let refuse = |name: &str, requested: i64, used: i64, capacity: i64| {
        Err(Rejection {
            reason: format!("OutOf{name}"),
            message: format!(
                "Node didn't have enough resource: {name}, requested: {requested}, used: {used}, capacity: {capacity}"
            ),
        })
    };
    let allowed = allocatable.get("pods").map_or(0, value);
    if pods + 1 > allowed {
        return refuse("pods", 1, pods, allowed);
    }
    let wanted = pod_requests(pod);
    // The scheduler's order: cpu, memory, ephemeral-storage, then extended resources.
    let basic = ["cpu", "memory", "ephemeral-storage"];
    let extended = wanted.keys().map(String::as_str).filter(|name| !basic.contains(name));
    for name in basic.into_iter().chain(extended) {
        let requested = wanted.get(name).copied().unwrap_or(0);
        let capacity = allocatable.get(name).map_or(0, |q| amount(name, q));
        let used = used.get(name).copied().unwrap_or(0);
        if requested > 0 && requested > capacity - used {
            return refuse(name, requested, used, capacity);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: serde_json::Value) -> core::PodSpec {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn init_containers_count_by_their_largest_moment_and_sidecars_stay() {
        let requests = pod_requests(&spec(serde_json::json!({
            "containers": [{"name": "a", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}],
            "initContainers": [
                {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}},
                {"name": "i", "resources": {"requests": {"cpu": "3"}}},
            ],
        })));
        assert_eq!(requests["cpu"], 3500);
        assert_eq!(requests["memory"], 1 << 30);
    }

    #[test]
    fn a_pod_that_does_not_fit_is_rejected_in_the_kubelets_words() {
        // Texts recorded from the real thing: a pod bound by nodeName beyond the node.
        let allocatable = BTreeMap::from([
            ("cpu".to_owned(), Quantity("64".to_owned())),
            ("pods".to_owned(), Quantity("110".to_owned())),
        ]);
        let check = |requests: serde_json::Value, expected: (&str, &str)| {
            let pod =
                spec(serde_json::json!({"containers": [{"name": "m", "resources": {"requests": requests}}]}));
            let rejection = admit(&allocatable, &pod, std::iter::empty()).unwrap_err();
            assert_eq!((rejection.reason.as_str(), rejection.message.as_str()), expected);
        };
        check(
            serde_json::json!({"cpu": "100"}),
            (
                "OutOfcpu",
                "Node didn't have enough resource: cpu, requested: 100000, used: 0, capacity: 64000",
            ),
        );
        check(
            serde_json::json!({"nvidia.com/gpu": "4"}),
            (
                "OutOfnvidia.com/gpu",
                "Node didn't have enough resource: nvidia.com/gpu, requested: 4, used: 0, capacity: 0",
            ),
        );
    }
}
