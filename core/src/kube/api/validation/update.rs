//! What an update of a pod may change.

use k8s_openapi::api::core::v1::{Affinity, Container, NodeAffinity, Pod, PodSpec, Toleration};

use super::field::{At, Errors, inclusive_range};
use super::go_spec;

const SPEC: At<'static> = At::root("spec");
const CHANGEABLE: &str = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) fn validate(new: &Pod, old: &Pod, errors: &mut Errors) {
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else { return };
    let lists = [
        ("containers", Some(&new.containers), Some(&old.containers)),
        ("initContainers", new.init_containers.as_ref(), old.init_containers.as_ref()),
    ];
    for (field, new, old) in lists {
        let (new, old) = (new.map_or(&[][..], Vec::as_slice), old.map_or(&[][..], Vec::as_slice));
        if new.len() != old.len() {
            errors.forbidden(&SPEC.child(field), "pod updates may not add or remove containers");
            return;
        }
    }
    if !deadline(new, old, errors) {
        return;
    }
    let list = |spec: &PodSpec| spec.tolerations.clone().unwrap_or_default();
    only_added_tolerations(&list(new), &list(old), errors);
    only_removed_gates(new, old, errors);
    if new == old {
        return;
    }
    let mut munged = new.clone();
    same_images(&mut munged.containers, &old.containers);
    if let (Some(new), Some(old)) = (&mut munged.init_containers, &old.init_containers) {
        same_images(new, old);
    }
    munged.active_deadline_seconds = old.active_deadline_seconds;
    munged.scheduling_gates.clone_from(&old.scheduling_gates);
    munged.tolerations.clone_from(&old.tolerations);
    if old.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0)
        && new.termination_grace_period_seconds == Some(1)
    {
        munged.termination_grace_period_seconds = old.termination_grace_period_seconds;
    }
    // The two names of the account are one field.
    munged.service_account.clone_from(&old.service_account);
    if old.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()) {
        gated_node_selector(&mut munged, old, errors);
        gated_node_affinity(&mut munged, old, errors);
    }
    if munged != *old {
        let difference = go_spec::difference(old, &munged);
        errors.forbidden(
            &SPEC,
            &format!("pod updates may not change fields other than {CHANGEABLE}\n{difference}"),
        );
    }
}

/// A deadline may be set, and come nearer.
fn deadline(new: &PodSpec, old: &PodSpec, errors: &mut Errors) -> bool {
    let at = SPEC.child("activeDeadlineSeconds");
    match (new.active_deadline_seconds, old.active_deadline_seconds) {
        (Some(new), _) if !(0..=i64::from(i32::MAX)).contains(&new) => {
            errors.invalid_bare(&at, new, &inclusive_range(0, i64::from(i32::MAX)));
            false
        }
        (Some(new), Some(old)) if old < new => {
            errors.invalid_bare(&at, new, "must be less than or equal to previous value");
            false
        }
        (None, Some(_)) => {
            errors.invalid_bare(&at, "null", "must not update from a positive integer to nil value");
            true
        }
        _ => true,
    }
}

fn only_added_tolerations(new: &[Toleration], old: &[Toleration], errors: &mut Errors) {
    // The same toleration may come back with other seconds.
    let same = |a: &Toleration, b: &Toleration| {
        let plain = |t: &Toleration| Toleration { toleration_seconds: None, ..t.clone() };
        plain(a) == plain(b)
    };
    if old.iter().any(|old| !new.iter().any(|new| same(new, old))) {
        errors.forbidden(
            &SPEC.child("tolerations"),
            "existing toleration can not be modified except its tolerationSeconds",
        );
    }
}

fn only_removed_gates(new: &PodSpec, old: &PodSpec, errors: &mut Errors) {
    let present = old.scheduling_gates.as_deref().unwrap_or_default();
    for (i, gate) in new.scheduling_gates.iter().flatten().enumerate() {
        if !present.contains(gate) {
            let detail =
                "only deletion is allowed, but found new scheduling gate '".to_owned() + &gate.name + "'";
            errors.forbidden(&SPEC.child("schedulingGates").index(i).child("name"), &detail);
        }
    }
}

/// A pod that still waits at a gate may have its node selector narrowed.
fn gated_node_selector(munged: &mut PodSpec, old: &PodSpec, errors: &mut Errors) {
    if munged.node_selector == old.node_selector {
        return;
    }
    for (key, value) in old.node_selector.iter().flatten() {
        let kept = munged.node_selector.as_ref().and_then(|selector| selector.get(key)) == Some(value);
        if !kept {
            let new = serde_json::to_string(&munged.node_selector).unwrap_or_default();
            let detail = "only additions are allowed (no mutations or deletions)";
            errors.invalid_bare(&SPEC.child("nodeSelector"), new, detail);
            break;
        }
    }
    munged.node_selector.clone_from(&old.node_selector);
}

/// A pod that still waits at a gate may have the terms of its node affinity narrowed.
fn gated_node_affinity(munged: &mut PodSpec, old: &PodSpec, errors: &mut Errors) {
    let of = |spec: &PodSpec| spec.affinity.as_ref().and_then(|affinity| affinity.node_affinity.clone());
    let (new, before) = (of(munged), of(old));
    if new == before {
        return;
    }
    let required = |affinity: Option<&NodeAffinity>| {
        let required = affinity?.required_during_scheduling_ignored_during_execution.clone()?;
        Some(required.node_selector_terms).filter(|terms| !terms.is_empty())
    };
    let at = SPEC.child("affinity");
    let at = at.child("nodeAffinity");
    let at = at.child("requiredDuringSchedulingIgnoredDuringExecution");
    let at = at.child("nodeSelectorTerms");
    if let Some(before) = required(before.as_ref()) {
        let new = required(new.as_ref()).unwrap_or_default();
        if new.len() == before.len() {
            for (i, (new, before)) in new.iter().zip(&before).enumerate() {
                if !(starts_with(new.match_expressions.as_ref(), before.match_expressions.as_ref())
                    && starts_with(new.match_fields.as_ref(), before.match_fields.as_ref()))
                {
                    let shown = serde_json::to_string(new).unwrap_or_default();
                    let detail = "only additions are allowed (no mutations or deletions)";
                    errors.invalid_bare(&at.index(i), shown, detail);
                }
            }
        } else {
            let shown = serde_json::to_string(&new).unwrap_or_default();
            errors.invalid_bare(
                &at,
                shown,
                "no additions/deletions to non-empty NodeSelectorTerms list are allowed",
            );
        }
    }
    let mut affinity = munged.affinity.take().unwrap_or_default();
    affinity.node_affinity = before;
    let nothing = affinity == Affinity::default() && old.affinity.is_none();
    munged.affinity = (!nothing).then_some(affinity);
}

fn starts_with<T: PartialEq>(list: Option<&Vec<T>>, start: Option<&Vec<T>>) -> bool {
    start.is_none_or(|start| list.is_some_and(|list| list.starts_with(start)) || start.is_empty())
}

fn same_images(new: &mut [Container], old: &[Container]) {
    for (new, old) in new.iter_mut().zip(old) {
        new.image.clone_from(&old.image);
    }
}
