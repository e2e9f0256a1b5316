//! Queues with quota: the decisions alone, and the controller over an API server.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Event, Pod};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::QueueController;
use super::cycle::{Decision, State, decide, total};
use super::quota::{Flavor, Group, PodSet, Preemption, Queue, Request, Reservation};
use crate::kube::api::kueue::{ClusterQueue, LocalQueue, Workload};
use crate::kube::api::{ApiServer, DeleteOptions, Kind, Object, WriteOptions};
use crate::sim::{Epoch, Seed, SimTime};

const GPU: &str = "nvidia.com/gpu";

fn queue(quota: i64, strict: bool, preemption: Preemption) -> Queue {
    let quota = BTreeMap::from([(GPU.to_owned(), quota)]);
    let groups = vec![Group { covered: vec![GPU.to_owned()], flavors: vec![("h100".to_owned(), quota)] }];
    Queue { strict, preemption, groups }
}

fn state(queue: Queue) -> State {
    State {
        queues: BTreeMap::from([("cq".to_owned(), queue)]),
        flavors: BTreeMap::from([("h100".to_owned(), Flavor::default())]),
        ..State::default()
    }
}

fn request(name: &str, gpus: i64, priority: i32, since: i64) -> Request {
    let requests = BTreeMap::from([(GPU.to_owned(), gpus)]);
    let set = PodSet { name: "main".to_owned(), count: 1, requests, ..PodSet::default() };
    Request {
        key: ("default".to_owned(), name.to_owned()),
        uid: name.to_owned(),
        queue: "cq".to_owned(),
        priority,
        since: (since, 0),
        pod_sets: vec![set],
    }
}

fn reservation(request: Request, at: i64) -> Reservation {
    let flavors = vec![BTreeMap::from([(GPU.to_owned(), "h100".to_owned())])];
    Reservation { request, flavors, at, evicted: false }
}

fn admitted(decisions: &[Decision]) -> Vec<&str> {
    decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Admit { workload, .. } => Some(workload.1.as_str()),
            _ => None,
        })
        .collect()
}

fn evicted(decisions: &[Decision]) -> Vec<&str> {
    decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Evict { workload, .. } => Some(workload.1.as_str()),
            _ => None,
        })
        .collect()
}

