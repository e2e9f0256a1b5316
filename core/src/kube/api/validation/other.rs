//! Nodes, config maps, priority classes.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ConfigMap, Node, Taint};
use k8s_openapi::api::scheduling::v1::PriorityClass;

use super::field::{At, Errors, go_quote};
use super::names::{is_config_map_key, is_qualified_name, is_valid_label_value};
use super::placement::TAINT_EFFECTS;
use super::resources;

/// What the data of a ConfigMap may weigh in all.
const CONFIG_MAP_BYTES: usize = 1024 * 1024;
/// The highest priority that is not the system's.
const HIGHEST_USER_PRIORITY: i32 = 1_000_000_000;

pub(super) fn node(node: &Node, errors: &mut Errors) {
    if let Some(taints) = node.spec.as_ref().and_then(|spec| spec.taints.as_ref()) {
        validate_taints(taints, errors);
    }
    if let Some(status) = &node.status {
        let at = At::root("status");
        for (field, list) in [("capacity", &status.capacity), ("allocatable", &status.allocatable)] {
            let at = at.child(field);
            for (name, amount) in list.iter().flatten() {
                resources::value(name, amount, &at.key(name), errors);
            }
        }
    }
}

pub(super) fn node_update(new: &Node, old: &Node, errors: &mut Errors) {
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return };
    let spec = At::root("spec");
    let changed = |new: &Option<String>, old: &Option<String>| {
        new != old && old.as_deref().is_some_and(|old| !old.is_empty())
    };
    if changed(&new.pod_cidr, &old.pod_cidr) {
        errors.forbidden(
            &spec.child("podCIDRs"),
            "node updates may not change podCIDR except from \"\" to valid",
        );
    }
    if changed(&new.provider_id, &old.provider_id) {
        let detail = "node updates may not change providerID except from \"\" to valid";
        errors.forbidden(&spec.child("providerID"), detail);
    }
}

fn validate_taints(taints: &[Taint], errors: &mut Errors) {
    let list = At::root("metadata").child("taints").to_string();
    let list = At::root(&list);
    let mut seen = BTreeSet::new();
    for (i, taint) in taints.iter().enumerate() {
        let at = list.index(i);
        errors.invalid_all(&at.child("key"), &taint.key, &is_qualified_name(&taint.key));
        let value = taint.value.as_deref().unwrap_or_default();
        let problems = is_valid_label_value(value);
        if !problems.is_empty() {
            errors.invalid(&at.child("value"), value, &problems.join(";"));
        }
        errors.one_of(&at.child("effect"), Some(&taint.effect), &TAINT_EFFECTS);
        if !seen.insert((&taint.key, &taint.effect)) {
            let shown = format!(
                "{{\"Key\":{},\"Value\":{},\"Effect\":{},\"TimeAdded\":null}}",
                go_quote(&taint.key),
                go_quote(value),
                go_quote(&taint.effect)
            );
            errors.duplicate_bare(&at, shown, "taints must be unique by key and effect pair");
        }
    }
}

pub(super) fn config_map(map: &ConfigMap, errors: &mut Errors) {
    let mut total = 0;
    let binary = map.binary_data.as_ref();
    let data_at = At::root("data");
    for (key, value) in map.data.iter().flatten() {
        errors.invalid_all(&data_at.key(key), key, &is_config_map_key(key));
        if binary.is_some_and(|binary| binary.contains_key(key)) {
            errors.invalid(&data_at.key(key), key, "duplicate of key present in binaryData");
        }
        total += value.len();
    }
    let binary_at = At::root("binaryData");
    for (key, value) in binary.into_iter().flatten() {
        errors.invalid_all(&binary_at.key(key), key, &is_config_map_key(key));
        total += value.0.len();
    }
    if total > CONFIG_MAP_BYTES {
        errors.too_long(&At::root("[]"), CONFIG_MAP_BYTES);
    }
}

pub(super) fn config_map_update(new: &ConfigMap, old: &ConfigMap, errors: &mut Errors) {
    if old.immutable != Some(true) {
        return;
    }
    let detail = "field is immutable when `immutable` is set";
    if new.immutable != Some(true) {
        errors.forbidden(&At::root("immutable"), detail);
    }
    if new.data != old.data {
        errors.forbidden(&At::root("data"), detail);
    }
    if new.binary_data != old.binary_data {
        errors.forbidden(&At::root("binaryData"), detail);
    }
}

pub(super) fn priority_class(class: &PriorityClass, errors: &mut Errors) {
    let name = class.metadata.name.as_deref().unwrap_or_default();
    let value = class.value.unwrap_or_default();
    let system = ["system-cluster-critical", "system-node-critical"].contains(&name);
    if name.starts_with("system-") && !system {
        errors.forbidden(
            &At::root("metadata").child("name"),
            &format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known system priority class"
            ),
        );
    } else if value > HIGHEST_USER_PRIORITY && !system {
        errors.forbidden(
            &At::root("value"),
            &format!("maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}"),
        );
    }
    let policy = class.preemption_policy.as_deref();
    errors.one_of(&At::root("preemptionPolicy"), policy, &["PreemptLowerPriority", "Never"]);
}

pub(super) fn priority_class_update(new: &PriorityClass, old: &PriorityClass, errors: &mut Errors) {
    if new.value != old.value {
        errors.forbidden(&At::root("value"), "may not be changed in an update.");
    }
    if new.preemption_policy != old.preemption_policy {
        let shown = go_quote(new.preemption_policy.as_deref().unwrap_or_default());
        errors.invalid_bare(&At::root("preemptionPolicy"), shown, "field is immutable");
    }
}
