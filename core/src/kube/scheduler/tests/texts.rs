//! Odd input: never a panic, and a text that says what it is.

use serde_json::{Value, json};

use super::*;

/// The message of a pod of that kind on one node of 8 CPUs and 8 GPUs; empty if it is placed.
fn check(pod_json: &Value, expect: &str) {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "8", &Value::Null));
    scheduler.add_pod(pod("odd", "1", pod_json));
    drain(&mut scheduler, secs(1));
    let message = message(&scheduler, "odd");
    // The rest is what preemption says, and it is the same each time.
    let head = message.split(" no new claims").next().unwrap_or_default();
    assert_eq!(head, expect, "{pod_json}");
}

#[test]
fn odd_pods_get_an_answer() {
    let limits = |amount: &str| {
        let limits = json!({"limits": {"nvidia.com/gpu": amount}});
        json!({"spec": {"containers": [{"name": "main", "resources": limits}]}})
    };
    check(&limits("8"), "");
    check(&limits("9"), "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.");
    // The API server refuses the next three; a tool that skips it still gets an answer.
    check(&limits("0.5"), "");
    check(&limits("99999999999999999999999999"), "0/1 nodes are available: 1 Insufficient nvidia.com/gpu.");
    check(&limits("-1"), "");
    let term = |operator: &str, values: Value| {
        let expression = json!({"key": "kubernetes.io/hostname", "operator": operator, "values": values});
        let terms = json!({"nodeSelectorTerms": [{"matchExpressions": [expression]}]});
        json!({"spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}}})
    };
    let refused = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.";
    check(&term("In", json!(["n1"])), "");
    check(&term("Resembles", json!(["n1"])), refused);
    check(&term("Gt", json!(["many"])), refused);
    check(&term("Gt", json!([])), refused);
    let nowhere = json!({"nodeSelectorTerms": []});
    let nowhere = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": nowhere}});
    check(&json!({"spec": {"affinity": nowhere}}), refused);
}

#[test]
fn a_pod_refused_before_any_node_is_looked_at_ends_with_upstreams_own_slip() {
    // Recorded for pre-filters of volumes: the post-filter of DynamicResources misses its state and
    // says so, and preemption is not tried.
    let named = |name: &str| json!({"key": "metadata.name", "operator": "In", "values": [name]});
    let terms = json!({"nodeSelectorTerms": [{"matchFields": [named("n1"), named("n2")]}]});
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}});
    check(
        &json!({"spec": {"affinity": affinity}}),
        "0/1 nodes are available: pod affinity terms conflict. not found",
    );
}

#[test]
fn a_pod_whose_claim_to_devices_is_not_there_waits() {
    check(
        &json!({"spec": {"resourceClaims": [{"name": "gpu", "resourceClaimName": "one"}]}}),
        "0/1 nodes are available: could not find ResourceClaim \"default/one\".",
    );
}

#[test]
fn a_node_without_capacity_takes_no_pods() {
    let mut scheduler = scheduler();
    let empty: Node = serde_json::from_value(json!({"metadata": {"name": "empty"}})).unwrap();
    scheduler.add_node(empty);
    scheduler.add_pod(pod("any", "1", &Value::Null));
    drain(&mut scheduler, secs(1));
    let message = message(&scheduler, "any");
    assert!(
        message.starts_with("0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods."),
        "{message}"
    );
}

#[test]
fn ten_thousand_taints_are_one_refusal() {
    let mut scheduler = scheduler();
    let taints: Vec<_> =
        (0..10_000).map(|i| json!({"key": format!("k{i}"), "effect": "NoSchedule"})).collect();
    scheduler.add_node(node("tainted", "8", &json!({"spec": {"taints": taints}})));
    scheduler.add_pod(pod("any", "1", &Value::Null));
    drain(&mut scheduler, secs(1));
    let message = message(&scheduler, "any");
    assert!(message.starts_with("0/1 nodes are available: 1 node(s) had untolerated taint(s)."), "{message}");
}

#[test]
fn an_attempt_survives_its_json_form() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "8", &Value::Null));
    scheduler.add_node(node("n2", "1", &Value::Null));
    scheduler.add_node(node("n3", "8", &Value::Null));
    scheduler.add_pod(pod("any", "2", &Value::Null));
    drain(&mut scheduler, secs(1));
    let attempt = &scheduler.attempts("default", "any")[0];
    let json = serde_json::to_value(&**attempt).unwrap();
    assert_eq!(json["outcome"], "scheduled");
    assert_eq!(json["node"], "n1");
    assert_eq!(json["filter"]["n2"]["reasons"], json!(["Insufficient cpu"]));
    let back: crate::kube::scheduler::Attempt = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&back).unwrap(), json);
}
