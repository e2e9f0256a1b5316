//! Groups of pods: what is asked of them and what becomes of them.

use k8s_openapi::api::core::v1::{Node, Pod};
use proptest::prelude::*;
use serde_json::{Value, from_value, json};

use super::super::{Decision, Features, Scheduler, SchedulerConfiguration};
use crate::sim::SimTime;

fn scheduler() -> Scheduler {
    let config = SchedulerConfiguration { feature_gates: Features::all(), ..Default::default() };
    Scheduler::new(&config).unwrap()
}

fn node(name: &str, rack: &str, gpus: u32) -> Node {
    let resources =
        json!({"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": gpus.to_string()});
    from_value(json!({
        "metadata": {"name": name, "labels": {"rack": rack}},
        "status": {"allocatable": resources, "capacity": resources},
    }))
    .unwrap()
}

fn pod(name: &str, group: &str, gpus: u32, priority: i32) -> Pod {
    from_value(json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "priority": priority,
            "schedulingGroup": {"podGroupName": group},
            "containers": [{"name": "c", "resources": {"limits": {"nvidia.com/gpu": gpus.to_string()}}}],
        },
    }))
    .unwrap()
}

fn single(name: &str, gpus: u32) -> Pod {
    let mut pod = pod(name, "", gpus, 0);
    pod.spec.get_or_insert_default().scheduling_group = None;
    pod
}

fn group(scheduler: &mut Scheduler, name: &str, min_count: u32, key: Option<&str>) {
    let topology: Vec<Value> = key.into_iter().map(|key| json!({"key": key})).collect();
    let group = from_value(json!({
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "schedulingPolicy": {"gang": {"minCount": min_count}},
            "schedulingConstraints": {"topology": topology},
        },
    }));
    scheduler.set_pod_group(&group.unwrap());
}

fn drain(scheduler: &mut Scheduler, seconds: u64) -> Vec<Decision> {
    let at = SimTime::from_secs(seconds);
    let decisions: Vec<_> = std::iter::from_fn(|| scheduler.schedule_one(at)).take(1_000).collect();
    assert!(decisions.len() < 1_000, "it comes to rest");
    decisions
}

fn nodes(scheduler: &Scheduler, pods: &[&str]) -> Vec<Option<String>> {
    pods.iter().map(|pod| scheduler.node_of("default", pod).map(ToString::to_string)).collect()
}

fn condition(scheduler: &Scheduler, name: &str) -> (bool, String) {
    let last = scheduler.group_attempts("default", name).last().expect("a cycle");
    (last.scheduled, last.message.clone())
}

#[test]
fn pods_wait_for_their_group_and_for_min_count_of_them() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "a", 8));
    scheduler.add_pod(pod("g-0", "g", 1, 0));
    assert_eq!(
        scheduler.gated_by("default", "g-0"),
        Some(("GangScheduling", "waiting for pod's pod group \"g\" to appear in scheduling queue"))
    );
    group(&mut scheduler, "g", 2, None);
    assert_eq!(
        scheduler.gated_by("default", "g-0"),
        Some(("GangScheduling", "waiting for minCount pods from a gang to appear in scheduling queue"))
    );
    assert!(drain(&mut scheduler, 1).is_empty());
    scheduler.add_pod(pod("g-1", "g", 1, 0));
    assert_eq!(drain(&mut scheduler, 2).len(), 2);
    assert!(nodes(&scheduler, &["g-0", "g-1"]).iter().all(Option::is_some));
    assert_eq!(condition(&scheduler, "g"), (true, String::new()));
}

#[test]
fn a_gang_without_room_leaves_nothing_taken_and_runs_when_there_is_room() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "a", 8));
    scheduler.add_pod(single("other", 4));
    drain(&mut scheduler, 1);
    group(&mut scheduler, "g", 2, None);
    scheduler.add_pod(pod("g-0", "g", 4, 0));
    scheduler.add_pod(pod("g-1", "g", 4, 0));
    let decisions = drain(&mut scheduler, 2);
    let messages: Vec<_> = decisions.iter().map(|decision| decision.attempt.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "pod group is unschedulable, waiting for minCount pods from a gang to be scheduled, one or more plugins \
             asked to wait and no plugin rejected pod",
            "0/1 nodes are available: 1 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: 0/1 nodes \
             are available: 1 No preemption victims found for incoming pod."
        ]
    );
    let text = "0/1 placements are available, first placement status: pod group is unschedulable";
    assert_eq!(condition(&scheduler, "g"), (false, text.to_owned()));
    // What the gang did not get is there for others, and their coming is a change that is worth a try.
    scheduler.add_pod(single("small", 4));
    assert_eq!(drain(&mut scheduler, 3).len(), 3);
    assert_eq!(nodes(&scheduler, &["small", "g-0", "g-1"]), [Some("n1".to_owned()), None, None]);
    scheduler.remove_pod("default", "other");
    scheduler.remove_pod("default", "small");
    drain(&mut scheduler, 4);
    assert!(nodes(&scheduler, &["g-0", "g-1"]).iter().all(Option::is_some));
}

