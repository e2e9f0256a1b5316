//! Kueue in a cluster: it follows the API server's changes and writes its decisions there.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::conditions::{is_true, reset, set};
use super::cycle::{Decision, State, decide};
use super::objects::{is_drained, state};
use super::quota::{Key, Request, quantity};
use super::{pods, status};
use crate::kube::api::kueue::{
    Admission, ClusterQueue, LocalQueue, PodSetAssignment, PodSetRequest, Workload,
};
use crate::kube::api::{ApiServer, DeleteOptions, EventRecord, Kind, Object, Resource, WriteOptions};
use crate::order::Collected;
use crate::sim::SimTime;

/// Rounds until nothing changes: workloads come, are admitted, their pods start; far below this.
const MAX_ROUNDS: usize = 100;

/// Kueue as a component of the cluster.
#[derive(Clone, Debug, Default)]
pub struct QueueController {
    /// The version of the store up to which everything is known.
    seen: u64,
    /// In which order workloads came, by uid.
    arrivals: BTreeMap<String, u64>,
    next_arrival: u64,
}

impl QueueController {
    /// A controller that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the API server has changed since the last [`advance`](Self::advance).
    pub fn is_behind(&self, api: &ApiServer) -> bool {
        self.seen < api.resource_version()
    }

    /// Takes up what has happened, and decides. It needs no waking: nothing here depends on time alone.
    pub fn advance(&mut self, now: SimTime, api: &mut ApiServer) {
        api.set_now(now);
        for _ in 0..MAX_ROUNDS {
            let concerned = self.seen < api.oldest_version()
                || api.events_since(self.seen).any(|event| match &event.object {
                    // Most pods of a cluster come through no queue.
                    Object::Pod(pod) => pods::is_managed(pod),
                    Object::Namespace(_) => true,
                    other => other.kind().is_custom(),
                });
            self.seen = api.resource_version();
            if !concerned {
                return;
            }
            self.reconcile(api);
        }
        debug_assert!(false, "the queues did not come to rest at {now}");
    }

    fn reconcile(&mut self, api: &mut ApiServer) {
        let mut jobs = pods::jobs(api);
        if delete_excess(api, &jobs) {
            jobs = pods::jobs(api);
        }
        create_workloads(api, &jobs);
        self.note_arrivals(api);
        finish(api, &jobs);
        drain(api);
        evict(api, &jobs);
        let (present, inadmissible) = state(api, &self.arrivals);
        for (workload, (reason, message)) in inadmissible {
            wait(api, &key_of(&workload), reason, &message, None);
        }
        for decision in decide(&present) {
            carry_out(api, &present, &decision);
        }
        start(api, &jobs);
        for pod in jobs.values().flatten() {
            pods::release(api, pod);
        }
        let (after, _) = state(api, &self.arrivals);
        status::write(api, &after);
    }

    fn note_arrivals(&mut self, api: &ApiServer) {
        let mut known = BTreeMap::new();
        for workload in api.iter::<Workload>() {
            let uid = workload.metadata.uid.clone().unwrap_or_default();
            let number = self.arrivals.get(&uid).copied().unwrap_or_else(|| {
                self.next_arrival += 1;
                self.next_arrival
            });
            known.insert(uid, number);
        }
        self.arrivals = known;
    }
}

/// A group has as many pods as it says; further ones are deleted. Says whether there were any.
fn delete_excess(api: &mut ApiServer, jobs: &pods::Jobs) -> bool {
    let excess: Vec<Arc<Pod>> = jobs.values().flat_map(|members| pods::excess(members)).collect();
    for pod in &excess {
        record_pod(api, pod, "ExcessPodDeleted", "Excess pod deleted".to_owned());
        let meta = &pod.metadata;
        let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
        // It was just listed: it is there.
        let _ = api.delete(
            Kind::Pod,
            namespace.unwrap_or_default(),
            name.unwrap_or_default(),
            &DeleteOptions::default(),
        );
    }
    !excess.is_empty()
}

