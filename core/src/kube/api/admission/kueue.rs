//! Kueue's webhook for pods: a pod that names a queue is created with a gate.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodSchedulingGate};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::kube::api::kueue::{
    ADMISSION_GATE, MANAGED, POD_GROUP_NAME, POD_GROUP_TOTAL_COUNT, QUEUE_NAME, ROLE_HASH,
};
use crate::kube::api::{Reason, Status};

/// Gates a pod that names a queue, marks it as managed, and checks what it says of its group.
pub(super) fn gate(pod: &mut Arc<Pod>) -> Result<(), Status> {
    let has_label = |key: &str| pod.metadata.labels.as_ref().is_some_and(|labels| labels.contains_key(key));
    let count =
        pod.metadata.annotations.as_ref().and_then(|annotations| annotations.get(POD_GROUP_TOTAL_COUNT));
    let deny = |path: String, problem: String| {
        let text = format!("admission webhook \"vpod.kb.io\" denied the request: {path}: {problem}");
        Err(Status::new(Reason::Forbidden, text))
    };
    let both = format!(
        "Required value: both the '{POD_GROUP_TOTAL_COUNT}' annotation and the '{POD_GROUP_NAME}' label should be set"
    );
    match (has_label(POD_GROUP_NAME), count) {
        (true, None) => return deny(format!("metadata.annotations[{POD_GROUP_TOTAL_COUNT}]"), both),
        (false, Some(_)) => return deny(format!("metadata.labels[{POD_GROUP_NAME}]"), both),
        (true, Some(text)) if !text.parse::<u32>().is_ok_and(|count| count > 0) => {
            let problem = format!(
                "Invalid value: {text:?}: incorrect annotation value '{text}': must be a positive integer"
            );
            return deny(format!("metadata.annotations[{POD_GROUP_TOTAL_COUNT}]"), problem);
        }
        _ => {}
    }
    if !has_label(QUEUE_NAME) {
        return Ok(());
    }
    let hash = role_hash(pod);
    let pod = Arc::make_mut(pod);
    let gates = pod.spec.get_or_insert_default().scheduling_gates.get_or_insert_default();
    if !gates.iter().any(|gate| gate.name == ADMISSION_GATE) {
        gates.push(PodSchedulingGate { name: ADMISSION_GATE.to_owned() });
    }
    let meta = &mut pod.metadata;
    meta.labels.get_or_insert_default().insert(MANAGED.to_owned(), "true".to_owned());
    meta.annotations.get_or_insert_default().entry(ROLE_HASH.to_owned()).or_insert(hash);
    let finalizers = meta.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == MANAGED) {
        finalizers.push(MANAGED.to_owned());
    }
    Ok(())
}

/// What tells apart the roles within a group: all that decides on what a pod needs.
fn role_hash(pod: &Pod) -> String {
    let spec = pod.spec.clone().unwrap_or_default();
    let containers: Vec<_> = spec
        .init_containers
        .iter()
        .flatten()
        .chain(&spec.containers)
        .map(|c| json!({"requests": c.resources.as_ref().and_then(|r| r.requests.clone()), "ports": c.ports}))
        .collect();
    let shape = json!({
        "containers": containers,
        "nodeSelector": spec.node_selector,
        "affinity": spec.affinity,
        "tolerations": spec.tolerations,
        "priority": spec.priority,
        "topologySpreadConstraints": spec.topology_spread_constraints,
        "overhead": spec.overhead,
    });
    let hash = Sha256::digest(shape.to_string());
    hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}
