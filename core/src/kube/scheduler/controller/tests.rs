//! The scheduler beside an API server.

use k8s_openapi::api::core::v1::Event;
use serde_json::{Value, json};

use super::*;
use crate::kube::api::WriteOptions;
use crate::sim::{Epoch, Seed};

fn create(api: &mut ApiServer, kind: Kind, json: Value) {
    let object = Object::from_json(kind, json).unwrap();
    api.create("default", object, &WriteOptions::default()).unwrap();
}

/// A node that is ready: the taint that admission gives it at first is gone.
fn create_node(api: &mut ApiServer, name: &str, gpus: u32) {
    create(api, Kind::Node, node(name, gpus));
    api.update::<Node>("", name, |node| node.spec.get_or_insert_default().taints = None).unwrap();
}

fn node(name: &str, gpus: u32) -> Value {
    let resources = json!({"cpu": "8", "memory": "32Gi", "pods": "110", "nvidia.com/gpu": gpus.to_string()});
    json!({
        "metadata": {"name": name},
        "status": {"allocatable": resources, "capacity": resources},
    })
}

fn pod(name: &str, gpus: u32) -> Value {
    json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"containers": [{
            "name": "main",
            "image": "registry.local/cuda:12",
            "resources": {"limits": {"nvidia.com/gpu": gpus.to_string()}},
        }]},
    })
}

fn cluster() -> (ApiServer, SchedulerController) {
    let api = ApiServer::new(Epoch::default(), Seed::new(1));
    (api, SchedulerController::new(&SchedulerConfiguration::default()).unwrap())
}

fn node_of(api: &ApiServer, name: &str) -> Option<String> {
    api.read::<Pod>("default", name)?.spec.as_ref()?.node_name.clone()
}

fn events(api: &ApiServer) -> Vec<(String, String)> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    api.iter::<Event>().map(|event| (text(&event.reason), text(&event.message))).collect()
}

#[test]
fn a_pod_is_bound_and_the_event_says_where() {
    let (mut api, mut scheduler) = cluster();
    create_node(&mut api, "gpu-1", 4);
    create(&mut api, Kind::Pod, pod("train", 2));
    assert!(scheduler.is_behind(&api));
    scheduler.advance(SimTime::from_secs(1), &mut api);
    assert_eq!(node_of(&api, "train").as_deref(), Some("gpu-1"));
    let expect = ("Scheduled".to_owned(), "Successfully assigned default/train to gpu-1".to_owned());
    assert_eq!(events(&api), [expect]);
    assert!(!scheduler.is_behind(&api));
    assert_eq!(scheduler.next_wakeup(), None);
}

#[test]
fn a_pod_that_fits_nowhere_says_why_and_is_bound_when_a_node_comes() {
    let (mut api, mut scheduler) = cluster();
    create_node(&mut api, "gpu-1", 4);
    create(&mut api, Kind::Pod, pod("large", 8));
    scheduler.advance(SimTime::from_secs(1), &mut api);
    let large = api.read::<Pod>("default", "large").unwrap();
    let status = large.status.as_ref().unwrap();
    let condition = &status.conditions.as_ref().unwrap()[0];
    assert_eq!((condition.type_.as_str(), condition.status.as_str()), ("PodScheduled", "False"));
    assert_eq!(condition.reason.as_deref(), Some("Unschedulable"));
    let message = "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, \
                   preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    assert_eq!(condition.message.as_deref(), Some(message));
    assert_eq!(events(&api), [("FailedScheduling".to_owned(), message.to_owned())]);
    assert_eq!(scheduler.attempts("default", "large").len(), 1);

    create_node(&mut api, "gpu-2", 8);
    scheduler.advance(SimTime::from_secs(30), &mut api);
    assert_eq!(node_of(&api, "large").as_deref(), Some("gpu-2"));
    let attempts = scheduler.attempts("default", "large");
    assert_eq!(attempts.last().unwrap().outcome, Outcome::Scheduled { node: "gpu-2".into() });
}

#[test]
fn a_pod_without_any_node_waits_for_one() {
    let (mut api, mut scheduler) = cluster();
    create(&mut api, Kind::Pod, pod("early", 1));
    scheduler.advance(SimTime::ZERO, &mut api);
    let early = api.read::<Pod>("default", "early").unwrap();
    let conditions = early.status.as_ref().unwrap().conditions.clone().unwrap();
    assert_eq!(conditions[0].message.as_deref(), Some("no nodes available to schedule pods"));
    create_node(&mut api, "gpu-1", 1);
    let mut now = SimTime::ZERO;
    for _ in 0..3 {
        now = scheduler.next_wakeup().expect("it is tried again").max(now);
        scheduler.advance(now, &mut api);
        if node_of(&api, "early").is_some() {
            break;
        }
    }
    assert_eq!(node_of(&api, "early").as_deref(), Some("gpu-1"));
    assert_eq!(now, SimTime::from_secs(2));
}