/// Pods and complete groups that have no workload yet get one; workloads whose pods are gone go.
fn create_workloads(api: &mut ApiServer, jobs: &pods::Jobs) {
    for (key, members) in jobs {
        if api.read::<Workload>(&key.0, &key.1).is_some() {
            continue;
        }
        let Some(workload) = pods::workload(api, key, members) else { continue };
        if api.create(&key.0, Arc::new(workload).into_object(), &WriteOptions::default()).is_ok() {
            for pod in members {
                let message = format!("Created Workload: {}/{}", key.0, key.1);
                record_pod(api, pod, "CreatedWorkload", message);
            }
        }
    }
    let orphans: Vec<Key> = api
        .iter::<Workload>()
        .filter(|workload| {
            let owned = workload.metadata.owner_references.as_ref();
            owned.is_some_and(|owners| owners.iter().any(|owner| owner.kind == "Pod"))
        })
        .map(|workload| key_of(workload))
        .filter(|key| !jobs.contains_key(key))
        .collect();
    for (namespace, name) in orphans {
        // It was just listed: it is there, and nothing holds it.
        let _ = api.delete(Kind::Workload, &namespace, &name, &DeleteOptions::default());
    }
}

fn key_of(workload: &Workload) -> Key {
    (
        workload.metadata.namespace.clone().unwrap_or_default(),
        workload.metadata.name.clone().unwrap_or_default(),
    )
}

/// Changes the status of a workload; one that is gone needs none.
fn change(api: &mut ApiServer, key: &Key, change: impl FnOnce(&mut Workload, &Time)) {
    let now = api.timestamp();
    let _ = api.update_status::<Workload>(&key.0, &key.1, |workload| change(workload, &now));
}

fn record(
    api: &mut ApiServer,
    regarding: &Object,
    warning: bool,
    reason: &str,
    message: String,
    component: &str,
) {
    let (field_path, host, action) = (None, None, Some(reason));
    api.record(EventRecord { regarding, field_path, warning, reason, message, component, host, action });
}

fn record_pod(api: &mut ApiServer, pod: &Arc<Pod>, reason: &str, message: String) {
    record(api, &Object::Pod(Arc::clone(pod)), false, reason, message, "pod-kueue-controller");
}

fn record_workload(api: &mut ApiServer, key: &Key, warning: bool, reason: &str, message: String) {
    if let Some(workload) = api.read::<Workload>(&key.0, &key.1).cloned() {
        record(api, &Object::Workload(workload), warning, reason, message, "kueue-admission");
    }
}

/// Workloads whose pods have done what they were for give their quota back.
fn finish(api: &mut ApiServer, jobs: &pods::Jobs) {
    for (key, members) in jobs {
        let Some((success, message)) = pods::finished(members) else { continue };
        let done = |workload: &Arc<Workload>| is_true(&workload.status.conditions, "Finished").is_some();
        if api.read::<Workload>(&key.0, &key.1).is_none_or(done) {
            continue;
        }
        let reason = if success { "Succeeded" } else { "Failed" };
        change(api, key, |workload, now| {
            let generation = workload.metadata.generation;
            set(&mut workload.status.conditions, "Finished", true, reason, &message, generation, now);
        });
        for pod in members {
            let text = format!("Workload '{}/{}' is declared finished", key.0, key.1);
            record_pod(api, pod, "FinishedWorkload", text);
        }
    }
}

/// Workloads that were switched off, or whose queue gives up what it admitted, have to go.
fn drain(api: &mut ApiServer) {
    let mut going = Vec::new();
    for workload in api.iter::<Workload>() {
        let conditions = &workload.status.conditions;
        let over = is_true(conditions, "Finished").is_some() || is_true(conditions, "Evicted").is_some();
        let Some(admission) = workload.status.admission.as_ref().filter(|_| !over) else { continue };
        let local = api.read::<LocalQueue>(&key_of(workload).0, &workload.spec.queue_name);
        let cluster = api.read::<ClusterQueue>("", &admission.cluster_queue);
        let policy = |policy: Option<&Option<String>>| {
            policy.and_then(Option::as_deref).is_some_and(|policy| is_drained(Some(policy)))
        };
        let why = if workload.spec.active == Some(false) {
            ("Deactivated", "The workload is deactivated")
        } else if policy(cluster.map(|queue| &queue.spec.stop_policy)) {
            ("ClusterQueueStopped", "The ClusterQueue is stopped")
        } else if policy(local.map(|queue| &queue.spec.stop_policy)) {
            ("LocalQueueStopped", "The LocalQueue is stopped")
        } else {
            continue;
        };
        going.push((key_of(workload), why));
    }
    for (key, (reason, message)) in going {
        mark_evicted(api, &key, reason, message);
    }
}

