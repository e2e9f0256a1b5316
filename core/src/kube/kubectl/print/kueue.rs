//! The columns of Kueue's kinds, as the schemas of its custom resources define them.

use crate::kube::api::kueue::{ClusterQueue, LocalQueue, Workload};

/// NAME, COHORT, STRATEGY, PENDING WORKLOADS, ADMITTED WORKLOADS
pub(super) fn cluster_queue(queue: &ClusterQueue) -> Vec<String> {
    vec![
        queue.metadata.name.clone().unwrap_or_default(),
        queue.spec.cohort_name.clone().unwrap_or_default(),
        queue.spec.queueing_strategy.clone().unwrap_or_default(),
        queue.status.pending_workloads.to_string(),
        queue.status.admitted_workloads.to_string(),
    ]
}

/// NAME, CLUSTERQUEUE, PENDING WORKLOADS, ADMITTED WORKLOADS
pub(super) fn local_queue(queue: &LocalQueue) -> Vec<String> {
    vec![
        queue.metadata.name.clone().unwrap_or_default(),
        queue.spec.cluster_queue.clone(),
        queue.status.pending_workloads.to_string(),
        queue.status.admitted_workloads.to_string(),
    ]
}

/// NAME, QUEUE, RESERVED IN, ADMITTED, FINISHED, AGE
pub(super) fn workload(workload: &Workload, age: String) -> Vec<String> {
    let status = |kind: &str| {
        let known = workload.status.conditions.iter().find(|condition| condition.type_ == kind);
        known.map(|condition| condition.status.clone()).unwrap_or_default()
    };
    let admission = workload.status.admission.as_ref();
    vec![
        workload.metadata.name.clone().unwrap_or_default(),
        workload.spec.queue_name.clone(),
        admission.map(|admission| admission.cluster_queue.clone()).unwrap_or_default(),
        status("Admitted"),
        status("Finished"),
        age,
    ]
}
