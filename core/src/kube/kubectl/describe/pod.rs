//! A pod: where it is, what its containers are and do, what it mounts and tolerates.

use k8s_openapi::api::core::v1::{Container, Pod, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::lines::{Lines, rfc1123};
use super::{container, volumes};
use crate::kube::kubectl::print::Now;
use crate::order::InOrder;

/// Writes a pod, but for its events.
pub(super) fn describe(lines: &mut Lines, pod: &Pod, now: Now) {
    let spec = pod.spec.clone().unwrap_or_default();
    let status = pod.status.clone().unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let some = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    lines.put(0, &format!("Name:\t{}", text(&pod.metadata.name)));
    lines.put(0, &format!("Namespace:\t{}", text(&pod.metadata.namespace)));
    if let Some(priority) = spec.priority {
        lines.put(0, &format!("Priority:\t{priority}"));
    }
    for (title, value) in [
        ("Priority Class Name", &spec.priority_class_name),
        ("Runtime Class Name", &spec.runtime_class_name),
        ("Service Account", &spec.service_account_name),
    ] {
        if let Some(value) = some(value) {
            lines.put(0, &format!("{title}:\t{value}"));
        }
    }
    match some(&spec.node_name) {
        None => lines.put(0, "Node:\t<none>"),
        Some(node) => lines.put(0, &format!("Node:\t{node}/{}", text(&status.host_ip))),
    }
    if let Some(time) = &status.start_time {
        lines.put(0, &format!("Start Time:\t{}", rfc1123(Some(time))));
    }
    lines.labels("Labels", pod.metadata.labels.as_ref());
    lines.annotations("Annotations", pod.metadata.annotations.as_ref());
    let phase = text(&status.phase);
    match &pod.metadata.deletion_timestamp {
        Some(time) if phase != "Failed" && phase != "Succeeded" => {
            lines.put(0, &format!("Status:\tTerminating (lasts {})", now.since(Some(time))));
            let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or(0);
            lines.put(0, &format!("Termination Grace Period:\t{grace}s"));
        }
        _ => lines.put(0, &format!("Status:\t{phase}")),
    }
    for (title, value) in [("Reason", &status.reason), ("Message", &status.message)] {
        if let Some(value) = some(value) {
            lines.put(0, &format!("{title}:\t{value}"));
        }
    }
    if let Some(profile) = spec.security_context.as_ref().and_then(|c| c.seccomp_profile.as_ref()) {
        lines.put(0, &format!("SeccompProfile:\t{}", profile.type_));
        if profile.type_ == "Localhost" {
            lines.put(0, &format!("LocalhostProfile:\t{}", text(&profile.localhost_profile)));
        }
    }
    lines.put(0, &format!("IP:\t{}", text(&status.pod_ip)));
    match status.pod_ips.as_deref() {
        None | Some([]) => lines.put(0, "IPs:\t<none>"),
        Some(ips) => {
            lines.put(0, "IPs:");
            for ip in ips {
                lines.put(1, &format!("IP:\t{}", ip.ip));
            }
        }
    }
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    if let Some(owner) = owners.iter().find(|owner| owner.controller == Some(true)) {
        lines.put(0, &format!("Controlled By:\t{}/{}", owner.kind, owner.name));
    }
    if let Some(node) = some(&status.nominated_node_name) {
        lines.put(0, &format!("NominatedNodeName:\t{node}"));
    }
    if let Some(resources) = &spec.resources {
        lines.put(0, "Resources:");
        container::resources(lines, resources, 1);
    }
    let init = spec.init_containers.as_deref().unwrap_or_default();
    if !init.is_empty() {
        container::all(lines, "Init Containers", init, status.init_container_statuses.as_deref(), pod);
    }
    container::all(lines, "Containers", &spec.containers, status.container_statuses.as_deref(), pod);
    let ephemeral: Vec<Container> = spec
        .ephemeral_containers
        .iter()
        .flatten()
        .map(|container| Container {
            name: container.name.clone(),
            image: container.image.clone(),
            command: container.command.clone(),
            args: container.args.clone(),
            env: container.env.clone(),
            env_from: container.env_from.clone(),
            volume_mounts: container.volume_mounts.clone(),
            ..Container::default()
        })
        .collect();
    if !ephemeral.is_empty() {
        let statuses = status.ephemeral_container_statuses.as_deref();
        container::all(lines, "Ephemeral Containers", &ephemeral, statuses, pod);
    }
    let conditions = status.conditions.as_deref().unwrap_or_default();
    if let Some(gates) = spec.readiness_gates.as_deref().filter(|gates| !gates.is_empty()) {
        lines.put(0, "Readiness Gates:");
        lines.put(1, "Type\tStatus");
        for gate in gates {
            let condition = conditions.iter().find(|condition| condition.type_ == gate.condition_type);
            let status = condition.map_or("<none>", |condition| condition.status.as_str());
            lines.put(1, &format!("{} \t{status} ", gate.condition_type));
        }
    }
    if !conditions.is_empty() {
        lines.put(0, "Conditions:");
        lines.put(1, "Type\tStatus");
        for condition in conditions {
            lines.put(1, &format!("{} \t{} ", condition.type_, condition.status));
        }
    }
    volumes::describe(lines, spec.volumes.as_deref().unwrap_or_default());
    lines.put(0, &format!("QoS Class:\t{}", text(&status.qos_class)));
    lines.labels("Node-Selectors", spec.node_selector.as_ref());
    let mut tolerations = spec.tolerations.clone().unwrap_or_default();
    tolerations.order_by(|a, b| a.key.cmp(&b.key));
    lines.list("Tolerations", tolerations.iter().map(toleration));
    let mut constraints = spec.topology_spread_constraints.clone().unwrap_or_default();
    constraints.order_by(|a, b| a.topology_key.cmp(&b.topology_key));
    if !constraints.is_empty() {
        let shown = constraints.iter().map(|constraint| {
            let selector = constraint
                .label_selector
                .as_ref()
                .map(|selector| format!(" for selector {}", format_selector(selector)))
                .unwrap_or_default();
            format!(
                "{}:{} when max skew {} is exceeded{selector}",
                constraint.topology_key, constraint.when_unsatisfiable, constraint.max_skew
            )
        });
        lines.list("Topology Spread Constraints", shown);
    }
}

fn toleration(toleration: &Toleration) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (key, value, effect) = (text(&toleration.key), text(&toleration.value), text(&toleration.effect));
    let mut shown = key.clone();
    if !value.is_empty() {
        shown.push_str(&format!("={value}"));
    }
    if !effect.is_empty() {
        shown.push_str(&format!(":{effect}"));
    }
    if toleration.operator.as_deref() == Some("Exists") && value.is_empty() {
        shown.push_str(if key.is_empty() && effect.is_empty() { "op=Exists" } else { " op=Exists" });
    }
    if let Some(seconds) = toleration.toleration_seconds {
        shown.push_str(&format!(" for {seconds}s"));
    }
    shown
}

/// `app=web,tier in (a,b)`
fn format_selector(selector: &LabelSelector) -> String {
    let equal = selector.match_labels.iter().flatten().map(|(key, value)| format!("{key}={value}"));
    let others = selector.match_expressions.iter().flatten().map(|requirement| {
        let mut values = requirement.values.clone().unwrap_or_default();
        values.sort();
        let values = values.join(",");
        match requirement.operator.as_str() {
            "In" => format!("{} in ({values})", requirement.key),
            "NotIn" => format!("{} notin ({values})", requirement.key),
            "DoesNotExist" => format!("!{}", requirement.key),
            _ => requirement.key.clone(),
        }
    });
    let all: Vec<String> = equal.chain(others).collect();
    if all.is_empty() { "<none>".to_owned() } else { all.join(",") }
}