fn mark_evicted(api: &mut ApiServer, key: &Key, reason: &str, message: &str) {
    change(api, key, |workload, now| {
        let generation = workload.metadata.generation;
        set(&mut workload.status.conditions, "Evicted", true, reason, message, generation, now);
    });
    record_workload(api, key, false, &format!("EvictedDueTo{reason}"), message.to_owned());
}

/// Pods of evicted workloads are ended; when none of them runs any more, the quota is free.
fn evict(api: &mut ApiServer, jobs: &pods::Jobs) {
    let evicted: Vec<(Key, String, String)> = api
        .iter::<Workload>()
        .filter(|workload| workload.status.admission.is_some())
        .filter_map(|workload| {
            let condition = is_true(&workload.status.conditions, "Evicted")?;
            Some((key_of(workload), condition.reason.clone(), condition.message.clone()))
        })
        .collect();
    for (key, reason, message) in evicted {
        let members = jobs.get(&key).map(Vec::as_slice).unwrap_or_default();
        for pod in members {
            if pods::stop(api, pod, &message) {
                record_pod(api, pod, "Stopped", message.clone());
            }
        }
        let still = |pod: &Arc<Pod>| {
            let meta = &pod.metadata;
            let (namespace, name) = (meta.namespace.as_deref(), meta.name.as_deref());
            let present = api.read::<Pod>(namespace.unwrap_or_default(), name.unwrap_or_default());
            present.is_some_and(|pod| pods::is_active(pod))
        };
        if members.iter().any(still) {
            continue;
        }
        change(api, &key, |workload, now| {
            let generation = workload.metadata.generation;
            let again = reason == "Preempted";
            let conditions = &mut workload.status.conditions;
            set(conditions, "Requeued", again, &reason, &message, generation, now);
            set(conditions, "QuotaReserved", false, "Pending", &message, generation, now);
            let text = "The workload has no reservation";
            set(conditions, "Admitted", false, "NoReservation", text, generation, now);
            workload.status.admission = None;
        });
    }
}

fn carry_out(api: &mut ApiServer, state: &State, decision: &Decision) {
    match decision {
        Decision::Admit { workload, flavors } => {
            if let Some(request) = state.pending.iter().find(|request| request.key == *workload) {
                admit(api, request, flavors);
            }
        }
        Decision::Wait { workload, message } => {
            let request = state.pending.iter().find(|request| request.key == *workload);
            wait(api, workload, "Pending", message, request);
        }
        Decision::Evict { workload, preemptor } => preempt(api, state, workload, preemptor),
    }
}

fn admit(api: &mut ApiServer, request: &Request, flavors: &[BTreeMap<String, String>]) {
    let sets = request.pod_sets.iter().zip(flavors).map(|(set, flavors)| PodSetAssignment {
        name: set.name.clone(),
        flavors: flavors.clone(),
        resource_usage: resources(&set.requests),
        count: i32::try_from(set.count).ok(),
    });
    let admission = Admission { cluster_queue: request.queue.clone(), pod_set_assignments: sets.collect() };
    let waited = api.timestamp().0.as_second() - request.since.0;
    change(api, &request.key, |workload, now| {
        let generation = workload.metadata.generation;
        let conditions = &mut workload.status.conditions;
        let text = format!("Quota reserved in ClusterQueue {}", request.queue);
        set(conditions, "QuotaReserved", true, "QuotaReserved", &text, generation, now);
        for kind in ["Evicted", "Preempted"] {
            reset(conditions, kind, "QuotaReserved", generation, now);
        }
        set(conditions, "Admitted", true, "Admitted", "The workload is admitted", generation, now);
        workload.status.admission = Some(admission);
        workload.status.resource_requests = Vec::new();
    });
    let queue = &request.queue;
    let text = format!("Quota reserved in ClusterQueue {queue}, wait time since queued was {waited}s");
    record_workload(api, &request.key, false, "QuotaReserved", text);
    let text = format!("Admitted by ClusterQueue {queue}, wait time since reservation was 0s");
    record_workload(api, &request.key, false, "Admitted", text);
}

