//! From Kueue's objects to numbers.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::conditions::is_true;
use super::cycle::State;
use super::quota::{Flavor, Group, PodSet, Preemption, Queue, Request, Reservation};
use crate::kube::api::kueue::{ClusterQueue, LocalQueue, ResourceFlavor, Workload};
use crate::kube::api::{ApiServer, amount, pod_requests};
use crate::order::Collected;

/// A workload that cannot even be considered: reason and message.
pub(super) type Inadmissible = (&'static str, String);

/// Why a ClusterQueue admits nobody: reason and message; none if it does.
pub(super) fn inactive(api: &ApiServer, queue: &ClusterQueue) -> Option<(&'static str, String)> {
    let stopped = is_stopped(queue.spec.stop_policy.as_deref());
    let flavors = queue.spec.resource_groups.iter().flat_map(|group| &group.flavors);
    let missing: Vec<&str> = flavors
        .filter(|flavor| api.read::<ResourceFlavor>("", &flavor.name).is_none())
        .map(|flavor| flavor.name.as_str())
        .collect();
    let mut messages = Vec::new();
    if stopped {
        messages.push("is stopped".to_owned());
    }
    if !missing.is_empty() {
        messages.push(format!("references missing ResourceFlavor(s): {}", missing.join(",")));
    }
    let reason = if stopped { "Stopped" } else { "FlavorNotFound" };
    (!messages.is_empty()).then(|| (reason, format!("Can't admit new workloads: {}.", messages.join(", "))))
}

pub(super) fn is_stopped(policy: Option<&str>) -> bool {
    policy.is_some_and(|policy| policy != "None")
}

/// Whether the queue also gives up what it has admitted.
pub(super) fn is_drained(policy: Option<&str>) -> bool {
    policy == Some("HoldAndDrain")
}

/// All that decisions depend on, and those who are not even considered.
///
/// `arrivals` tells apart workloads that were created within one second.
pub(super) fn state(
    api: &ApiServer,
    arrivals: &BTreeMap<String, u64>,
) -> (State, Vec<(Workload, Inadmissible)>) {
    let mut state = State::default();
    for flavor in api.iter::<ResourceFlavor>() {
        let spec = flavor.spec.clone();
        let flavor_of =
            Flavor { labels: spec.node_labels, taints: spec.node_taints, tolerations: spec.tolerations };
        state.flavors.insert(name_of(flavor.metadata.name.as_ref()), flavor_of);
    }
    for queue in api.iter::<ClusterQueue>().filter(|queue| inactive(api, queue).is_none()) {
        state.queues.insert(name_of(queue.metadata.name.as_ref()), read_queue(queue));
    }
    let mut inadmissible = Vec::new();
    for workload in api.iter::<Workload>() {
        let conditions = &workload.status.conditions;
        if is_true(conditions, "Finished").is_some() {
            continue;
        }
        if let Some(admission) = &workload.status.admission {
            let request = request(api, workload, &admission.cluster_queue, arrivals);
            let flavors = admission.pod_set_assignments.iter().map(|set| set.flavors.clone()).collect();
            let reserved = is_true(conditions, "QuotaReserved");
            state.reserved.push(Reservation {
                request,
                flavors,
                at: reserved.map_or(0, |condition| condition.last_transition_time.0.as_second()),
                evicted: is_true(conditions, "Evicted").is_some(),
            });
        } else if workload.spec.active != Some(false) && workload.metadata.deletion_timestamp.is_none() {
            match queue_of(api, workload) {
                Ok(queue) => state.pending.push(request(api, workload, &queue, arrivals)),
                Err(why) => inadmissible.push(((**workload).clone(), why)),
            }
        }
    }
    (state, inadmissible)
}

fn name_of(name: Option<&String>) -> String {
    name.cloned().unwrap_or_default()
}

fn read_queue(queue: &ClusterQueue) -> Queue {
    let spec = &queue.spec;
    let policy = spec.preemption.as_ref().and_then(|preemption| preemption.within_cluster_queue.as_deref());
    let groups = spec.resource_groups.iter().map(|group| Group {
        covered: group.covered_resources.clone(),
        flavors: group
            .flavors
            .iter()
            .map(|flavor| {
                let quotas = flavor.resources.iter();
                let quotas = quotas.map(|r| (r.name.clone(), amount(&r.name, &r.nominal_quota)));
                (flavor.name.clone(), quotas.into_map())
            })
            .collect(),
    });
    Queue {
        strict: spec.queueing_strategy.as_deref() == Some("StrictFIFO"),
        preemption: match policy {
            Some("LowerPriority") => Preemption::LowerPriority,
            Some("LowerOrNewerEqualPriority") => Preemption::LowerOrNewerEqualPriority,
            _ => Preemption::Never,
        },
        groups: groups.collect(),
    }
}

/// The ClusterQueue of a workload, or why it cannot be considered.
fn queue_of(api: &ApiServer, workload: &Workload) -> Result<String, Inadmissible> {
    let namespace = workload.metadata.namespace.as_deref().unwrap_or_default();
    let local = &workload.spec.queue_name;
    let refuse = |message: String| Err(("Inadmissible", message));
    let Some(queue) = api.read::<LocalQueue>(namespace, local) else {
        return refuse(format!("LocalQueue {local} doesn't exist"));
    };
    if is_stopped(queue.spec.stop_policy.as_deref()) {
        return refuse(format!("LocalQueue {local} is inactive"));
    }
    let name = &queue.spec.cluster_queue;
    let Some(cluster) = api.read::<ClusterQueue>("", name) else {
        return refuse(format!("ClusterQueue {name} doesn't exist"));
    };
    if inactive(api, cluster).is_some() {
        return refuse(format!("ClusterQueue {name} is inactive"));
    }
    let labels = api.read::<Namespace>("", namespace).and_then(|namespace| namespace.metadata.labels.clone());
    if !matches(cluster.spec.namespace_selector.as_ref(), &labels.unwrap_or_default()) {
        return Err(("Pending", "workload namespace doesn't match ClusterQueue selector".to_owned()));
    }
    Ok(name.clone())
}

/// Whether a label selector matches; an absent one matches nothing.
fn matches(selector: Option<&LabelSelector>, labels: &BTreeMap<String, String>) -> bool {
    let Some(selector) = selector else { return false };
    let mut equalities = selector.match_labels.iter().flatten();
    let mut expressions = selector.match_expressions.iter().flatten();
    equalities.all(|(key, value)| labels.get(key) == Some(value))
        && expressions.all(|expression| {
            let value = labels.get(&expression.key);
            let values = expression.values.as_deref().unwrap_or_default();
            match expression.operator.as_str() {
                "In" => value.is_some_and(|value| values.contains(value)),
                "NotIn" => value.is_none_or(|value| !values.contains(value)),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}

fn request(api: &ApiServer, workload: &Workload, queue: &str, arrivals: &BTreeMap<String, u64>) -> Request {
    let meta = &workload.metadata;
    let uid = name_of(meta.uid.as_ref());
    let counts_pods = api.read::<ClusterQueue>("", queue).is_some_and(|queue| {
        let groups = queue.spec.resource_groups.iter();
        groups.flat_map(|group| &group.covered_resources).any(|resource| resource == "pods")
    });
    Request {
        key: (name_of(meta.namespace.as_ref()), name_of(meta.name.as_ref())),
        queue: queue.to_owned(),
        priority: workload.spec.priority.unwrap_or(0),
        since: (
            meta.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second()),
            arrivals.get(&uid).copied().unwrap_or(u64::MAX),
        ),
        uid,
        pod_sets: workload.spec.pod_sets.iter().map(|set| pod_set(set, counts_pods)).collect(),
    }
}

fn pod_set(set: &crate::kube::api::kueue::PodSet, counts_pods: bool) -> PodSet {
    let count = i64::from(set.count.max(0));
    let each = pod_requests(&set.template.spec);
    let mut requests: BTreeMap<String, i64> =
        each.into_iter().map(|(resource, amount)| (resource, amount.saturating_mul(count))).into_map();
    if counts_pods {
        requests.insert("pods".to_owned(), count);
    }
    PodSet { name: set.name.clone(), count, requests, spec: set.template.spec.clone() }
}