#[test]
fn a_gang_stays_within_one_domain_and_takes_the_fuller_one() {
    let mut scheduler = scheduler();
    for (name, rack) in [("a1", "a"), ("a2", "a"), ("b1", "b"), ("b2", "b"), ("c1", "c")] {
        scheduler.add_node(node(name, rack, 8));
    }
    let mut other = single("other", 1);
    let spec = other.spec.get_or_insert_default();
    spec.node_name = Some("b1".to_owned());
    let cpu = from_value(json!({"requests": {"cpu": "32"}, "limits": {"nvidia.com/gpu": "1"}}));
    spec.containers[0].resources = Some(cpu.unwrap());
    scheduler.add_pod(other);
    group(&mut scheduler, "g", 3, Some("rack"));
    for name in ["g-0", "g-1", "g-2"] {
        scheduler.add_pod(pod(name, "g", 4, 0));
    }
    drain(&mut scheduler, 1);
    let racks: Vec<_> = nodes(&scheduler, &["g-0", "g-1", "g-2"]).into_iter().map(Option::unwrap).collect();
    assert!(racks.iter().all(|node| node.starts_with('b')), "{racks:?}");
    let attempt = scheduler.group_attempts("default", "g").last().unwrap();
    let totals: Vec<_> = attempt.placements.iter().map(|p| (&*p.name, p.feasible, p.total)).collect();
    assert_eq!(totals, [("a", true, 100), ("b", true, 112), ("c", false, 0)]);
}

#[test]
fn a_label_that_no_node_has_leaves_no_placement() {
    let mut scheduler = scheduler();
    scheduler.add_node(node("n1", "a", 8));
    group(&mut scheduler, "g", 1, Some("no-such-label"));
    scheduler.add_pod(pod("g-0", "g", 1, 0));
    drain(&mut scheduler, 1);
    assert!(condition(&scheduler, "g").1.starts_with("0/0 placements are available"));
}

#[test]
fn a_gang_preempts_only_if_that_makes_room_for_all_of_it() {
    for (gpus, fits) in [(4, true), (5, false)] {
        let mut scheduler = scheduler();
        scheduler.add_node(node("n1", "a", 8));
        scheduler.add_pod(single("low", 8));
        drain(&mut scheduler, 1);
        group(&mut scheduler, "g", 2, None);
        scheduler.add_pod(pod("g-0", "g", gpus, 10));
        scheduler.add_pod(pod("g-1", "g", gpus, 10));
        let decisions = drain(&mut scheduler, 2);
        let victims: Vec<_> = decisions.iter().flat_map(|decision| &decision.victims).collect();
        assert_eq!(!victims.is_empty(), fits, "{victims:?}");
        if fits {
            let text = "pod group is unschedulable, pod group is waiting for preemption to complete";
            assert_eq!(condition(&scheduler, "g"), (false, text.to_owned()));
            scheduler.remove_pod("default", "low");
            drain(&mut scheduler, 3);
            assert!(nodes(&scheduler, &["g-0", "g-1"]).iter().all(Option::is_some));
        }
        assert_eq!(scheduler.cluster().node_by_name("n1").unwrap().pods.len(), if fits { 2 } else { 1 });
    }
}

#[test]
fn without_the_gates_a_group_is_just_pods() {
    let mut scheduler = Scheduler::new(&SchedulerConfiguration::default()).unwrap();
    scheduler.add_node(node("n1", "a", 8));
    scheduler.add_pod(pod("g-0", "g", 8, 0));
    scheduler.add_pod(pod("g-1", "g", 8, 0));
    drain(&mut scheduler, 1);
    assert_eq!(nodes(&scheduler, &["g-0", "g-1"]), [Some("n1".to_owned()), None]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes and goes: a gang has no pod on a node or at least `minCount` when it was last placed,
    /// and no node is given more than it has.
    #[test]
    fn a_gang_is_placed_whole_or_not_at_all(
        sizes in proptest::collection::vec((1_u32..5, 1_u32..6), 1..5),
        capacities in proptest::collection::vec(1_u32..9, 1..5),
        with_topology in any::<bool>(),
    ) {
        let mut scheduler = scheduler();
        for (index, gpus) in capacities.iter().enumerate() {
            let rack = if index % 2 == 0 { "a" } else { "b" };
            scheduler.add_node(node(&format!("n{index}"), rack, *gpus));
        }
        for (index, (size, gpus)) in sizes.iter().enumerate() {
            let name = format!("g{index}");
            group(&mut scheduler, &name, *size, with_topology.then_some("rack"));
            for member in 0..*size {
                scheduler.add_pod(pod(&format!("{name}-{member}"), &name, *gpus, 0));
            }
            drain(&mut scheduler, index as u64 + 1);
        }
        for (index, (size, _)) in sizes.iter().enumerate() {
            let placed = (0..*size)
                .filter(|member| scheduler.node_of("default", &format!("g{index}-{member}")).is_some())
                .count();
            prop_assert!(placed == 0 || placed == *size as usize, "g{index}: {placed} of {size}");
        }
        for index in 0..capacities.len() {
            let node = scheduler.cluster().node_by_name(&format!("n{index}")).unwrap();
            let over = node.requested.scalars().any(|(id, used)| used > node.allocatable.get(id));
            prop_assert!(!over, "{:?}", node.requested);
        }
    }
}
