//! When a pod is tried again.

use serde_json::{Value, json};

use super::*;

/// The instants at which a pod is tried within `until` seconds, if nothing happens.
fn attempts_until(scheduler: &mut Scheduler, until: u64) -> Vec<u64> {
    let mut times = Vec::new();
    let mut now = SimTime::ZERO;
    loop {
        times.extend(drain(scheduler, now).iter().map(|decision| decision.attempt.at.as_secs()));
        match scheduler.next_wakeup() {
            Some(at) if at <= secs(until) => now = at,
            _ => return times,
        }
    }
}

#[test]
fn without_any_node_the_back_off_doubles_up_to_ten_seconds() {
    // Failed at t with back-off b, it is due in the first one-second window after t + b:
    // 0 + 1 → 2, 2 + 2 → 5, 5 + 4 → 10, 10 + 8 → 19, 19 + 10 → 30, …
    let mut scheduler = scheduler();
    scheduler.add_pod(pod("early", "1", &Value::Null));
    assert_eq!(attempts_until(&mut scheduler, 60), [0, 2, 5, 10, 19, 30, 41, 52]);
}

#[test]
fn a_refused_pod_is_tried_again_after_five_minutes_at_the_next_look() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "4", &Value::Null));
    scheduler.add_pod(pod("large", "8", &Value::Null));
    // Looked at every 30 s; at 300 s it has not waited longer than five minutes yet.
    assert_eq!(attempts_until(&mut scheduler, 700), [0, 330, 660]);
}

/// What wakes a pod of 8 CPUs that found no room on a full node of 8 CPUs and a small one.
fn check_wakes(change: impl FnOnce(&mut Scheduler), expect: bool) {
    let mut scheduler = scheduler();
    scheduler.add_node(node("full", "8", &Value::Null));
    scheduler.add_node(node("small", "4", &Value::Null));
    scheduler.add_pod(pod("there", "8", &json!({"spec": {"nodeName": "full"}})));
    scheduler.add_pod(pod("large", "8", &Value::Null));
    assert_eq!(drain(&mut scheduler, secs(1)).len(), 1);
    change(&mut scheduler);
    assert_eq!(drain(&mut scheduler, secs(5)).len(), usize::from(expect));
}

#[test]
fn only_changes_that_can_help_wake_a_pod_without_room() {
    check_wakes(|s| s.add_node(node("other", "8", &Value::Null)), true);
    check_wakes(|s| s.add_node(node("other", "4", &Value::Null)), false);
    check_wakes(|s| s.update_node(node("small", "8", &Value::Null)), true);
    check_wakes(|s| s.update_node(node("small", "6", &Value::Null)), false);
    let label = json!({"metadata": {"labels": {"disk": "ssd"}}});
    check_wakes(|s| s.update_node(node("small", "4", &label)), false);
    check_wakes(|s| s.remove_pod("default", "there"), true);
    let done = json!({"spec": {"nodeName": "full"}, "status": {"phase": "Succeeded"}});
    check_wakes(|s| s.update_pod(pod("there", "8", &done)), true);
    check_wakes(|s| s.remove_node("small"), false);
    check_wakes(|s| s.add_pod(pod("elsewhere", "1", &json!({"spec": {"nodeName": "small"}}))), false);
}

#[test]
fn a_gated_pod_enters_the_queue_when_its_last_gate_is_gone() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "4", &Value::Null));
    let gates = |names: &[&str]| {
        let gates: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
        pod("gated", "1", &json!({"spec": {"schedulingGates": gates}}))
    };
    scheduler.add_pod(gates(&["a", "b"]));
    assert!(drain(&mut scheduler, secs(1)).is_empty());
    assert_eq!(
        scheduler.gated_by("default", "gated"),
        Some(("SchedulingGates", "waiting for scheduling gates: [a b]"))
    );
    scheduler.update_pod(gates(&["b"]));
    assert!(drain(&mut scheduler, secs(2)).is_empty());
    scheduler.update_pod(gates(&[]));
    assert_eq!(drain(&mut scheduler, secs(3)).len(), 1);
    assert_eq!(node_of(&scheduler, "gated").as_deref(), Some("n1"));
}

#[test]
fn higher_priority_goes_first_and_among_equals_the_one_that_waits_longer() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "64", &Value::Null));
    for (name, priority) in [("a", 0), ("b", 10), ("c", 0), ("d", 10)] {
        scheduler.add_pod(pod(name, "1", &json!({"spec": {"priority": priority}})));
    }
    let order: Vec<_> = drain(&mut scheduler, secs(1)).iter().map(|d| d.name.to_string()).collect();
    assert_eq!(order, ["b", "d", "a", "c"]);
}

#[test]
fn pods_of_other_schedulers_are_left_alone_but_count_once_bound() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "4", &Value::Null));
    let other = json!({"spec": {"schedulerName": "other"}});
    scheduler.add_pod(pod("theirs", "4", &other));
    assert!(drain(&mut scheduler, secs(1)).is_empty());
    let bound = json!({"spec": {"schedulerName": "other", "nodeName": "n1"}});
    scheduler.update_pod(pod("theirs", "4", &bound));
    scheduler.add_pod(pod("ours", "1", &Value::Null));
    drain(&mut scheduler, secs(2));
    assert_eq!(node_of(&scheduler, "ours"), None);
}

#[test]
fn a_pod_created_again_under_the_same_name_is_another_pod() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "4", &Value::Null));
    scheduler.add_pod(pod("twin", "4", &json!({"metadata": {"uid": "1"}})));
    drain(&mut scheduler, secs(1));
    assert_eq!(node_of(&scheduler, "twin").as_deref(), Some("n1"));
    scheduler.add_pod(pod("twin", "2", &json!({"metadata": {"uid": "2"}})));
    assert_eq!(scheduler.attempts("default", "twin").len(), 0);
    drain(&mut scheduler, secs(2));
    assert_eq!(node_of(&scheduler, "twin").as_deref(), Some("n1"));
}

#[test]
fn a_pod_that_is_being_deleted_is_not_tried() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "4", &Value::Null));
    scheduler.add_pod(pod("going", "1", &json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})));
    let decisions = drain(&mut scheduler, secs(1));
    assert_eq!(outcomes(&decisions), [("going".to_owned(), Outcome::Skipped)]);
    assert_eq!(decisions[0].attempt.message, "skip schedule deleting pod: default/going");
}

#[test]
fn preemption_names_victims_and_keeps_the_room_for_the_pod() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "4", &Value::Null));
    scheduler.add_pod(pod("low", "4", &json!({"spec": {"nodeName": "n1", "priority": 1}})));
    scheduler.add_pod(pod("high", "4", &json!({"spec": {"priority": 10}})));
    let decisions = drain(&mut scheduler, secs(1));
    assert_eq!(decisions[0].victims, [("default".into(), "low".into())]);
    assert_eq!(decisions[0].nominated_node.as_deref(), Some("n1"));
    assert_eq!(decisions[0].attempt.message, "0/1 nodes are available: 1 Insufficient cpu.");
    // Somebody less important does not slip in while the victim goes.
    scheduler.add_pod(pod("middle", "4", &json!({"spec": {"priority": 5}})));
    scheduler.remove_pod("default", "low");
    drain(&mut scheduler, secs(2));
    assert_eq!(node_of(&scheduler, "high").as_deref(), Some("n1"));
    assert_eq!(node_of(&scheduler, "middle"), None);
}
