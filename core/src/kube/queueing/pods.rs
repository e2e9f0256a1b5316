//! Plain pods and groups of pods as workloads (Kueue's `jobs/pod` integration).

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodCondition, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use sha2::{Digest, Sha256};

use crate::kube::api::kueue::{
    ADMISSION_GATE, MANAGED, POD_GROUP_NAME, POD_GROUP_TOTAL_COUNT, PRIORITY_CLASS, PodSet, PodTemplate,
    PriorityClassRef, QUEUE_NAME, ROLE_HASH, ResourceFlavor, Workload, WorkloadPriorityClass, WorkloadSpec,
};
use crate::kube::api::{ApiServer, DeleteOptions, Kind};
use crate::order::InOrder;

/// Pods of one workload, by the workload's namespace and name.
pub(super) type Jobs = BTreeMap<(String, String), Vec<Arc<Pod>>>;

fn label<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn annotation<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// Whether it has ended.
pub(super) fn is_terminated(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// Whether it runs: its workload's quota is in use.
pub(super) fn is_active(pod: &Pod) -> bool {
    phase(pod) == "Running"
}

pub(super) fn is_gated(pod: &Pod) -> bool {
    let gates = pod.spec.as_ref().and_then(|spec| spec.scheduling_gates.as_ref());
    gates.into_iter().flatten().any(|gate| gate.name == ADMISSION_GATE)
}

/// Whether it came through a queue.
pub(super) fn is_managed(pod: &Pod) -> bool {
    label(pod, MANAGED) == Some("true")
}

/// The managed pods, by workload.
pub(super) fn jobs(api: &ApiServer) -> Jobs {
    let mut jobs = Jobs::new();
    for pod in api.iter::<Pod>().filter(|pod| is_managed(pod)) {
        let name = match label(pod, POD_GROUP_NAME) {
            Some(group) => group.to_owned(),
            None => workload_name(pod),
        };
        jobs.entry((text(pod.metadata.namespace.as_ref()), name)).or_default().push(Arc::clone(pod));
    }
    jobs
}

/// `pod-train-3f2a1`: kind, name, and what tells apart pods of one name.
fn workload_name(pod: &Pod) -> String {
    /// Names of objects have at most this many characters; the hash and its dash are six of them.
    const PREFIX: usize = 253 - 6;
    let hash = Sha256::digest(format!(
        "Pod\n\n{}\n{}",
        text(pod.metadata.name.as_ref()),
        text(pod.metadata.uid.as_ref())
    ));
    let hash: String = hash.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    let prefix: String = format!("pod-{}", text(pod.metadata.name.as_ref())).chars().take(PREFIX).collect();
    format!("{prefix}-{}", &hash[..5])
}

/// How many pods a group is said to have; 1 for a pod without a group.
pub(super) fn total_count(pods: &[Arc<Pod>]) -> usize {
    let count = pods.iter().find_map(|pod| annotation(pod, POD_GROUP_TOTAL_COUNT)?.parse().ok());
    count.unwrap_or(1)
}

/// Pods of a group beyond the number that it is said to have: those that wait, the newest first.
pub(super) fn excess(pods: &[Arc<Pod>]) -> Vec<Arc<Pod>> {
    let mut living: Vec<&Arc<Pod>> =
        pods.iter().filter(|pod| !is_terminated(pod) && pod.metadata.deletion_timestamp.is_none()).collect();
    let surplus = living.len().saturating_sub(total_count(pods));
    living.order_by_key(|pod| {
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (is_gated(pod), created, pod.metadata.name.clone())
    });
    living.into_iter().rev().take(surplus).filter(|pod| is_gated(pod)).cloned().collect()
}

/// The workload of a pod or of a complete group; none while pods of the group are still to come.
pub(super) fn workload(api: &ApiServer, key: &(String, String), pods: &[Arc<Pod>]) -> Option<Workload> {
    let living: Vec<&Arc<Pod>> =
        pods.iter().filter(|pod| !is_terminated(pod) && pod.metadata.deletion_timestamp.is_none()).collect();
    let first = *living.first()?;
    if living.len() < total_count(pods) {
        return None;
    }
    let grouped = label(first, POD_GROUP_NAME).is_some();
    let mut sets: Vec<PodSet> = Vec::new();
    for pod in &living {
        let name = if grouped {
            annotation(pod, ROLE_HASH).unwrap_or_default().to_owned()
        } else {
            "main".to_owned()
        };
        match sets.iter_mut().find(|set| set.name == name) {
            Some(set) => set.count += 1,
            None => sets.push(PodSet { name, template: template(pod), count: 1 }),
        }
    }
    sets.order_by(|a, b| a.name.cmp(&b.name));
    let owner = |pod: &Arc<Pod>| OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        name: text(pod.metadata.name.as_ref()),
        uid: text(pod.metadata.uid.as_ref()),
        controller: (!grouped).then_some(true),
        block_owner_deletion: (!grouped).then_some(true),
    };
    let (priority, class) = priority(api, first);
    let labels = (!grouped)
        .then(|| BTreeMap::from([("kueue.x-k8s.io/job-uid".to_owned(), text(first.metadata.uid.as_ref()))]));
    Some(Workload {
        metadata: ObjectMeta {
            name: Some(key.1.clone()),
            namespace: Some(key.0.clone()),
            labels,
            owner_references: Some(living.iter().map(|pod| owner(pod)).collect()),
            ..ObjectMeta::default()
        },
        spec: WorkloadSpec {
            pod_sets: sets,
            queue_name: label(first, QUEUE_NAME).unwrap_or_default().to_owned(),
            priority_class_ref: class,
            priority: Some(priority),
            active: Some(true),
        },
        ..Workload::default()
    })
}

