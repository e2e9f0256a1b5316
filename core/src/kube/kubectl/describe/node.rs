//! A node: its condition, what it has, and what of it is taken.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, Pod, Taint};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::lines::{Lines, rfc1123};
use crate::kube::api::ApiServer;
use crate::kube::kubectl::print::{Now, node_roles};
use crate::kube::quantity::Amount;
use crate::order::{Collected, InOrder};

type Amounts = BTreeMap<String, Amount>;

/// Writes a node, but for its events.
pub(super) fn describe(lines: &mut Lines, api: &ApiServer, node: &Node, now: Now) {
    let name = node.metadata.name.clone().unwrap_or_default();
    let spec = node.spec.clone().unwrap_or_default();
    let status = node.status.clone().unwrap_or_default();
    lines.put(0, &format!("Name:\t{name}"));
    lines.put(0, &format!("Roles:\t{}", node_roles(node)));
    lines.labels("Labels", node.metadata.labels.as_ref());
    lines.annotations("Annotations", node.metadata.annotations.as_ref());
    lines.put(0, &format!("CreationTimestamp:\t{}", rfc1123(node.metadata.creation_timestamp.as_ref())));
    let mut taints = spec.taints.clone().unwrap_or_default();
    taints.order_by(|a, b| a.effect.cmp(&b.effect).then_with(|| shown(a).cmp(&shown(b))));
    lines.list("Taints", taints.iter().map(shown));
    lines.put(0, &format!("Unschedulable:\t{}", spec.unschedulable.unwrap_or(false)));
    let conditions = status.conditions.as_deref().unwrap_or_default();
    // Leases are no kind here; a kubelet renews its lease with the heartbeat of its status.
    let heartbeat =
        conditions.iter().find(|c| c.type_ == "Ready").and_then(|c| c.last_heartbeat_time.as_ref());
    lines.put(0, "Lease:");
    let (holder, renewed) = match heartbeat {
        Some(time) => (name.clone(), rfc1123(Some(time))),
        None => ("<unset>".to_owned(), "<unset>".to_owned()),
    };
    lines.put(1, &format!("HolderIdentity:\t{holder}"));
    lines.put(1, "AcquireTime:\t<unset>");
    lines.put(1, &format!("RenewTime:\t{renewed}"));
    if !conditions.is_empty() {
        lines.put(0, "Conditions:");
        lines.put(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
        lines.put(1, "----\t------\t-----------------\t------------------\t------\t-------");
        for condition in conditions {
            lines.put(
                1,
                &format!(
                    "{} \t{} \t{} \t{} \t{} \t{}",
                    condition.type_,
                    condition.status,
                    rfc1123(condition.last_heartbeat_time.as_ref()),
                    rfc1123(condition.last_transition_time.as_ref()),
                    condition.reason.clone().unwrap_or_default(),
                    condition.message.clone().unwrap_or_default()
                ),
            );
        }
    }
    lines.put(0, "Addresses:");
    for address in status.addresses.iter().flatten() {
        lines.put(1, &format!("{}:\t{}", address.type_, address.address));
    }
    for (title, amounts) in [("Capacity", &status.capacity), ("Allocatable", &status.allocatable)] {
        let Some(amounts) = amounts.as_ref().filter(|amounts| !amounts.is_empty()) else { continue };
        lines.put(0, &format!("{title}:"));
        for (name, quantity) in amounts {
            lines.put(1, &format!("{name}:\t{}", quantity.0));
        }
    }
    let info = status.node_info.clone().unwrap_or_default();
    lines.put(0, "System Info:");
    for (title, value) in [
        ("Machine ID", &info.machine_id),
        ("System UUID", &info.system_uuid),
        ("Boot ID", &info.boot_id),
        ("Kernel Version", &info.kernel_version),
        ("OS Image", &info.os_image),
        ("Operating System", &info.operating_system),
        ("Architecture", &info.architecture),
        ("Container Runtime Version", &info.container_runtime_version),
        ("Kubelet Version", &info.kubelet_version),
    ] {
        lines.put(1, &format!("{title}:\t{value}"));
    }
    let cidrs = spec.pod_cidrs.as_ref().map(|cidrs| cidrs.join(","));
    for (title, value) in
        [("PodCIDR", spec.pod_cidr.clone()), ("PodCIDRs", cidrs), ("ProviderID", spec.provider_id.clone())]
    {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.put(0, &format!("{title}:\t{value}"));
        }
    }
    let allocatable = status.allocatable.or(status.capacity).unwrap_or_default();
    pods_on(lines, api, &name, &allocatable, now);
}

fn shown(taint: &Taint) -> String {
    match taint.value.as_deref() {
        Some(value) if !value.is_empty() => format!("{}={value}:{}", taint.key, taint.effect),
        _ => format!("{}:{}", taint.key, taint.effect),
    }
}

