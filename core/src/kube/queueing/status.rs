//! What queues say of themselves: how many wait, how many run, how much is taken.

use std::collections::BTreeMap;

use super::conditions;
use super::cycle::{State, total};
use super::objects::{inactive, is_stopped};
use super::quota::{Reservation, quantity};
use crate::kube::api::ApiServer;
use crate::kube::api::kueue::{ClusterQueue, FlavorQuotas, FlavorUsage, LocalQueue, ResourceUsage, Workload};

/// Brings the status of all queues up to date.
pub(super) fn write(api: &mut ApiServer, state: &State) {
    let now = api.timestamp();
    let waiting = waiting(api);
    let queues: Vec<_> = api.iter::<ClusterQueue>().cloned().collect();
    for queue in queues {
        let name = queue.metadata.name.clone().unwrap_or_default();
        let reserved: Vec<Reservation> =
            state.reserved.iter().filter(|r| r.request.queue == name).cloned().collect();
        let usage = flavors(&queue, &reserved, true);
        let pending = waiting.iter().filter(|(_, cluster)| **cluster == name).count();
        let (active, reason, message) = match inactive(api, &queue) {
            None => (true, "Ready", "Can admit new workloads".to_owned()),
            Some((reason, message)) => (false, reason, message),
        };
        // The queue was just listed: it is there.
        let _ = api.update_status::<ClusterQueue>("", &name, |queue| {
            let status = &mut queue.status;
            status.pending_workloads = count(pending);
            status.reserving_workloads = count(reserved.len());
            status.admitted_workloads = count(reserved.len());
            status.flavors_reservation.clone_from(&usage);
            status.flavors_usage = usage;
            let generation = queue.metadata.generation;
            conditions::set(&mut status.conditions, "Active", active, reason, &message, generation, &now);
        });
    }
    local(api, state, &waiting);
}

/// LocalQueues, as namespace and name, of the workloads that wait, each with its ClusterQueue.
fn waiting(api: &ApiServer) -> Vec<((String, String), String)> {
    let pending = api.iter::<Workload>().filter(|workload| {
        workload.status.admission.is_none()
            && workload.spec.active != Some(false)
            && conditions::is_true(&workload.status.conditions, "Finished").is_none()
    });
    pending
        .map(|workload| {
            let namespace = workload.metadata.namespace.clone().unwrap_or_default();
            let queue = api.read::<LocalQueue>(&namespace, &workload.spec.queue_name);
            let cluster = queue.map(|queue| queue.spec.cluster_queue.clone()).unwrap_or_default();
            ((namespace, workload.spec.queue_name.clone()), cluster)
        })
        .collect()
}

fn local(api: &mut ApiServer, state: &State, waiting: &[((String, String), String)]) {
    let now = api.timestamp();
    let queues: Vec<_> = api.iter::<LocalQueue>().cloned().collect();
    for queue in queues {
        let key = (
            queue.metadata.namespace.clone().unwrap_or_default(),
            queue.metadata.name.clone().unwrap_or_default(),
        );
        let is_own = |reservation: &&Reservation| {
            let (namespace, name) = &reservation.request.key;
            let workload = api.read::<Workload>(namespace, name);
            *namespace == key.0 && workload.is_some_and(|workload| workload.spec.queue_name == key.1)
        };
        let reserved: Vec<Reservation> = state.reserved.iter().filter(is_own).cloned().collect();
        let pending = waiting.iter().filter(|(local, _)| *local == key).count();
        let cluster = api.read::<ClusterQueue>("", &queue.spec.cluster_queue).cloned();
        let usage = cluster.as_ref().map(|cluster| flavors(cluster, &reserved, false)).unwrap_or_default();
        let (active, reason, message) = if is_stopped(queue.spec.stop_policy.as_deref()) {
            (false, "Stopped", "LocalQueue is stopped")
        } else {
            match &cluster {
                None => (false, "ClusterQueueDoesNotExist", "Can't submit new workloads to clusterQueue"),
                Some(cluster) if inactive(api, cluster).is_some() => {
                    (false, "ClusterQueueIsInactive", "Can't submit new workloads to clusterQueue")
                }
                Some(_) => (true, "Ready", "Can submit new workloads to localQueue"),
            }
        };
        // The queue was just listed: it is there.
        let _ = api.update_status::<LocalQueue>(&key.0, &key.1, |queue| {
            let status = &mut queue.status;
            status.pending_workloads = count(pending);
            status.reserving_workloads = count(reserved.len());
            status.admitted_workloads = count(reserved.len());
            status.flavors_reservation.clone_from(&usage);
            status.flavors_usage = usage;
            let generation = queue.metadata.generation;
            conditions::set(&mut status.conditions, "Active", active, reason, message, generation, &now);
        });
    }
}

/// Use of every flavor of a queue.
fn flavors(queue: &ClusterQueue, reserved: &[Reservation], with_borrowed: bool) -> Vec<FlavorUsage> {
    let usage = total(reserved);
    let mut by_flavor: BTreeMap<&str, &FlavorQuotas> = BTreeMap::new();
    let mut names = Vec::new();
    for flavor in queue.spec.resource_groups.iter().flat_map(|group| &group.flavors) {
        names.push(flavor.name.as_str());
        by_flavor.insert(&flavor.name, flavor);
    }
    names
        .into_iter()
        .map(|name| FlavorUsage {
            name: name.to_owned(),
            resources: by_flavor[name]
                .resources
                .iter()
                .map(|resource| {
                    let key = (name.to_owned(), resource.name.clone());
                    ResourceUsage {
                        name: resource.name.clone(),
                        total: quantity(&resource.name, usage.get(&key).copied().unwrap_or(0)).into(),
                        borrowed: with_borrowed.then(|| quantity(&resource.name, 0).into()),
                    }
                })
                .collect(),
        })
        .collect()
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