fn template(pod: &Pod) -> PodTemplate {
    let mut spec = pod.spec.clone().unwrap_or_default();
    spec.scheduling_gates = None;
    let metadata = ObjectMeta { labels: pod.metadata.labels.clone(), ..ObjectMeta::default() };
    PodTemplate { metadata, spec }
}

/// The WorkloadPriorityClass that the pod names, else its own priority.
fn priority(api: &ApiServer, pod: &Pod) -> (i32, Option<PriorityClassRef>) {
    let reference = |group: &str, kind: &str, name: &str| PriorityClassRef {
        group: group.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
    };
    let named = label(pod, PRIORITY_CLASS);
    if let Some(class) = named.and_then(|name| api.read::<WorkloadPriorityClass>("", name)) {
        let reference = reference("kueue.x-k8s.io", "WorkloadPriorityClass", named.unwrap_or_default());
        return (class.value, Some(reference));
    }
    let spec = pod.spec.as_ref();
    let class = spec.and_then(|spec| spec.priority_class_name.as_deref()).filter(|name| !name.is_empty());
    let class = class.map(|name| reference("scheduling.k8s.io", "PriorityClass", name));
    (spec.and_then(|spec| spec.priority).unwrap_or(0), class)
}

/// Whether the workload's pods have done what they were for: success, and what to say; none while they have not.
pub(super) fn finished(pods: &[Arc<Pod>]) -> Option<(bool, String)> {
    let first = pods.first()?;
    if label(first, POD_GROUP_NAME).is_none() {
        let message = first.status.as_ref().and_then(|status| status.message.clone());
        return is_terminated(first).then(|| (phase(first) == "Succeeded", message.unwrap_or_default()));
    }
    let total = total_count(pods);
    let succeeded = pods.iter().filter(|pod| phase(pod) == "Succeeded").count();
    (succeeded >= total).then(|| (true, format!("Pods succeeded: {succeeded}/{total}.")))
}

/// Lets a pod go to the scheduler: its gate is taken away, and the flavors' nodes are chosen.
pub(super) fn start(api: &mut ApiServer, pod: &Pod, workload: &Workload) -> bool {
    let name = annotation(pod, ROLE_HASH).filter(|_| label(pod, POD_GROUP_NAME).is_some()).unwrap_or("main");
    let admission = workload.status.admission.as_ref();
    let sets = admission.map(|admission| admission.pod_set_assignments.as_slice()).unwrap_or_default();
    let Some(set) = sets.iter().find(|set| set.name == name) else { return false };
    let mut flavors: Vec<&String> = set.flavors.values().collect();
    flavors.sort();
    flavors.dedup();
    let flavors: Vec<Arc<ResourceFlavor>> =
        flavors.into_iter().filter_map(|flavor| api.read::<ResourceFlavor>("", flavor).cloned()).collect();
    let changed =
        api.update::<Pod>(&text(pod.metadata.namespace.as_ref()), &text(pod.metadata.name.as_ref()), |pod| {
            let spec = pod.spec.get_or_insert_default();
            for flavor in &flavors {
                inject(spec, flavor);
            }
            let gates = spec.scheduling_gates.get_or_insert_default();
            gates.retain(|gate| gate.name != ADMISSION_GATE);
            if gates.is_empty() {
                spec.scheduling_gates = None;
            }
        });
    changed.is_ok()
}

fn inject(spec: &mut PodSpec, flavor: &ResourceFlavor) {
    if !flavor.spec.node_labels.is_empty() {
        spec.node_selector.get_or_insert_default().extend(flavor.spec.node_labels.clone());
    }
    for toleration in &flavor.spec.tolerations {
        let tolerations = spec.tolerations.get_or_insert_default();
        if !tolerations.contains(toleration) {
            tolerations.push(toleration.clone());
        }
    }
}

/// Ends a pod whose workload has to go; says whether it was still to be ended.
pub(super) fn stop(api: &mut ApiServer, pod: &Pod, message: &str) -> bool {
    if pod.metadata.deletion_timestamp.is_some() || is_terminated(pod) {
        return false;
    }
    let (namespace, name) = (text(pod.metadata.namespace.as_ref()), text(pod.metadata.name.as_ref()));
    let now = api.timestamp();
    let generation = pod.metadata.generation;
    // A pod that is gone needs no condition and no end.
    let _ = api.update_status::<Pod>(&namespace, &name, |pod| {
        let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
        conditions.push(PodCondition {
            type_: "TerminationTarget".to_owned(),
            status: "True".to_owned(),
            reason: Some("WorkloadEvicted".to_owned()),
            message: Some(message.to_owned()),
            last_transition_time: Some(now),
            observed_generation: generation,
            last_probe_time: None,
        });
    });
    api.delete(Kind::Pod, &namespace, &name, &DeleteOptions::default()).is_ok()
}

/// Takes Kueue's finalizer off a pod that has ended or is to go.
pub(super) fn release(api: &mut ApiServer, pod: &Pod) {
    let held = pod.metadata.finalizers.as_ref().is_some_and(|list| list.iter().any(|name| name == MANAGED));
    if held && (is_terminated(pod) || pod.metadata.deletion_timestamp.is_some()) {
        let (namespace, name) = (text(pod.metadata.namespace.as_ref()), text(pod.metadata.name.as_ref()));
        // A pod that is gone is held by nobody.
        let _ = api.update::<Pod>(&namespace, &name, |pod| {
            if let Some(finalizers) = &mut pod.metadata.finalizers {
                finalizers.retain(|finalizer| finalizer != MANAGED);
                if finalizers.is_empty() {
                    pod.metadata.finalizers = None;
                }
            }
        });
    }
}