fn resources(
    amounts: &BTreeMap<String, i64>,
) -> BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity> {
    amounts.iter().map(|(resource, amount)| (resource.clone(), quantity(resource, *amount).into())).into_map()
}

/// Writes down why a workload waits; the same reason again is no news.
fn wait(api: &mut ApiServer, key: &Key, reason: &str, message: &str, request: Option<&Request>) {
    let known = api.read::<Workload>(&key.0, &key.1).is_some_and(|workload| {
        let known = workload.status.conditions.iter().find(|condition| condition.type_ == "QuotaReserved");
        known.is_some_and(|known| {
            known.status == "False" && known.reason == reason && known.message == message
        })
    });
    if known {
        return;
    }
    change(api, key, |workload, now| {
        let generation = workload.metadata.generation;
        set(&mut workload.status.conditions, "QuotaReserved", false, reason, message, generation, now);
        if let Some(request) = request {
            let sets = request.pod_sets.iter();
            workload.status.resource_requests = sets
                .map(|set| PodSetRequest { name: set.name.clone(), resources: resources(&set.requests) })
                .collect();
        }
    });
    record_workload(api, key, true, reason, message.to_owned());
}

fn preempt(api: &mut ApiServer, state: &State, target: &Key, preemptor: &Key) {
    let Some(own) = state.pending.iter().find(|request| request.key == *preemptor) else { return };
    let job = api
        .read::<Workload>(&preemptor.0, &preemptor.1)
        .and_then(|workload| workload.metadata.labels.as_ref()?.get("kueue.x-k8s.io/job-uid").cloned());
    let job = job.unwrap_or_else(|| "UNKNOWN".to_owned());
    let message = format!(
        "Preempted to accommodate a workload (UID: {}, JobUID: {job}) due to prioritization in the ClusterQueue; \
         preemptor path: /{queue}; preemptee path: /{queue}",
        own.uid,
        queue = own.queue
    );
    change(api, target, |workload, now| {
        let generation = workload.metadata.generation;
        set(&mut workload.status.conditions, "Preempted", true, "InClusterQueue", &message, generation, now);
    });
    mark_evicted(api, target, "Preempted", &message);
    let priority = state.reserved.iter().find(|r| r.request.key == *target).map_or(0, |r| r.request.priority);
    let (high, low) = (own.priority, priority);
    let text = format!(
        "{message}; preemptor effective priority: {high} (base: {high}, boost: 0); preemptee effective priority: {low} \
         (base: {low}, boost: 0)"
    );
    record_workload(api, target, false, "Preempted", text);
}

/// Pods of admitted workloads lose their gate.
fn start(api: &mut ApiServer, jobs: &pods::Jobs) {
    for (key, members) in jobs {
        let Some(workload) = api.read::<Workload>(&key.0, &key.1).cloned() else { continue };
        let conditions = &workload.status.conditions;
        if is_true(conditions, "Admitted").is_none() || is_true(conditions, "Evicted").is_some() {
            continue;
        }
        let queue = workload.status.admission.as_ref().map(|admission| admission.cluster_queue.clone());
        for pod in members.iter().filter(|pod| pods::is_gated(pod)) {
            if pods::start(api, pod, &workload) {
                let message = format!("Admitted by clusterQueue {}", queue.clone().unwrap_or_default());
                record_pod(api, pod, "Started", message);
            }
        }
    }
}
