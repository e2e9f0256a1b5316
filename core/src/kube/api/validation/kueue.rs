//! Pod groups of the scheduler, and the kinds of Kueue. The words of the latter are our own: the real ones come from
//! schemas and webhooks of Kueue.

use k8s_openapi::api::scheduling::v1alpha2::PodGroup;

use super::field::{At, Errors};
use super::is_qualified_name;
use crate::kube::api::kueue::{ClusterQueue, ClusterQueueSpec, LocalQueue, ResourceFlavor, Workload};
use crate::kube::quantity::Amount;

const SPEC: At<'static> = At::root("spec");

/// A group of the scheduler's own (`pkg/apis/scheduling/validation`).
pub(super) fn pod_group(group: &PodGroup, errors: &mut Errors) {
    let policy = &group.spec.scheduling_policy;
    let at = SPEC.child("schedulingPolicy");
    match (&policy.basic, &policy.gang) {
        (None, None) => {
            errors.required(&at, "must specify one of: `basic`, `gang`");
        }
        (Some(_), Some(_)) => {
            errors.invalid(&at, "{basic, gang}", "must specify exactly one of: `basic`, `gang`");
        }
        (None, Some(gang)) if gang.min_count < 1 => {
            let min_count = at.child("gang");
            errors.invalid_bare(
                &min_count.child("minCount"),
                gang.min_count,
                "must be greater than or equal to 1",
            );
        }
        _ => {}
    }
    let constraints = SPEC.child("schedulingConstraints");
    let topology = group.spec.scheduling_constraints.as_ref().and_then(|c| c.topology.as_ref());
    for (index, constraint) in topology.into_iter().flatten().enumerate() {
        let at = constraints.child("topology");
        let at = at.index(index);
        if index > 0 {
            errors.forbidden(&at, "not modelled: more than one topology constraint; the API takes one");
        }
        let wrong = is_qualified_name(&constraint.key);
        if !wrong.is_empty() {
            errors.invalid_all(&at.child("key"), &constraint.key, &wrong);
        }
    }
    for (field, used) in [
        ("disruptionMode", group.spec.disruption_mode.is_some()),
        ("resourceClaims", group.spec.resource_claims.as_ref().is_some_and(|claims| !claims.is_empty())),
        ("priorityClassName", group.spec.priority_class_name.is_some()),
    ] {
        if used {
            errors.forbidden(
                &SPEC.child(field),
                "not modelled: workload-aware preemption and claims of a group",
            );
        }
    }
}

pub(super) fn cluster_queue(queue: &ClusterQueue, errors: &mut Errors) {
    let spec = &queue.spec;
    not_modelled(spec, errors);
    errors.one_of(
        &SPEC.child("queueingStrategy"),
        spec.queueing_strategy.as_deref(),
        &["BestEffortFIFO", "StrictFIFO"],
    );
    stop_policy(spec.stop_policy.as_deref(), errors);
    if let Some(preemption) = &spec.preemption {
        errors.one_of(
            &SPEC.child("preemption").child("withinClusterQueue"),
            preemption.within_cluster_queue.as_deref(),
            &["LowerOrNewerEqualPriority", "LowerPriority", "Never"],
        );
    }
    let mut covered: Vec<&str> = Vec::new();
    let mut flavors: Vec<&str> = Vec::new();
    let groups = SPEC.child("resourceGroups");
    for (index, group) in spec.resource_groups.iter().enumerate() {
        let at = groups.index(index);
        for (index, resource) in group.covered_resources.iter().enumerate() {
            let list = at.child("coveredResources");
            if covered.contains(&resource.as_str()) {
                errors.invalid(&list.index(index), resource, "must be in one resource group only");
            }
            covered.push(resource);
        }
        for (index, flavor) in group.flavors.iter().enumerate() {
            let list = at.child("flavors");
            let at = list.index(index);
            if flavors.contains(&flavor.name.as_str()) {
                errors.invalid(&at.child("name"), &flavor.name, "must be in one resource group only");
            }
            flavors.push(&flavor.name);
            let named: Vec<&String> = flavor.resources.iter().map(|resource| &resource.name).collect();
            if named != group.covered_resources.iter().collect::<Vec<_>>() {
                let text = serde_json::to_string(&named).unwrap_or_default();
                errors.invalid(
                    &at.child("resources"),
                    &text,
                    "must have the same resources, in the same order, as coveredResources of the group",
                );
            }
            for (index, resource) in flavor.resources.iter().enumerate() {
                let list = at.child("resources");
                let at = list.index(index);
                let quota = &resource.nominal_quota;
                if Amount::try_from(quota).map_or(true, |amount| amount.nanos() < 0) {
                    let detail = "must be a quantity that is greater than or equal to 0";
                    errors.invalid(&at.child("nominalQuota"), &quota.0, detail);
                }
            }
        }
    }
}

/// What stands and falls with cohorts.
fn not_modelled(spec: &ClusterQueueSpec, errors: &mut Errors) {
    const COHORT: &str = "not modelled: cohorts, by which queues borrow quota from each other";
    if spec.cohort_name.is_some() {
        errors.forbidden(&SPEC.child("cohortName"), COHORT);
    }
    if spec.fair_sharing.is_some() {
        errors.forbidden(&SPEC.child("fairSharing"), "not modelled: fair sharing between queues");
    }
    let preemption = spec.preemption.clone().unwrap_or_default();
    let is_used = |policy: &Option<String>| policy.as_deref().is_some_and(|policy| policy != "Never");
    let at = SPEC.child("preemption");
    if is_used(&preemption.reclaim_within_cohort) {
        errors.forbidden(&at.child("reclaimWithinCohort"), COHORT);
    }
    if preemption.borrow_within_cohort.is_some_and(|borrow| is_used(&borrow.policy)) {
        errors.forbidden(&at.child("borrowWithinCohort"), COHORT);
    }
    let limits = spec.resource_groups.iter().flat_map(|group| &group.flavors).flat_map(|f| &f.resources);
    if limits.clone().any(|resource| resource.borrowing_limit.is_some() || resource.lending_limit.is_some()) {
        errors.forbidden(&SPEC.child("resourceGroups"), COHORT);
    }
}

fn stop_policy(policy: Option<&str>, errors: &mut Errors) {
    errors.one_of(&SPEC.child("stopPolicy"), policy, &["Hold", "HoldAndDrain", "None"]);
}

pub(super) fn local_queue(queue: &LocalQueue, errors: &mut Errors) {
    if queue.spec.cluster_queue.is_empty() {
        errors.required(&SPEC.child("clusterQueue"), "");
    }
    if queue.spec.fair_sharing.is_some() {
        errors.forbidden(&SPEC.child("fairSharing"), "not modelled: fair sharing between queues");
    }
    stop_policy(queue.spec.stop_policy.as_deref(), errors);
}

pub(super) fn resource_flavor(flavor: &ResourceFlavor, errors: &mut Errors) {
    if flavor.spec.topology_name.is_some() {
        let detail = "not modelled: topologies of Kueue; a PodGroup of the scheduler can name a topology key";
        errors.forbidden(&SPEC.child("topologyName"), detail);
    }
}

pub(super) fn workload(workload: &Workload, errors: &mut Errors) {
    if workload.spec.pod_sets.is_empty() {
        errors.required(&SPEC.child("podSets"), "");
    }
}
