//! What pods ask for and whether the node has it: the kubelet's own admission
//! (`pkg/kubelet/lifecycle/predicate.go`).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::kube::api::{add_amounts as add, amount, pod_requests};
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
