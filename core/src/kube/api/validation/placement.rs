//! Where a pod may run: affinity, spreading, tolerations, gates.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    Affinity, NodeSelectorTerm, PodAffinityTerm, PodSchedulingGate, Toleration, TopologySpreadConstraint,
    WeightedPodAffinityTerm,
};

use super::field::{At, Errors};
use super::meta::{label_selector, operator_and_values};
use super::names::{is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_valid_label_value};

pub(super) const TAINT_EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

pub(super) fn affinity(affinity: Option<&Affinity>, at: &At<'_>, errors: &mut Errors) {
    let Some(affinity) = affinity else { return };
    if let Some(node) = &affinity.node_affinity {
        let at = at.child("nodeAffinity");
        if let Some(required) = &node.required_during_scheduling_ignored_during_execution {
            let at = at.child("requiredDuringSchedulingIgnoredDuringExecution");
            let terms = at.child("nodeSelectorTerms");
            if required.node_selector_terms.is_empty() {
                errors.required(&terms, "must have at least one node selector term");
            }
            for (i, term) in required.node_selector_terms.iter().enumerate() {
                node_term(term, true, &terms.index(i), errors);
            }
        }
        let preferred = at.child("preferredDuringSchedulingIgnoredDuringExecution");
        for (i, term) in
            node.preferred_during_scheduling_ignored_during_execution.iter().flatten().enumerate()
        {
            let at = preferred.index(i);
            weight(term.weight, &at, errors);
            node_term(&term.preference, false, &at.child("preference"), errors);
        }
    }
    if let Some(pods) = &affinity.pod_affinity {
        pod_terms(
            pods.required_during_scheduling_ignored_during_execution.as_deref(),
            pods.preferred_during_scheduling_ignored_during_execution.as_deref(),
            &at.child("podAffinity"),
            errors,
        );
    }
    if let Some(pods) = &affinity.pod_anti_affinity {
        pod_terms(
            pods.required_during_scheduling_ignored_during_execution.as_deref(),
            pods.preferred_during_scheduling_ignored_during_execution.as_deref(),
            &at.child("podAntiAffinity"),
            errors,
        );
    }
}

fn weight(weight: i32, at: &At<'_>, errors: &mut Errors) {
    if !(1..=100).contains(&weight) {
        errors.invalid_bare(&at.child("weight"), weight, "must be in the range 1-100");
    }
}

/// A preference may name values that no label can have; a requirement may not.
fn node_term(term: &NodeSelectorTerm, required: bool, at: &At<'_>, errors: &mut Errors) {
    let expressions = at.child("matchExpressions");
    for (i, requirement) in term.match_expressions.iter().flatten().enumerate() {
        let at = expressions.index(i);
        let values = requirement.values.as_deref().unwrap_or_default();
        operator_and_values(&requirement.operator, values.len(), true, &at, errors);
        errors.invalid_all(&at.child("key"), &requirement.key, &is_qualified_name(&requirement.key));
        let list = at.child("values");
        for (i, value) in values.iter().enumerate().filter(|_| required) {
            errors.invalid_all(&list.index(i), value, &is_valid_label_value(value));
        }
    }
    let fields = at.child("matchFields");
    for (i, requirement) in term.match_fields.iter().flatten().enumerate() {
        let at = fields.index(i);
        let values = requirement.values.as_deref().unwrap_or_default();
        if !["In", "NotIn"].contains(&requirement.operator.as_str()) {
            errors.invalid(&at.child("operator"), &requirement.operator, "not a valid selector operator");
        } else if values.len() != 1 {
            errors.required(
                &at.child("values"),
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
            );
        }
        if requirement.key == "metadata.name" {
            let list = at.child("values");
            for (i, value) in values.iter().enumerate() {
                errors.invalid_all(&list.index(i), value, &is_dns1123_subdomain(value));
            }
        } else {
            errors.invalid(&at.child("key"), &requirement.key, "not a valid field selector key");
        }
    }
}

fn pod_terms(
    required: Option<&[PodAffinityTerm]>,
    preferred: Option<&[WeightedPodAffinityTerm]>,
    at: &At<'_>,
    errors: &mut Errors,
) {
    let list = at.child("requiredDuringSchedulingIgnoredDuringExecution");
    for (i, term) in required.into_iter().flatten().enumerate() {
        pod_term(term, &list.index(i), errors);
    }
    let list = at.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (i, term) in preferred.into_iter().flatten().enumerate() {
        let at = list.index(i);
        weight(term.weight, &at, errors);
        pod_term(&term.pod_affinity_term, &at.child("podAffinityTerm"), errors);
    }
}

