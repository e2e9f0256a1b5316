//! What must hold whatever comes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::kube::scheduler::cluster::ResourceId;

/// Something that happens to the scheduler.
#[derive(Clone, Debug)]
enum Event {
    Node { name: u8, cpu: u8, zone: u8, tainted: bool },
    NodeGone { name: u8 },
    Pod { name: u8, cpu: u8, gpus: u8, priority: i32, anti_affine: bool, node: Option<u8> },
    PodGone { name: u8 },
    Wait { seconds: u8 },
    Schedule,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0_u8..6, 1_u8..9, 0_u8..3, any::<bool>())
            .prop_map(|(name, cpu, zone, tainted)| Event::Node { name, cpu, zone, tainted }),
        1 => (0_u8..6).prop_map(|name| Event::NodeGone { name }),
        5 => (0_u8..20, 0_u8..6, 0_u8..9, -2_i32..3, any::<bool>(), proptest::option::weighted(0.1, 0_u8..6))
            .prop_map(|(name, cpu, gpus, priority, anti_affine, node)| {
                Event::Pod { name, cpu, gpus, priority, anti_affine, node }
            }),
        2 => (0_u8..20).prop_map(|name| Event::PodGone { name }),
        1 => (0_u8..40).prop_map(|seconds| Event::Wait { seconds }),
        3 => Just(Event::Schedule),
    ]
}

/// A run of the scheduler over events, with what its owner has to do.
#[derive(Clone)]
struct Run {
    scheduler: Scheduler,
    now: SimTime,
    /// Pods that came with a node of their own, which nobody asked the scheduler about.
    forced: std::collections::BTreeSet<u8>,
    log: Vec<String>,
}

impl Run {
    fn new() -> Self {
        Self {
            scheduler: scheduler(),
            now: SimTime::ZERO,
            forced: std::collections::BTreeSet::new(),
            log: Vec::new(),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Node { name, cpu, zone, tainted } => {
                let taints =
                    if *tainted { json!([{"key": "soft", "effect": "PreferNoSchedule"}]) } else { json!([]) };
                let zone = json!({"topology.kubernetes.io/zone": format!("z{zone}")});
                let more = json!({"metadata": {"labels": zone}, "spec": {"taints": taints}});
                let known = self.scheduler.cluster().node_by_name(&format!("n{name}")).is_some();
                // A node that shrinks may be over its allocatable without anybody's fault.
                if !known {
                    self.scheduler.add_node(node(&format!("n{name}"), &cpu.to_string(), &more));
                }
            }
            Event::NodeGone { name } => {
                let node = format!("n{name}");
                self.scheduler.remove_node(&node);
                // Pods of a node that is gone are removed, too, before another of its name comes.
                for pod in (0..20).map(|pod| format!("p{pod}")) {
                    if node_of(&self.scheduler, &pod).as_ref() == Some(&node) {
                        self.scheduler.remove_pod("default", &pod);
                    }
                }
            }
            Event::Pod { name, cpu, gpus, priority, anti_affine, node } => {
                if self.scheduler.attempts("default", &format!("p{name}")).is_empty()
                    && self.scheduler.node_of("default", &format!("p{name}")).is_none()
                {
                    if node.is_some() {
                        self.forced.insert(*name);
                    }
                    self.scheduler.add_pod(pod_of(*name, *cpu, *gpus, *priority, *anti_affine, *node));
                }
            }
            Event::PodGone { name } => {
                self.forced.remove(name);
                self.scheduler.remove_pod("default", &format!("p{name}"));
            }
            Event::Wait { seconds } => self.now += std::time::Duration::from_secs(u64::from(*seconds)),
            Event::Schedule => self.schedule(),
        }
    }

    fn schedule(&mut self) {
        for _ in 0..200 {
            let Some(decision) = self.scheduler.schedule_one(self.now) else { return };
            self.log.push(format!("{} {:?} {}", decision.name, decision.node(), decision.attempt.message));
            for (namespace, victim) in &decision.victims {
                let priority = |name: &str| self.scheduler.priority_of(namespace, name);
                assert!(priority(victim) < priority(&decision.name), "{victim} is not less important");
                self.scheduler.remove_pod(namespace, victim);
            }
        }
        panic!("the scheduler does not come to rest");
    }

    fn check(&self) {
        let cluster = self.scheduler.cluster();
        for node in ["n0", "n1", "n2", "n3", "n4", "n5"].iter().filter_map(|name| cluster.node_by_name(name))
        {
            let forced = node.pods.iter().any(|pod| {
                let name = cluster.symbols.name(pod.name);
                name[1..].parse::<u8>().is_ok_and(|name| self.forced.contains(&name))
            });
            let cpu: i64 = node.pods.iter().map(|pod| pod.requests.exact.get(ResourceId::CPU)).sum();
            assert_eq!(cpu, node.requested.get(ResourceId::CPU), "the books of {node:?}");
            if !forced {
                assert!(cpu <= node.allocatable.get(ResourceId::CPU), "{:?}", self.log);
                for (id, amount) in node.requested.scalars() {
                    assert!(amount <= node.allocatable.get(id));
                }
            }
        }
    }
}

fn pod_of(name: u8, cpu: u8, gpus: u8, priority: i32, anti_affine: bool, node: Option<u8>) -> Pod {
    let term = json!([{
        "labelSelector": {"matchLabels": {"app": "lonely"}},
        "topologyKey": "topology.kubernetes.io/zone",
    }]);
    let affinity = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": term}});
    let limits = json!({"nvidia.com/gpu": gpus.to_string()});
    let container = json!({
        "name": "main",
        "resources": {"requests": {"cpu": cpu.to_string()}, "limits": limits},
    });
    pod(
        &format!("p{name}"),
        "0",
        &json!({
            "metadata": {"labels": if anti_affine { json!({"app": "lonely"}) } else { json!({}) }},
            "spec": {
                "containers": [container],
                "priority": priority,
                "affinity": if anti_affine { affinity } else { Value::Null },
                "nodeName": node.map(|node| format!("n{node}")),
            },
        }),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_node_is_over_its_allocatable_and_no_victim_is_as_important(
        events in proptest::collection::vec(event(), 1..120),
    ) {
        let mut run = Run::new();
        for event in &events {
            run.apply(event);
            run.check();
        }
    }

    #[test]
    fn a_clone_goes_the_same_way(
        events in proptest::collection::vec(event(), 1..80),
        at in any::<prop::sample::Index>(),
    ) {
        let mut run = Run::new();
        let split = at.index(events.len());
        for event in &events[..split] {
            run.apply(event);
        }
        let mut copy = run.clone();
        for event in &events[split..] {
            run.apply(event);
            copy.apply(event);
        }
        prop_assert_eq!(run.log, copy.log);
    }
}