#[test]
fn preemption_evicts_the_victim_and_binds_the_pod_once_it_is_gone() {
    let (mut api, mut scheduler) = cluster();
    create(&mut api, Kind::PriorityClass, json!({"metadata": {"name": "urgent"}, "value": 1000}));
    create_node(&mut api, "gpu-1", 1);
    create(&mut api, Kind::Pod, pod("low", 1));
    scheduler.advance(SimTime::from_secs(1), &mut api);
    let mut high = pod("high", 1);
    high["spec"]["priorityClassName"] = json!("urgent");
    create(&mut api, Kind::Pod, high);
    scheduler.advance(SimTime::from_secs(2), &mut api);

    let victim = api.read::<Pod>("default", "low").expect("it has thirty seconds to end");
    assert!(victim.metadata.deletion_timestamp.is_some());
    let conditions = victim.status.as_ref().unwrap().conditions.clone().unwrap();
    let target = conditions.iter().find(|condition| condition.type_ == "DisruptionTarget").unwrap();
    assert_eq!(target.reason.as_deref(), Some("PreemptionByScheduler"));
    assert_eq!(
        target.message.as_deref(),
        Some("default-scheduler: preempting to accommodate a higher priority pod")
    );
    let high = api.read::<Pod>("default", "high").unwrap().clone();
    assert_eq!(high.status.as_ref().unwrap().nominated_node_name.as_deref(), Some("gpu-1"));
    let uid = high.metadata.uid.clone().unwrap();
    let expect = ("Preempted".to_owned(), format!("Preempted by pod {uid} on node gpu-1"));
    assert!(events(&api).contains(&expect), "{:?}", events(&api));

    // While it ends, nobody else is evicted.
    scheduler.advance(SimTime::from_secs(10), &mut api);
    assert_eq!(node_of(&api, "high"), None);
    api.finish_deletion("default", "low").unwrap();
    scheduler.advance(SimTime::from_secs(20), &mut api);
    assert_eq!(node_of(&api, "high").as_deref(), Some("gpu-1"));
    assert_eq!(
        api.read::<Pod>("default", "high").unwrap().status.as_ref().unwrap().nominated_node_name,
        None
    );
}

#[test]
fn a_scheduler_that_comes_late_takes_up_what_is_there() {
    let (mut api, _) = cluster();
    create_node(&mut api, "gpu-1", 2);
    create(&mut api, Kind::Pod, pod("first", 1));
    let mut early = SchedulerController::new(&SchedulerConfiguration::default()).unwrap();
    early.advance(SimTime::from_secs(1), &mut api);
    create(&mut api, Kind::Pod, pod("second", 2));
    let mut late = SchedulerController::new(&SchedulerConfiguration::default()).unwrap();
    late.list(&api);
    late.seen = api.resource_version();
    late.advance(SimTime::from_secs(2), &mut api);
    assert_eq!(node_of(&api, "second"), None);
    assert_eq!(late.attempts("default", "second").len(), 1);
    let text = &late.attempts("default", "second")[0].message;
    assert!(text.starts_with("0/1 nodes are available: 1 Insufficient nvidia.com/gpu."), "{text}");
}

#[test]
fn a_gang_is_bound_together_and_its_group_says_so() {
    let mut api = ApiServer::new(Epoch::default(), Seed::new(1));
    let gates = super::super::features::Features::all();
    let config = SchedulerConfiguration { feature_gates: gates, ..Default::default() };
    let mut scheduler = SchedulerController::new(&config).unwrap();
    create_node(&mut api, "gpu-1", 2);
    let group = json!({
        "metadata": {"name": "g", "namespace": "default"},
        "spec": {"schedulingPolicy": {"gang": {"minCount": 2}}},
    });
    create(&mut api, Kind::PodGroup, group);
    for name in ["g-0", "g-1"] {
        let mut member = pod(name, 1);
        member["spec"]["schedulingGroup"] = json!({"podGroupName": "g"});
        create(&mut api, Kind::Pod, member);
        scheduler.advance(SimTime::from_secs(1), &mut api);
        assert_eq!(node_of(&api, "g-0").is_some(), name == "g-1", "not before both are there");
    }
    assert!(node_of(&api, "g-1").is_some());
    let group = api.read::<PodGroup>("default", "g").unwrap();
    let condition = &group.status.as_ref().unwrap().conditions.as_ref().unwrap()[0];
    assert_eq!((condition.status.as_str(), condition.reason.as_str()), ("True", "Scheduled"));
    assert!(!scheduler.is_behind(&api), "its own condition wakes nobody");
}
