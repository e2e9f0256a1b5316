//! Conditions of pods, for the components that write them.

use k8s_openapi::api::core::v1::{Pod, PodCondition};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// Sets a condition of a pod; the time of its last transition stays if its status does (`UpdatePodCondition`).
pub fn set_pod_condition(pod: &mut Pod, kind: &str, value: &str, reason: &str, message: &str, now: &Time) {
    let generation = pod.metadata.generation;
    let conditions = pod.status.get_or_insert_default().conditions.get_or_insert_default();
    let known = conditions.iter_mut().find(|condition| condition.type_ == kind);
    let unchanged = known.as_ref().filter(|condition| condition.status == value);
    let transition = unchanged.and_then(|condition| condition.last_transition_time.clone());
    let condition = PodCondition {
        type_: kind.to_owned(),
        status: value.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        observed_generation: generation,
        last_transition_time: Some(transition.unwrap_or_else(|| now.clone())),
        last_probe_time: None,
    };
    match known {
        Some(known) => *known = condition,
        None => conditions.push(condition),
    }
}
