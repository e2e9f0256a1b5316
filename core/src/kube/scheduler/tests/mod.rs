//! The scheduler as a whole: what it does when, whatever it is told.

mod invariants;
mod kept_answers;
mod plugins;
mod queue;
mod texts;
mod volumes;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{Value, json};

use super::{Decision, Outcome, Scheduler, SchedulerConfiguration};
use crate::sim::SimTime;

fn scheduler() -> Scheduler {
    Scheduler::new(&SchedulerConfiguration::default()).expect("the default configuration is valid")
}

fn node(name: &str, cpu: &str, more: &Value) -> Node {
    let resources = json!({"cpu": cpu, "memory": "64Gi", "pods": "110", "nvidia.com/gpu": "8"});
    let mut node = json!({
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": {},
        "status": {"allocatable": resources, "capacity": resources},
    });
    merge(&mut node, more);
    serde_json::from_value(node).expect("a node")
}

fn pod(name: &str, cpu: &str, more: &Value) -> Pod {
    let mut pod = json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{"name": "main", "image": "app:v1", "resources": {"requests": {"cpu": cpu}}}]},
    });
    merge(&mut pod, more);
    serde_json::from_value(pod).expect("a pod")
}

fn merge(target: &mut Value, patch: &Value) {
    if let (Value::Object(target), Value::Object(patch)) = (&mut *target, patch) {
        for (key, value) in patch {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    } else if !patch.is_null() {
        *target = patch.clone();
    }
}

fn secs(seconds: u64) -> SimTime {
    SimTime::from_secs(seconds)
}

/// Tries pods as long as there are any to try now.
fn drain(scheduler: &mut Scheduler, now: SimTime) -> Vec<Decision> {
    std::iter::from_fn(|| scheduler.schedule_one(now)).take(1_000).collect()
}

fn node_of(scheduler: &Scheduler, pod: &str) -> Option<String> {
    scheduler.node_of("default", pod).map(ToString::to_string)
}

fn message(scheduler: &Scheduler, pod: &str) -> String {
    scheduler.attempts("default", pod).last().map(|attempt| attempt.message.clone()).unwrap_or_default()
}

fn outcomes(decisions: &[Decision]) -> Vec<(String, Outcome)> {
    decisions.iter().map(|d| (d.name.to_string(), d.attempt.outcome.clone())).collect()
}
