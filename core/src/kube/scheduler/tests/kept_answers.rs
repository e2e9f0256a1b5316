//! With kept answers and without, the same is decided.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::kube::scheduler::{Recording, SchedulerConfiguration};

/// Something that happens to the scheduler.
#[derive(Clone, Debug)]
enum Event {
    /// A node comes or changes: its taint, zone, image, whether it is cordoned.
    Node {
        name: u8,
        cpu: u8,
        taint: u8,
        zone: u8,
        image: bool,
        cordoned: bool,
    },
    NodeGone(u8),
    /// Pods of one pattern, as many.
    Pods {
        pattern: u8,
        priority: i32,
        count: u8,
    },
    PodGone(u8),
    Wait(u8),
    Schedule,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0_u8..8, 1_u8..9, 0_u8..4, 0_u8..3, any::<bool>(), proptest::bool::weighted(0.2)).prop_map(
            |(name, cpu, taint, zone, image, cordoned)| Event::Node { name, cpu, taint, zone, image, cordoned }
        ),
        1 => (0_u8..8).prop_map(Event::NodeGone),
        5 => (0_u8..10, -1_i32..2, 1_u8..5)
            .prop_map(|(pattern, priority, count)| Event::Pods { pattern, priority, count }),
        2 => (0_u8..40).prop_map(Event::PodGone),
        1 => (0_u8..40).prop_map(Event::Wait),
        4 => Just(Event::Schedule),
    ]
}

fn node_object(event: &Event) -> Option<Node> {
    let Event::Node { name, cpu, taint, zone, image, cordoned } = event else { return None };
    let taints = match taint {
        1 => json!([{"key": "soft", "effect": "PreferNoSchedule"}]),
        2 => json!([{"key": "hard", "effect": "NoSchedule"}]),
        _ => json!([]),
    };
    let images = if *image { json!([{"names": ["big:1"], "sizeBytes": 500_000_000}]) } else { json!([]) };
    let more = json!({
        "metadata": {"labels": {"topology.kubernetes.io/zone": format!("z{zone}"), "disk": if *image { "ssd" } else { "hdd" }}},
        "spec": {"taints": taints, "unschedulable": cordoned},
        "status": {"images": images},
    });
    Some(node(&format!("n{name}"), &cpu.to_string(), &more))
}

fn pod_object(index: usize, pattern: u8, priority: i32) -> Pod {
    let mut spec = json!({
        "priority": priority,
        "containers": [{"name": "main", "image": "big:1", "resources": {"requests": {"cpu": "1"}}}],
    });
    match pattern {
        1 => spec["tolerations"] = json!([{"key": "hard", "operator": "Exists"}]),
        2 => spec["nodeSelector"] = json!({"disk": "ssd"}),
        3 => {
            let term = json!({"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]});
            spec["affinity"] = json!({"nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 10, "preference": term}],
            }});
        }
        4 => spec["containers"][0]["ports"] = json!([{"containerPort": 80, "hostPort": 80}]),
        5 => {
            spec["topologySpreadConstraints"] = json!([{
                "maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": "5"}},
            }]);
        }
        6 => {
            let term = json!([{"labelSelector": {"matchLabels": {"app": "6"}}, "topologyKey": "kubernetes.io/hostname"}]);
            spec["affinity"] =
                json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": term}});
        }
        7 => spec["containers"][0]["resources"]["requests"]["cpu"] = json!("3"),
        8 => spec["containers"][0]["resources"] = json!({}),
        _ => {}
    }
    let labels = json!({"app": pattern.to_string()});
    serde_json::from_value(json!({
        "metadata": {"name": format!("p{index}"), "namespace": "default", "labels": labels},
        "spec": spec,
    }))
    .expect("a pod")
}

/// Everything that is decided, in order.
fn decisions(events: &[Event], recording: Recording, kept: bool) -> Vec<Value> {
    let mut scheduler =
        Scheduler::new(&SchedulerConfiguration::default()).expect("the default configuration");
    scheduler.set_recording(recording, 1);
    scheduler.set_answers_kept(kept);
    let (mut now, mut pods, mut log) = (SimTime::ZERO, 0, Vec::new());
    for event in events {
        match event {
            Event::Node { .. } => scheduler.update_node(node_object(event).expect("a node")),
            Event::NodeGone(name) => scheduler.remove_node(&format!("n{name}")),
            Event::Pods { pattern, priority, count } => {
                for _ in 0..*count {
                    scheduler.add_pod(pod_object(pods, *pattern, *priority));
                    pods += 1;
                }
            }
            Event::PodGone(index) => scheduler.remove_pod("default", &format!("p{index}")),
            Event::Wait(seconds) => now += std::time::Duration::from_secs(u64::from(*seconds)),
            Event::Schedule => {
                for _ in 0..200 {
                    let Some(decision) = scheduler.schedule_one(now) else { break };
                    log.push(json!({
                        "pod": &*decision.name,
                        "attempt": serde_json::to_value(&*decision.attempt).expect("plain data"),
                        "nominated": decision.nominated_node.as_deref(),
                    }));
                    for (namespace, victim) in &decision.victims {
                        scheduler.remove_pod(namespace, victim);
                    }
                }
            }
        }
    }
    log
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn kept_answers_change_no_verdict_no_score_and_no_choice(
        events in proptest::collection::vec(event(), 1..100),
    ) {
        let plain = decisions(&events, Recording::Full, false);
        prop_assert_eq!(&decisions(&events, Recording::Full, true), &plain);
        // Without a record of the reasons the same nodes are chosen, for the same messages.
        let outline = |log: Vec<Value>| -> Vec<Value> {
            log.into_iter()
                .map(|entry| {
                    let attempt = &entry["attempt"];
                    json!([entry["pod"], attempt["outcome"], attempt["node"], attempt["message"], attempt["evaluated"], entry["nominated"]])
                })
                .collect()
        };
        prop_assert_eq!(outline(decisions(&events, Recording::Brief, true)), outline(plain));
    }
}