fn pod_term(term: &PodAffinityTerm, at: &At<'_>, errors: &mut Errors) {
    label_selector(term.label_selector.as_ref(), &at.child("labelSelector"), errors);
    label_selector(term.namespace_selector.as_ref(), &at.child("namespaceSelector"), errors);
    for name in term.namespaces.iter().flatten() {
        errors.invalid_all(&at.child("namespace"), name, &is_dns1123_label(name));
    }
    if term.topology_key.is_empty() {
        errors.required(&at.child("topologyKey"), "can not be empty");
    }
    errors.invalid_all(&at.child("topologyKey"), &term.topology_key, &is_qualified_name(&term.topology_key));
}

pub(super) fn spread(constraints: &[TopologySpreadConstraint], at: &At<'_>, errors: &mut Errors) {
    const WHEN: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];
    for (i, constraint) in constraints.iter().enumerate() {
        let at = at.index(i);
        if constraint.max_skew <= 0 {
            errors.invalid_bare(&at.child("maxSkew"), constraint.max_skew, "must be greater than zero");
        }
        let (key, when) = (constraint.topology_key.as_str(), constraint.when_unsatisfiable.as_str());
        if key.is_empty() {
            errors.required(&at.child("topologyKey"), "can not be empty");
        } else {
            errors.invalid_all(&at.child("topologyKey"), key, &is_qualified_name(key));
        }
        if !WHEN.contains(&when) {
            errors.not_supported(&at.child("whenUnsatisfiable"), when, &WHEN);
        }
        // The earlier of two is the one that is told.
        if constraints[i + 1..]
            .iter()
            .any(|later| (later.topology_key.as_str(), later.when_unsatisfiable.as_str()) == (key, when))
        {
            errors.duplicate(&at.child("{topologyKey, whenUnsatisfiable}"), &format!("{{{key}, {when}}}"));
        }
        if let Some(domains) = constraint.min_domains {
            if domains <= 0 {
                errors.invalid_bare(&at.child("minDomains"), domains, "must be greater than zero");
            }
            if when != "DoNotSchedule" {
                let detail =
                    format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}");
                errors.invalid_bare(&at.child("minDomains"), domains, &detail);
            }
        }
        for (field, policy) in [
            ("nodeAffinityPolicy", &constraint.node_affinity_policy),
            ("nodeTaintsPolicy", &constraint.node_taints_policy),
        ] {
            if let Some(policy) = policy.as_deref().filter(|policy| !["Honor", "Ignore"].contains(policy)) {
                errors.not_supported(&at.child(field), policy, &["Honor", "Ignore"]);
            }
        }
        label_selector(constraint.label_selector.as_ref(), &at.child("labelSelector"), errors);
    }
}

pub(super) fn tolerations(tolerations: &[Toleration], at: &At<'_>, errors: &mut Errors) {
    for (i, toleration) in tolerations.iter().enumerate() {
        let at = at.index(i);
        let text = |field: &'_ Option<String>| field.clone().unwrap_or_default();
        let (key, operator, value, effect) = (
            text(&toleration.key),
            text(&toleration.operator),
            text(&toleration.value),
            text(&toleration.effect),
        );
        if !key.is_empty() {
            errors.invalid_all(&at.child("key"), &key, &is_qualified_name(&key));
        }
        if key.is_empty() && operator != "Exists" {
            errors.invalid(
                &at.child("operator"),
                &operator,
                "operator must be Exists when `key` is empty, which means \"match all values and all keys\"",
            );
        }
        if toleration.toleration_seconds.is_some() && effect != "NoExecute" {
            errors.invalid(
                &at.child("effect"),
                &effect,
                "effect must be 'NoExecute' when `tolerationSeconds` is set",
            );
        }
        match operator.as_str() {
            "Equal" | "" => {
                let problems = is_valid_label_value(&value);
                if !problems.is_empty() {
                    errors.invalid(&at.child("operator"), &value, &problems.join(";"));
                }
            }
            "Exists" => {
                if !value.is_empty() {
                    errors.invalid(
                        &at.child("operator"),
                        &value,
                        "value must be empty when `operator` is 'Exists'",
                    );
                }
            }
            other => errors.not_supported(&at.child("operator"), other, &["Equal", "Exists"]),
        }
        if !effect.is_empty() && !TAINT_EFFECTS.contains(&effect.as_str()) {
            errors.not_supported(&at.child("effect"), &effect, &TAINT_EFFECTS);
        }
    }
}

pub(super) fn gates(gates: &[PodSchedulingGate], at: &At<'_>, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for (i, gate) in gates.iter().enumerate() {
        let at = at.index(i);
        errors.invalid_all(&at, &gate.name, &is_qualified_name(&gate.name));
        if !names.insert(&gate.name) {
            errors.duplicate(&at, &gate.name);
        }
    }
}