/// The pods of a node and what they take of it.
fn pods_on(
    lines: &mut Lines,
    api: &ApiServer,
    node: &str,
    allocatable: &BTreeMap<String, Quantity>,
    now: Now,
) {
    let pods: Vec<&Pod> = api
        .iter::<Pod>()
        .map(|pod| &**pod)
        .filter(|pod| {
            let on_node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()) == Some(node);
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            on_node && !matches!(phase, Some("Succeeded" | "Failed"))
        })
        .collect();
    let available =
        |name: &str| allocatable.get(name).and_then(|q| Amount::try_from(q).ok()).unwrap_or_default();
    let share = |amounts: &Amounts, name: &str| {
        let amount = amounts.get(name).copied().unwrap_or_default();
        let all = available(name).nanos();
        let percent = if all == 0 { 0 } else { amount.nanos() * 100 / all };
        format!("{amount} ({percent}%)")
    };
    lines.put(0, &format!("Non-terminated Pods:\t({} in total)", pods.len()));
    lines.put(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    lines.put(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let (mut all_requests, mut all_limits) = (Amounts::new(), Amounts::new());
    for pod in pods {
        let (requests, limits) = requests_and_limits(pod);
        lines.put(
            1,
            &format!(
                "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
                pod.metadata.namespace.clone().unwrap_or_default(),
                pod.metadata.name.clone().unwrap_or_default(),
                share(&requests, "cpu"),
                share(&limits, "cpu"),
                share(&requests, "memory"),
                share(&limits, "memory"),
                now.since(pod.metadata.creation_timestamp.as_ref())
            ),
        );
        add(&mut all_requests, &requests);
        add(&mut all_limits, &limits);
    }
    lines.put(0, "Allocated resources:");
    lines.put(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    lines.put(1, "Resource\tRequests\tLimits");
    lines.put(1, "--------\t--------\t------");
    let huge = allocatable.keys().map(String::as_str).filter(|name| name.starts_with("hugepages-"));
    for name in ["cpu", "memory", "ephemeral-storage"].into_iter().chain(huge) {
        lines.put(1, &format!("{name}\t{}\t{}", share(&all_requests, name), share(&all_limits, name)));
    }
    let standard = |name: &str| {
        matches!(name, "cpu" | "memory" | "ephemeral-storage" | "pods") || name.starts_with("hugepages-")
    };
    for name in allocatable.keys().filter(|name| !standard(name)) {
        let amount = |amounts: &Amounts| amounts.get(name).copied().unwrap_or_default();
        lines.put(1, &format!("{name}\t{}\t{}", amount(&all_requests), amount(&all_limits)));
    }
}

fn add(into: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        let sum = into.get(name).copied().unwrap_or_default() + *amount;
        into.insert(name.clone(), sum);
    }
}

fn raise(into: &mut Amounts, other: &Amounts) {
    for (name, amount) in other {
        let present = into.entry(name.clone()).or_insert(*amount);
        if *amount > *present {
            *present = *amount;
        }
    }
}

/// What a pod takes: its containers together, or the largest moment of its initialisation.
fn requests_and_limits(pod: &Pod) -> (Amounts, Amounts) {
    let Some(spec) = &pod.spec else { return (Amounts::new(), Amounts::new()) };
    let init = spec.init_containers.as_deref().unwrap_or_default();
    let total = |of: fn(&Container) -> Option<&BTreeMap<String, Quantity>>| {
        let amounts = |container: &Container| -> Amounts {
            let quantities = of(container).into_iter().flatten();
            quantities.filter_map(|(name, q)| Some((name.clone(), Amount::try_from(q).ok()?))).into_map()
        };
        let mut sum = Amounts::new();
        for container in &spec.containers {
            add(&mut sum, &amounts(container));
        }
        let (mut sidecars, mut peak) = (Amounts::new(), Amounts::new());
        for container in init {
            if container.restart_policy.as_deref() == Some("Always") {
                add(&mut sidecars, &amounts(container));
                raise(&mut peak, &sidecars);
            } else {
                let mut moment = sidecars.clone();
                add(&mut moment, &amounts(container));
                raise(&mut peak, &moment);
            }
        }
        add(&mut sum, &sidecars);
        raise(&mut sum, &peak);
        sum
    };
    let mut requests = total(|container| container.resources.as_ref()?.requests.as_ref());
    let mut limits = total(|container| container.resources.as_ref()?.limits.as_ref());
    let overhead: Amounts = spec
        .overhead
        .iter()
        .flatten()
        .filter_map(|(name, q)| Some((name.clone(), Amount::try_from(q).ok()?)))
        .collect();
    add(&mut requests, &overhead);
    // Overhead counts for limits only where there is one.
    let limited: Amounts = overhead.into_iter().filter(|(name, _)| limits.contains_key(name)).into_map();
    add(&mut limits, &limited);
    (requests, limits)
}
