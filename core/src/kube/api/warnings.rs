//! Warnings: what the API server lets pass but does not like (`pkg/api/pod/warnings.go`).

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, PodSpec};

use super::Object;
use crate::kube::quantity::Amount;

/// The warnings that a new object deserves.
pub(super) fn on_create(object: &Object) -> Vec<String> {
    match object {
        Object::Pod(pod) => pod.spec.as_ref().map(of_pod_spec).unwrap_or_default(),
        _ => Vec::new(),
    }
}

fn of_pod_spec(spec: &PodSpec) -> Vec<String> {
    let mut warnings = Vec::new();
    for (key, instead) in [
        ("beta.kubernetes.io/arch", "use \"kubernetes.io/arch\" instead"),
        ("beta.kubernetes.io/os", "use \"kubernetes.io/os\" instead"),
    ] {
        if spec.node_selector.as_ref().is_some_and(|selector| selector.contains_key(key)) {
            warnings.push(format!("spec.nodeSelector[{key}]: deprecated since v1.14; {instead}"));
        }
    }
    for (i, constraint) in spec.topology_spread_constraints.iter().flatten().enumerate() {
        if constraint.label_selector.is_none() {
            warnings.push(format!(
                "spec.topologySpreadConstraints[{i}].labelSelector: a null labelSelector results in matching no pod"
            ));
        }
    }
    let mut addresses = BTreeSet::new();
    for (i, alias) in spec.host_aliases.iter().flatten().enumerate() {
        if !addresses.insert(&alias.ip) {
            warnings.push(format!("spec.hostAliases[{i}].ip: duplicate ip \"{}\"", alias.ip));
        }
    }
    let mut secrets = BTreeSet::new();
    for (i, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        if !secrets.insert(&secret.name) {
            warnings.push(format!("spec.imagePullSecrets[{i}].name: duplicate name \"{}\"", secret.name));
        }
    }
    for (i, secret) in spec.image_pull_secrets.iter().flatten().enumerate() {
        if secret.name.is_empty() {
            warnings.push(format!("spec.imagePullSecrets[{i}].name: invalid empty name \"\""));
        }
    }
    let containers: Vec<(String, &Container)> = all_containers(spec).collect();
    for (path, container) in &containers {
        fractional_bytes(path, container, &mut warnings);
        hidden_variables(path, container, &mut warnings);
    }
    duplicate_ports(&containers, &mut warnings);
    warnings
}

fn all_containers(spec: &PodSpec) -> impl Iterator<Item = (String, &Container)> {
    let init = spec.init_containers.iter().flatten().enumerate();
    let init = init.map(|(i, container)| (format!("spec.initContainers[{i}]"), container));
    let regular = spec.containers.iter().enumerate();
    init.chain(regular.map(|(i, container)| (format!("spec.containers[{i}]"), container)))
}

/// A variable that is defined again without building on the first definition.
fn hidden_variables(path: &str, container: &Container, warnings: &mut Vec<String>) {
    let mut names = BTreeSet::new();
    for (i, variable) in container.env.iter().flatten().enumerate() {
        let reference = format!("$({})", variable.name);
        let value = variable.value.as_deref().unwrap_or_default();
        let hides = variable.value_from.is_some() || value == reference || !value.contains(&reference);
        if !names.insert(&variable.name) && hides {
            warnings.push(format!(
                "{path}.env[{i}]: hides previous definition of \"{}\", which may be dropped when using apply",
                variable.name
            ));
        }
    }
}

fn fractional_bytes(path: &str, container: &Container, warnings: &mut Vec<String>) {
    let Some(resources) = &container.resources else { return };
    for name in ["memory", "ephemeral-storage"] {
        for (list, amounts) in [("limits", &resources.limits), ("requests", &resources.requests)] {
            let amount = amounts.as_ref().and_then(|amounts| amounts.get(name));
            let Some(Ok(amount)) = amount.map(Amount::try_from) else { continue };
            // Thousandths of very large amounts do not fit, so that 1Ei gets this too, as in the original.
            if amount.milli_value() % 1000 != 0 {
                warnings.push(format!(
                    "{path}.resources.{list}[{name}]: fractional byte value \"{amount}\" is invalid, must be an integer"
                ));
            }
        }
    }
}

fn duplicate_ports(containers: &[(String, &Container)], warnings: &mut Vec<String>) {
    let mut seen: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (path, container) in containers {
        for (i, port) in container.ports.iter().flatten().enumerate() {
            let at = format!("{path}.ports[{i}]");
            let host_ip = port.host_ip.as_deref().unwrap_or_default();
            let host_port = port.host_port.unwrap_or_default();
            let key = (port.container_port, port.protocol.as_deref().unwrap_or_default());
            let others = seen.entry(key).or_default();
            for (other, other_ip, other_port) in others.iter() {
                if (host_ip, host_port) == (*other_ip, *other_port) {
                    warnings.push(format!("{at}: duplicate port definition with {other}"));
                } else if host_port == 0 || *other_port == 0 {
                    warnings.push(format!("{at}: overlapping port definition with {other}"));
                }
            }
            others.push((at, host_ip, host_port));
        }
    }
}