#[test]
fn priority_goes_before_age_and_the_one_that_does_not_fit_lets_others_pass() {
    let mut state = state(queue(8, false, Preemption::Never));
    state.pending = vec![
        request("old", 4, 0, 1),
        request("large", 16, 0, 2),
        request("medium", 6, 0, 3),
        request("new", 2, 0, 4),
        request("urgent", 2, 10, 5),
    ];
    let decisions = decide(&state);
    assert_eq!(admitted(&decisions), ["urgent", "old", "new"]);
    let waits: Vec<_> = decisions
        .iter()
        .filter_map(|decision| match decision {
            Decision::Wait { workload, message } => Some((workload.1.as_str(), message.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(
        waits,
        [
            (
                "large",
                "couldn't assign flavors to pod set main: insufficient quota for nvidia.com/gpu in flavor h100, \
                 previously considered podsets requests (0) + current podset request (16) > maximum capacity (8)"
            ),
            (
                "medium",
                "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor h100, 4 \
                 more needed"
            ),
        ]
    );
}

#[test]
fn in_a_strict_queue_the_first_that_does_not_fit_holds_up_the_rest() {
    let mut state = state(queue(8, true, Preemption::Never));
    state.pending = vec![request("a", 6, 0, 1), request("b", 6, 0, 2), request("c", 1, 0, 3)];
    assert_eq!(admitted(&decide(&state)), ["a"]);
}

#[test]
fn the_lowest_and_newest_go_for_a_higher_one_and_no_more_than_needed() {
    let mut state = state(queue(8, false, Preemption::LowerPriority));
    state.reserved = vec![
        reservation(request("low-old", 2, 1, 1), 1),
        reservation(request("low-new", 2, 1, 2), 2),
        reservation(request("equal", 2, 5, 3), 3),
        reservation(request("large", 2, 2, 4), 4),
    ];
    state.pending = vec![request("urgent", 4, 5, 9)];
    let decisions = decide(&state);
    assert_eq!(evicted(&decisions), ["low-new", "low-old"]);
    let Some(Decision::Wait { message, .. }) = decisions.last() else { panic!("{decisions:?}") };
    assert!(message.ends_with("4 more needed. Pending the preemption of 2 workload(s)"), "{message}");
    // Those who go keep their quota until they are gone, and nobody else is evicted meanwhile.
    for reservation in &mut state.reserved {
        reservation.evicted = reservation.request.key.1.starts_with("low");
    }
    state.pending.push(request("small", 1, 0, 10));
    let decisions = decide(&state);
    assert_eq!((evicted(&decisions), admitted(&decisions)), (vec![], vec![]));
    // Of equal priority only the newer one goes, if the policy says so.
    state.queues.get_mut("cq").unwrap().preemption = Preemption::LowerOrNewerEqualPriority;
    state.reserved = vec![reservation(request("equal", 8, 5, 3), 3)];
    for (since, expect) in [(2, vec!["equal"]), (4, vec![])] {
        state.pending = vec![request("other", 8, 5, since)];
        assert_eq!(evicted(&decide(&state)), expect);
    }
}

#[test]
fn the_second_flavor_is_tried_and_the_first_that_the_pods_select_is_taken() {
    let mut state = state(queue(2, false, Preemption::Never));
    let group = &mut state.queues.get_mut("cq").unwrap().groups[0];
    group.flavors.push(("a100".to_owned(), BTreeMap::from([(GPU.to_owned(), 8)])));
    let labels = |value: &str| BTreeMap::from([("gpu".to_owned(), value.to_owned())]);
    state.flavors.insert("h100".to_owned(), Flavor { labels: labels("h100"), ..Flavor::default() });
    state.flavors.insert("a100".to_owned(), Flavor { labels: labels("a100"), ..Flavor::default() });
    let mut picky = request("picky", 2, 0, 2);
    picky.pod_sets[0].spec.node_selector = Some(labels("a100"));
    state.pending = vec![request("large", 4, 0, 1), picky, request("small", 2, 0, 3)];
    let flavors: Vec<_> = decide(&state)
        .into_iter()
        .filter_map(|decision| match decision {
            Decision::Admit { workload, flavors } => Some((workload.1, flavors[0][GPU].clone())),
            _ => None,
        })
        .collect();
    let expect = [("large", "a100"), ("picky", "a100"), ("small", "h100")];
    assert_eq!(flavors, expect.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

fn requests() -> impl Strategy<Value = Vec<(i64, i32, u8)>> {
    proptest::collection::vec((1_i64..6, 0_i32..3, 1_u8..4), 1..12)
}

proptest! {
    /// Whatever is asked: quota holds, a workload gets all of what it asks or nothing, nobody passes one that is
    /// at least as important and asks for no more, nobody is lost.
    #[test]
    fn quota_holds_and_nobody_is_lost_or_passed_over(
        asked in requests(),
        quota in 0_i64..12,
        strict in any::<bool>(),
        policy in 0_u8..3,
    ) {
        let preemption = [Preemption::Never, Preemption::LowerPriority, Preemption::LowerOrNewerEqualPriority];
        let mut state = state(queue(quota, strict, preemption[policy as usize]));
        let mut gone: Vec<String> = Vec::new();
        for (index, (gpus, priority, sets)) in asked.iter().enumerate() {
            let mut request = request(&format!("w{index}"), *gpus, *priority, index as i64);
            for set in 1..*sets {
                let mut more = request.pod_sets[0].clone();
                more.name = format!("set{set}");
                request.pod_sets.push(more);
            }
            state.pending.push(request);
            let before = state.clone();
            for decision in decide(&before) {
                match decision {
                    Decision::Admit { workload, flavors } => {
                        let place = state.pending.iter().position(|request| request.key == workload);
                        let request = state.pending.remove(place.expect("it waits"));
                        prop_assert!(flavors.iter().all(|set| set.contains_key(GPU)), "all or nothing");
                        prop_assert_eq!(flavors.len(), request.pod_sets.len());
                        state.reserved.push(Reservation { request, flavors, at: index as i64, evicted: false });
                    }
                    Decision::Evict { workload, preemptor } => {
                        let place = state.reserved.iter().position(|r| r.request.key == workload);
                        let victim = state.reserved.remove(place.expect("it has quota")).request;
                        let other = state.pending.iter().find(|request| request.key == preemptor);
                        let other = other.expect("it waits");
                        prop_assert!(victim.priority <= other.priority);
                        gone.push(victim.key.1);
                    }
                    Decision::Wait { message, .. } => prop_assert!(!message.is_empty()),
                }
            }
            let used = total(&state.reserved);
            prop_assert!(used.values().all(|amount| *amount <= quota), "{used:?} of {quota}");
            prop_assert_eq!(state.reserved.len() + state.pending.len() + gone.len(), index + 1);
            if policy == 0 {
                let need = |request: &Request| request.pod_sets.iter().map(|set| set.requests[GPU]).sum::<i64>();
                for granted in state.reserved.iter().skip(before.reserved.len()) {
                    let passed = before.pending.iter().find(|waiting| {
                        state.pending.iter().any(|request| request.key == waiting.key)
                            && (waiting.priority, -waiting.since.0) > (granted.request.priority, -granted.request.since.0)
                            && (strict || need(waiting) <= need(&granted.request))
                    });
                    prop_assert!(passed.is_none(), "{:?} passed {passed:?}", granted.request.key);
                }
            }
        }
    }
}

struct World {
    api: ApiServer,
    queues: QueueController,
    now: u64,
}

impl World {
    fn new(quota: u32, preemption: &str) -> Self {
        let api = ApiServer::new(Epoch::default(), Seed::new(1));
        let mut world = Self { api, queues: QueueController::new(), now: 0 };
        let flavor = json!({"metadata": {"name": "h100"}, "spec": {"nodeLabels": {"gpu": "h100"}}});
        world.create(Kind::ResourceFlavor, flavor);
        world.create(Kind::ClusterQueue, json!({
            "metadata": {"name": "research"},
            "spec": {
                "namespaceSelector": {},
                "preemption": {"withinClusterQueue": preemption},
                "resourceGroups": [{
                    "coveredResources": [GPU],
                    "flavors": [{"name": "h100", "resources": [{"name": GPU, "nominalQuota": quota.to_string()}]}],
                }],
            },
        }));
        let local = json!({"metadata": {"name": "team"}, "spec": {"clusterQueue": "research"}});
        world.create(Kind::LocalQueue, local);
        world
    }

    fn create(&mut self, kind: Kind, json: Value) {
        let object = Object::from_json(kind, json).unwrap();
        self.api.create("default", object, &WriteOptions::default()).unwrap();
        self.settle();
    }

    fn settle(&mut self) {
        self.now += 1;
        self.queues.advance(SimTime::from_secs(self.now), &mut self.api);
        assert!(!self.queues.is_behind(&self.api));
    }

    fn pod(&mut self, name: &str, gpus: u32, priority: &str, group: Option<(&str, u32)>) {
        let mut labels = json!({"kueue.x-k8s.io/queue-name": "team"});
        let mut annotations = json!({});
        if !priority.is_empty() {
            labels["kueue.x-k8s.io/priority-class"] = json!(priority);
        }
        if let Some((group, count)) = group {
            labels["kueue.x-k8s.io/pod-group-name"] = json!(group);
            annotations["kueue.x-k8s.io/pod-group-total-count"] = json!(count.to_string());
        }
        self.create(Kind::Pod, json!({
            "metadata": {"name": name, "labels": labels, "annotations": annotations},
            "spec": {"containers": [{
                "name": "main", "image": "registry.local/cuda:12", "resources": {"limits": {GPU: gpus.to_string()}},
            }]},
        }));
    }

    fn gated(&self, name: &str) -> bool {
        let pod = self.api.read::<Pod>("default", name).unwrap();
        pod.spec.as_ref().unwrap().scheduling_gates.is_some()
    }

    fn workload(&self, prefix: &str) -> Option<&Workload> {
        self.api
            .iter::<Workload>()
            .map(|w| &**w)
            .find(|w| w.metadata.name.as_ref().unwrap().starts_with(prefix))
    }

    /// Reason and message of a condition, after its status.
    fn condition(&self, prefix: &str, kind: &str) -> (String, String, String) {
        let workload = self.workload(prefix).unwrap();
        let condition = workload.status.conditions.iter().find(|condition| condition.type_ == kind).unwrap();
        (condition.status.clone(), condition.reason.clone(), condition.message.clone())
    }

    fn phase(&mut self, name: &str, phase: &str) {
        let set = |pod: &mut Pod| pod.status.get_or_insert_default().phase = Some(phase.to_owned());
        self.api.update_status::<Pod>("default", name, set).unwrap();
        self.settle();
    }

    fn counts(&self) -> (i32, i32) {
        let queue = self.api.read::<ClusterQueue>("", "research").unwrap();
        let local = self.api.read::<LocalQueue>("default", "team").unwrap();
        let status = &queue.status;
        assert_eq!(status.pending_workloads, local.status.pending_workloads);
        assert_eq!(status.admitted_workloads, local.status.admitted_workloads);
        (status.pending_workloads, status.admitted_workloads)
    }
}

fn triple(a: &str, b: &str, c: &str) -> (String, String, String) {
    (a.to_owned(), b.to_owned(), c.to_owned())
}

#[test]
fn a_pod_is_held_at_its_gate_until_there_is_quota_for_it() {
    let mut world = World::new(8, "Never");
    world.pod("first", 8, "", None);
    assert!(!world.gated("first"));
    let pod = world.api.read::<Pod>("default", "first").unwrap();
    assert_eq!(pod.spec.as_ref().unwrap().node_selector.as_ref().unwrap()["gpu"], "h100");
    let text = "Quota reserved in ClusterQueue research";
    assert_eq!(world.condition("pod-first", "QuotaReserved"), triple("True", "QuotaReserved", text));
    assert_eq!(
        world.condition("pod-first", "Admitted"),
        triple("True", "Admitted", "The workload is admitted")
    );

    world.pod("second", 8, "", None);
    assert!(world.gated("second"));
    let text = "couldn't assign flavors to pod set main: insufficient unused quota for nvidia.com/gpu in flavor h100, 8 \
                more needed";
    assert_eq!(world.condition("pod-second", "QuotaReserved"), triple("False", "Pending", text));
    assert_eq!(world.counts(), (1, 1));

    world.phase("first", "Succeeded");
    assert_eq!(world.condition("pod-first", "Finished").1, "Succeeded");
    assert!(!world.gated("second"));
    assert_eq!(world.counts(), (0, 1));
    // The finalizer lets go of what has ended, and the workload goes with its pod.
    world.api.delete(Kind::Pod, "default", "first", &DeleteOptions::default()).unwrap();
    world.settle();
    assert!(world.workload("pod-first").is_none());
    assert!(world.workload("pod-second").is_some());
}

#[test]
fn a_group_gets_quota_for_all_its_pods_or_for_none() {
    let mut world = World::new(8, "Never");
    world.pod("other", 4, "", None);
    for index in 0..3 {
        world.pod(&format!("g-{index}"), 2, "", Some(("gang", 3)));
        assert_eq!(world.workload("gang").is_some(), index == 2, "when all are there");
    }
    assert!((0..3).all(|index| world.gated(&format!("g-{index}"))));
    let (_, _, message) = world.condition("gang", "QuotaReserved");
    assert!(
        message.ends_with("insufficient unused quota for nvidia.com/gpu in flavor h100, 2 more needed"),
        "{message}"
    );
    world.phase("other", "Succeeded");
    assert!((0..3).all(|index| !world.gated(&format!("g-{index}"))));
    for index in 0..3 {
        world.phase(&format!("g-{index}"), "Succeeded");
    }
    let text = "Pods succeeded: 3/3.";
    assert_eq!(world.condition("gang", "Finished"), triple("True", "Succeeded", text));
    assert_eq!(world.counts(), (0, 0));
}

#[test]
fn a_higher_workload_evicts_a_lower_one_and_waits_until_its_pod_is_gone() {
    let mut world = World::new(8, "LowerPriority");
    world.create(Kind::WorkloadPriorityClass, json!({"metadata": {"name": "urgent"}, "value": 100}));
    world.pod("low", 8, "", None);
    world.api.bind("default", "low", "gpu-1").ok();
    world.phase("low", "Running");
    world.pod("high", 8, "urgent", None);
    assert!(world.gated("high"));
    let (status, reason, message) = world.condition("pod-low", "Evicted");
    assert_eq!((status.as_str(), reason.as_str()), ("True", "Preempted"));
    assert!(
        message.contains("due to prioritization in the ClusterQueue; preemptor path: /research"),
        "{message}"
    );
    assert!(
        world.condition("pod-high", "QuotaReserved").2.ends_with("Pending the preemption of 1 workload(s)")
    );
    if world.api.read::<Pod>("default", "low").is_some() {
        let end = |pod: &mut Pod| pod.status.get_or_insert_default().phase = Some("Failed".to_owned());
        world.api.update_status::<Pod>("default", "low", end).unwrap();
        let _ = world.api.finish_deletion("default", "low");
        world.settle();
    }
    assert!(world.api.read::<Pod>("default", "low").is_none());
    assert!(!world.gated("high"));
    let reasons: Vec<_> = world.api.iter::<Event>().filter_map(|event| event.reason.clone()).collect();
    for expect in [
        "CreatedWorkload",
        "QuotaReserved",
        "Admitted",
        "Started",
        "Preempted",
        "EvictedDueToPreempted",
        "Stopped",
    ] {
        assert!(reasons.iter().any(|reason| reason == expect), "{expect} in {reasons:?}");
    }
}

#[test]
fn what_is_wrong_with_the_queues_is_said() {
    let mut world = World::new(8, "Never");
    world.api.delete(Kind::ResourceFlavor, "", "h100", &DeleteOptions::default()).unwrap();
    world.settle();
    let queue = world.api.read::<ClusterQueue>("", "research").unwrap();
    let active = &queue.status.conditions[0];
    assert_eq!((active.status.as_str(), active.reason.as_str()), ("False", "FlavorNotFound"));
    assert_eq!(active.message, "Can't admit new workloads: references missing ResourceFlavor(s): h100.");
    world.pod("early", 1, "", None);
    let text = "ClusterQueue research is inactive";
    assert_eq!(world.condition("pod-early", "QuotaReserved"), triple("False", "Inadmissible", text));
    world.api.delete(Kind::LocalQueue, "default", "team", &DeleteOptions::default()).unwrap();
    world.settle();
    assert_eq!(world.condition("pod-early", "QuotaReserved").2, "LocalQueue team doesn't exist");
}

#[test]
fn what_belongs_to_cohorts_is_refused_in_plain_words() {
    let mut api = ApiServer::new(Epoch::default(), Seed::new(1));
    for (field, value) in [
        ("cohortName", json!("all")),
        ("fairSharing", json!({"weight": "2"})),
        ("preemption", json!({"reclaimWithinCohort": "Any"})),
    ] {
        let queue = json!({"metadata": {"name": "q"}, "spec": {field: value}});
        let object = Object::from_json(Kind::ClusterQueue, queue).unwrap();
        let error = api.create("", object, &WriteOptions::default()).unwrap_err();
        assert!(error.message.contains("not modelled: "), "{}", error.message);
    }
}

#[test]
fn a_pod_that_names_half_a_group_is_refused() {
    let mut api = ApiServer::new(Epoch::default(), Seed::new(1));
    let pod = json!({
        "metadata": {"name": "p", "labels": {"kueue.x-k8s.io/queue-name": "q", "kueue.x-k8s.io/pod-group-name": "g"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    });
    let object = Object::from_json(Kind::Pod, pod).unwrap();
    let error = api.create("default", object, &WriteOptions::default()).unwrap_err();
    assert!(
        error.message.contains("both the 'kueue.x-k8s.io/pod-group-total-count' annotation"),
        "{}",
        error.message
    );
}

#[test]
fn a_group_has_no_more_pods_than_it_says() {
    let mut world = World::new(8, "Never");
    for index in 0..3 {
        world.pod(&format!("g-{index}"), 1, "", Some(("gang", 2)));
    }
    let names: Vec<_> = world.api.iter::<Pod>().filter_map(|pod| pod.metadata.name.clone()).collect();
    assert_eq!(names, ["g-0", "g-1"]);
    assert_eq!(world.workload("gang").unwrap().spec.pod_sets[0].count, 2);
}
