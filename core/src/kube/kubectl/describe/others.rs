//! Namespaces, config maps, service accounts and priority classes.

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, ServiceAccount};
use k8s_openapi::api::scheduling::v1::PriorityClass;

use super::lines::{Lines, rfc1123};
use crate::kube::kubectl::print::format_labels;

/// Writes a namespace.
pub(super) fn namespace(lines: &mut Lines, namespace: &Namespace) {
    let meta = &namespace.metadata;
    let status = namespace.status.clone().unwrap_or_default();
    lines.put(0, &format!("Name:\t{}", meta.name.clone().unwrap_or_default()));
    lines.labels("Labels", meta.labels.as_ref());
    lines.annotations("Annotations", meta.annotations.as_ref());
    lines.put(0, &format!("Status:\t{}", status.phase.unwrap_or_default()));
    let conditions = status.conditions.unwrap_or_default();
    if !conditions.is_empty() {
        lines.put(0, "Conditions:");
        lines.put(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        lines.put(1, "----\t------\t------------------\t------\t-------");
        for condition in conditions {
            lines.put(
                1,
                &format!(
                    "{}\t{}\t{}\t{}\t{}",
                    condition.type_,
                    condition.status,
                    rfc1123(condition.last_transition_time.as_ref()),
                    condition.reason.unwrap_or_default(),
                    condition.message.unwrap_or_default()
                ),
            );
        }
    }
    // Quotas and limit ranges are no kinds here, so that there never is one.
    lines.raw("\nNo resource quota.\n\nNo LimitRange resource.\n");
}

/// Writes a config map.
pub(super) fn config_map(lines: &mut Lines, map: &ConfigMap) {
    let meta = &map.metadata;
    lines.put(0, &format!("Name:\t{}", meta.name.clone().unwrap_or_default()));
    lines.put(0, &format!("Namespace:\t{}", meta.namespace.clone().unwrap_or_default()));
    lines.labels("Labels", meta.labels.as_ref());
    lines.annotations("Annotations", meta.annotations.as_ref());
    lines.raw("\nData\n====\n");
    for (key, value) in map.data.iter().flatten() {
        lines.raw(&format!("{key}:\n----\n{value}\n\n"));
    }
    lines.raw("\nBinaryData\n====\n");
    for (key, value) in map.binary_data.iter().flatten() {
        lines.raw(&format!("{key}: {} bytes\n", value.0.len()));
    }
    lines.raw("\n");
}

/// Writes a service account.
pub(super) fn service_account(lines: &mut Lines, account: &ServiceAccount) {
    let meta = &account.metadata;
    lines.put(0, &format!("Name:\t{}", meta.name.clone().unwrap_or_default()));
    lines.put(0, &format!("Namespace:\t{}", meta.namespace.clone().unwrap_or_default()));
    lines.labels("Labels", meta.labels.as_ref());
    lines.annotations("Annotations", meta.annotations.as_ref());
    let pull = account.image_pull_secrets.iter().flatten().map(|secret| secret.name.clone());
    lines.list("Image pull secrets", pull);
}

/// Writes a priority class.
pub(super) fn priority_class(lines: &mut Lines, class: &PriorityClass) {
    let meta = &class.metadata;
    lines.put(0, &format!("Name:\t{}", meta.name.clone().unwrap_or_default()));
    lines.put(0, &format!("Value:\t{}", class.value.unwrap_or(0)));
    lines.put(0, &format!("GlobalDefault:\t{}", class.global_default.unwrap_or(false)));
    lines.put(0, &format!("PreemptionPolicy:\t{}", class.preemption_policy.clone().unwrap_or_default()));
    lines.put(0, &format!("Description:\t{}", class.description.clone().unwrap_or_default()));
    lines.put(0, &format!("Annotations:\t{}", format_labels(meta.annotations.as_ref())));
}
