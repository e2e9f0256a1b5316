//! What must hold of GPU policies whatever comes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use proptest::prelude::*;
use serde_json::{Value, from_value, json};

use super::super::cluster::{PodInfo, Symbols};
use super::super::framework::{Binder, PodAnnotations};
use super::super::{Decision, Scheduler, SchedulerConfiguration};
use super::*;
use crate::sim::SimTime;

fn typical() -> Value {
    json!([
        {"milliCpu": 4000, "milliGpu": 500, "gpuNumber": 1, "percentage": 0.5},
        {"milliCpu": 8000, "milliGpu": 1000, "gpuNumber": 2, "gpuType": "A100|T4", "percentage": 0.25},
        {"milliCpu": 2000, "percentage": 0.25},
    ])
}

/// The default plugins and a policy that outweighs them; `method` is `gpuSelMethod`.
pub(super) fn scheduler(policy: &str, method: &str) -> Scheduler {
    let args = if policy == "FGDScore" { json!({"typicalPods": typical()}) } else { Value::Null };
    let config = json!({
        "profiles": [{
            "plugins": {
                "multiPoint": {"enabled": [
                    {"name": "Open-Gpu-Share"}, {"name": policy, "weight": 1000}, {"name": "NodeNameOrder"},
                ]},
            },
            "pluginConfig": [
                {"name": "Open-Gpu-Share", "args": {"gpuSelMethod": method}},
                {"name": policy, "args": args},
            ],
        }],
    });
    let config: SchedulerConfiguration = from_value(config).unwrap();
    Scheduler::new(&config).unwrap()
}

pub(super) fn node(name: &str, cpu: u32, gpus: u32, model: &str) -> Node {
    let resources = json!({
        "cpu": cpu.to_string(), "memory": "256Gi", "pods": "110", "alibabacloud.com/gpu-count": gpus.to_string(),
    });
    from_value(json!({
        "metadata": {"name": name, "labels": {"alibabacloud.com/gpu-card-model": model}},
        "status": {"allocatable": resources},
    }))
    .unwrap()
}

pub(super) fn pod(name: &str, cpu: u32, milli: u16, count: u16, more: &Value) -> Pod {
    let mut annotations = json!({});
    if count > 0 {
        annotations[GPU_MILLI] = milli.to_string().into();
        annotations[GPU_COUNT] = count.to_string().into();
    }
    for (key, value) in more["annotations"].as_object().into_iter().flatten() {
        annotations[key] = value.clone();
    }
    let requests = json!({"cpu": cpu.to_string()});
    from_value(json!({
        "metadata": {"name": name, "namespace": "default", "annotations": annotations},
        "spec": {
            "containers": [{"name": "main", "resources": {"requests": requests, "limits": more["limits"]}}],
            "priority": more["priority"], "nodeName": more["nodeName"],
        },
    }))
    .unwrap()
}

/// Remembers the devices that pods were given.
#[derive(Clone, Debug, Default)]
struct Given(BTreeMap<String, String>);

impl Binder for Given {
    fn bind(&mut self, _: &PodInfo, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn annotate(&mut self, pod: &PodInfo, annotations: &PodAnnotations) -> Result<(), String> {
        let name = pod.rest.name.to_string();
        self.0.insert(name, annotations.0[GPU_INDEX].clone());
        Ok(())
    }
}

fn place(scheduler: &mut Scheduler, given: &mut Given, pod: Pod) -> Decision {
    scheduler.add_pod(pod);
    scheduler.schedule_one_with(SimTime::ZERO, given).expect("a pod waits")
}

fn placed(decision: &Decision) -> Option<&str> {
    decision.node().map(|node| &**node)
}

#[test]
fn a_share_goes_to_the_tightest_gpu_and_whole_gpus_to_idle_ones() {
    let (mut scheduler, mut given) = (scheduler("BestFitScore", "best"), Given::default());
    scheduler.add_node(node("a", 64, 4, "T4"));
    for (name, milli, count) in [("p", 600, 1), ("q", 700, 1), ("r", 300, 1), ("s", 1000, 2), ("t", 400, 1)] {
        let decision = place(&mut scheduler, &mut given, pod(name, 1, milli, count, &Value::Null));
        assert_eq!(placed(&decision), Some("a"), "{name}");
    }
    let expect = [("p", "0"), ("q", "1"), ("r", "1"), ("s", "2-3"), ("t", "0")];
    let found: Vec<_> = given.0.iter().map(|(pod, devices)| (pod.as_str(), devices.as_str())).collect();
    assert_eq!(found, expect);
    let decision = place(&mut scheduler, &mut given, pod("u", 1, 100, 1, &Value::Null));
    assert_eq!(placed(&decision), None);
    let expect = "0/1 nodes are available: 1 Insufficient alibabacloud.com/gpu-milli.";
    assert!(decision.attempt.message.starts_with(expect), "{}", decision.attempt.message);
    // A share that goes makes room for the next.
    scheduler.remove_pod("default", "q");
    scheduler.remove_pod("default", "u");
    let decision = place(&mut scheduler, &mut given, pod("v", 1, 700, 1, &Value::Null));
    assert_eq!((placed(&decision), given.0["v"].as_str()), (Some("a"), "1"));
}

#[test]
fn a_pod_says_which_models_and_which_devices_will_do() {
    let (mut scheduler, mut given) = (scheduler("BestFitScore", "best"), Given::default());
    scheduler.add_node(node("a", 64, 2, "T4"));
    scheduler.add_node(node("b", 64, 2, "A100"));
    scheduler.add_node(node("c", 64, 0, ""));
    let wish = |annotations: Value| json!({"annotations": annotations});
    let model = wish(json!({"alibabacloud.com/gpu-card-model": "V100|A100"}));
    let decision = place(&mut scheduler, &mut given, pod("p", 1, 500, 1, &model));
    assert_eq!(placed(&decision), Some("b"));
    let device = wish(json!({"alibabacloud.com/gpu-index": "1", "alibabacloud.com/gpu-card-model": "A100"}));
    let decision = place(&mut scheduler, &mut given, pod("q", 1, 500, 1, &device));
    assert_eq!((placed(&decision), given.0["q"].as_str()), (Some("b"), "1"));
    let none = wish(json!({"alibabacloud.com/gpu-card-model": "H100"}));
    let decision = place(&mut scheduler, &mut given, pod("r", 1, 500, 1, &none));
    let expect =
        "0/3 nodes are available: 1 node(s) had no GPU, 2 node(s) didn't match the pod's GPU card model.";
    assert!(decision.attempt.message.starts_with(expect), "{}", decision.attempt.message);
    // A model that came after the pod.
    scheduler.remove_pod("default", "r");
    scheduler.add_node(node("d", 64, 1, "H100"));
    let decision = place(&mut scheduler, &mut given, pod("r", 1, 500, 1, &none));
    assert_eq!(placed(&decision), Some("d"));
    let parts = place(&mut scheduler, &mut given, pod("s", 1, 500, 2, &Value::Null));
    assert!(parts.attempt.message.contains("not modelled: parts of more than one GPU"));
}

#[test]
fn whole_gpus_of_the_device_plugin_count_and_their_devices_are_its_own_business() {
    let (mut scheduler, mut given) = (scheduler("GpuPackingScore", "best"), Given::default());
    let capacity = json!({"cpu": "64", "memory": "64Gi", "pods": "110", "nvidia.com/gpu": "4"});
    for name in ["a", "b"] {
        let node = json!({"metadata": {"name": name}, "status": {"allocatable": capacity}});
        scheduler.add_node(from_value::<Node>(node).unwrap());
    }
    let whole = |gpus: &str| json!({"limits": {"nvidia.com/gpu": gpus}});
    let decision = place(&mut scheduler, &mut given, pod("p", 1, 0, 0, &whole("3")));
    assert_eq!(placed(&decision), Some("a"));
    // The node in use comes before the idle one, which `NodeResourcesFit` alone would take.
    let decision = place(&mut scheduler, &mut given, pod("q", 1, 0, 0, &whole("1")));
    assert_eq!(placed(&decision), Some("a"));
    assert_eq!(given.0, BTreeMap::new());
    let decision = place(&mut scheduler, &mut given, pod("r", 1, 500, 1, &Value::Null));
    assert_eq!((placed(&decision), given.0["r"].as_str()), (Some("b"), "0"));
}

#[test]
fn preemption_makes_room_on_a_gpu() {
    let (mut scheduler, mut given) = (scheduler("FGDScore", "FGDScore"), Given::default());
    scheduler.add_node(node("a", 64, 1, "T4"));
    place(&mut scheduler, &mut given, pod("low", 1, 700, 1, &json!({"priority": -1})));
    place(&mut scheduler, &mut given, pod("small", 1, 200, 1, &json!({"priority": -1})));
    let decision = place(&mut scheduler, &mut given, pod("high", 1, 800, 1, &json!({"priority": 5})));
    let victims: Vec<_> = decision.victims.iter().map(|(_, name)| &**name).collect();
    assert_eq!(victims, ["low"], "{}", decision.attempt.message);
    scheduler.remove_pod("default", "low");
    let decision =
        scheduler.schedule_one_with(SimTime::from_secs(20), &mut given).expect("it is tried again");
    assert_eq!((placed(&decision), given.0["high"].as_str()), (Some("a"), "0"));
}

#[test]
fn a_pod_without_devices_that_somebody_else_bound_still_takes_room() {
    let (mut scheduler, mut given) = (scheduler("FGDScore", "FGDScore"), Given::default());
    scheduler.add_node(node("a", 64, 2, "T4"));
    scheduler.add_pod(pod("stray", 1, 1000, 1, &json!({"nodeName": "a"})));
    scheduler.add_pod(pod(
        "known",
        1,
        600,
        1,
        &json!({
            "nodeName": "a", "annotations": {"alibabacloud.com/gpu-index": "0"},
        }),
    ));
    let decision = place(&mut scheduler, &mut given, pod("p", 1, 500, 1, &Value::Null));
    assert_eq!(placed(&decision), None);
    let decision = place(&mut scheduler, &mut given, pod("q", 1, 400, 1, &Value::Null));
    assert_eq!((placed(&decision), given.0["q"].as_str()), (Some("a"), "0"));
}

#[test]
fn what_a_configuration_lacks_is_told() {
    let check = |plugins: Value, args: Value, expect: &str| {
        let config =
            json!({"profiles": [{"plugins": {"multiPoint": {"enabled": plugins}}, "pluginConfig": args}]});
        let config: SchedulerConfiguration = from_value(config).unwrap();
        match Scheduler::new(&config) {
            Err(error) => assert_eq!(error.to_string(), expect),
            Ok(mut scheduler) => {
                for name in ["a", "b"] {
                    scheduler.add_node(node(name, 8, 1, "T4"));
                }
                let decision =
                    place(&mut scheduler, &mut Given::default(), pod("p", 1, 500, 1, &Value::Null));
                assert_eq!(decision.attempt.message, expect);
            }
        }
    };
    check(
        json!([{"name": "FGDScore"}]),
        json!([]),
        "profiles[0].pluginConfig FGDScore: typicalPods: Required value: fragmentation is measured against them",
    );
    let half = json!([{"name": "FGDScore", "args": {"typicalPods": [{"milliCpu": 1, "percentage": 0.5}]}}]);
    check(
        json!([{"name": "FGDScore"}]),
        half,
        "profiles[0].pluginConfig FGDScore: typicalPods: Invalid value: the percentages add up to 0.5, not to 1",
    );
    check(
        json!([{"name": "Open-Gpu-Share"}]),
        json!([{"name": "Open-Gpu-Share", "args": {"gpuSelMethod": "first"}}]),
        "profiles[0].pluginConfig Open-Gpu-Share: gpuSelMethod: Unsupported value: \"first\": supported values: \
         \"best\", \"worst\", \"random\", \"FGDScore\", \"DotProductScore\"",
    );
    let all = json!([{"name": "FGDScore", "args": {"typicalPods": typical(), "dimExtMethod": "share"}}]);
    check(
        json!([{"name": "FGDScore"}, {"name": "Open-Gpu-Share"}]),
        all,
        "running PreScore plugin \"FGDScore\": Open-Gpu-Share has to be enabled, and before this plugin",
    );
    check(
        json!([{"name": "BestFitScore"}]),
        json!([{"name": "BestFitScore", "args": {"dimExtMethod": "merge", "normMethod": "max"}}]),
        "running PreScore plugin \"BestFitScore\": Open-Gpu-Share has to be enabled, and before this plugin",
    );
}

/// Something that happens.
#[derive(Clone, Debug)]
enum Event {
    Pod { name: u8, cpu: u32, milli: u16, count: u16 },
    Gone { name: u8 },
    Node { name: u8, cpu: u32, gpus: u32 },
}

fn event() -> impl Strategy<Value = Event> {
    let milli = prop_oneof![Just(1000_u16), 1_u16..1000];
    prop_oneof![
        6 => (0_u8..40, 0_u32..12, milli, 0_u16..4).prop_map(|(name, cpu, milli, count)| {
            Event::Pod { name, cpu, milli: if count > 1 { 1000 } else { milli }, count }
        }),
        2 => (0_u8..40).prop_map(|name| Event::Gone { name }),
        1 => (0_u8..5, 8_u32..64, 0_u32..9).prop_map(|(name, cpu, gpus)| Event::Node { name, cpu, gpus }),
    ]
}

/// A scheduler, and the books of somebody else.
#[derive(Clone)]
struct Run {
    scheduler: Scheduler,
    given: Given,
    nodes: BTreeMap<String, (u32, u32)>,
    pods: BTreeMap<String, (String, u32, u16, u16)>,
}

impl Run {
    fn new(policy: &str, method: &str) -> Self {
        let scheduler = scheduler(policy, method);
        Self { scheduler, given: Given::default(), nodes: BTreeMap::new(), pods: BTreeMap::new() }
    }

    fn apply(&mut self, event: &Event) -> Option<(String, String)> {
        match event {
            Event::Node { name, cpu, gpus } => {
                let name = format!("n{name}");
                // A node that shrinks may be over its capacity without anybody's fault.
                if !self.nodes.contains_key(&name) {
                    self.scheduler.add_node(node(&name, *cpu, *gpus, "T4"));
                    self.nodes.insert(name, (*cpu, *gpus));
                }
            }
            Event::Gone { name } => {
                let name = format!("p{name}");
                self.scheduler.remove_pod("default", &name);
                self.pods.remove(&name);
                self.given.0.remove(&name);
            }
            Event::Pod { name, cpu, milli, count } => {
                let name = format!("p{name}");
                if self.pods.contains_key(&name) {
                    return None;
                }
                let object = pod(&name, *cpu, *milli, *count, &Value::Null);
                let decision = place(&mut self.scheduler, &mut self.given, object);
                let Some(node) = placed(&decision).map(str::to_owned) else {
                    self.scheduler.remove_pod("default", &name);
                    return Some((name, String::new()));
                };
                self.pods.insert(name.clone(), (node.clone(), *cpu, *milli, *count));
                return Some((name, node));
            }
        }
        None
    }

    fn check(&self) {
        for (node, (cpu, gpus)) in &self.nodes {
            let mut left = vec![1000_i32; *gpus as usize];
            let mut cpu_left = i64::from(*cpu);
            for (pod, (_, cpu, milli, count)) in self.pods.iter().filter(|(_, pod)| pod.0 == *node) {
                cpu_left -= i64::from(*cpu);
                let devices: Vec<usize> = match self.given.0.get(pod) {
                    Some(text) => text.split('-').map(|device| device.parse().unwrap()).collect(),
                    None => Vec::new(),
                };
                assert_eq!(devices.len(), usize::from(*count), "the GPUs of {pod}");
                for device in devices {
                    left[device] -= i32::from(*milli);
                }
            }
            assert!(left.iter().all(|left| *left >= 0), "more of a GPU is taken than there is: {left:?}");
            assert!(cpu_left >= 0, "more CPU of {node} is taken than there is");
        }
    }

    /// A scheduler that starts now and sees what is there.
    fn restarted(&self, policy: &str, method: &str) -> Self {
        let mut run = Self { scheduler: scheduler(policy, method), ..self.clone() };
        for (name, (cpu, gpus)) in &self.nodes {
            run.scheduler.add_node(node(name, *cpu, *gpus, "T4"));
        }
        for (name, (node, cpu, milli, count)) in &self.pods {
            let devices = self.given.0.get(name).map(|devices| json!({GPU_INDEX: devices}));
            let more = json!({"nodeName": node, "annotations": devices});
            run.scheduler.add_pod(pod(name, *cpu, *milli, *count, &more));
        }
        run
    }
}

const POLICIES: [(&str, &str); 8] = [
    ("FGDScore", "FGDScore"),
    ("BestFitScore", "best"),
    ("DotProductScore", "DotProductScore"),
    ("DotProductScore", "worst"),
    ("GpuPackingScore", "best"),
    ("GpuClusteringScore", "best"),
    ("RandomScore", "random"),
    ("GpuMostAllocatedScore", "best"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_gpu_and_no_node_is_given_out_twice(
        events in proptest::collection::vec(event(), 1..120),
        policy in 0..POLICIES.len(),
    ) {
        let (policy, method) = POLICIES[policy];
        let mut run = Run::new(policy, method);
        for event in &events {
            run.apply(event);
            run.check();
        }
    }

    #[test]
    fn what_is_kept_from_cycle_to_cycle_is_what_a_restart_would_find(
        events in proptest::collection::vec(event(), 1..100),
        next in proptest::collection::vec(event(), 1..10),
        policy in 0..POLICIES.len() - 2,
    ) {
        // Nodes come in one order, so that only the GPUs can make a difference.
        let (policy, method) = POLICIES[policy];
        let mut run = Run::new(policy, method);
        for name in 0..5 {
            run.apply(&Event::Node { name, cpu: 32, gpus: 4 });
        }
        for event in &events {
            run.apply(event);
        }
        let mut restarted = run.restarted(policy, method);
        for event in &next {
            prop_assert_eq!(run.apply(event), restarted.apply(event));
            prop_assert_eq!(&run.given.0, &restarted.given.0);
        }
    }

    #[test]
    fn fragmentation_is_between_nothing_and_all_that_is_free_and_blind_to_the_order_of_gpus(
        left in proptest::collection::vec(0_u16..=1000, 0..9),
        cpu in -1_000_i64..16_000,
        shuffle: u64,
    ) {
        let mut symbols = Symbols::default();
        let typical: Vec<TypicalPod> = from_value(typical()).unwrap();
        let measure = Fragmentation::new(&typical, &mut symbols).unwrap();
        let free: f64 = left.iter().map(|left| f64::from(*left)).sum();
        let mut other = left.clone();
        let turn = if left.is_empty() { 0 } else { (shuffle % left.len() as u64) as usize };
        other.rotate_left(turn);
        if other.len() > 2 {
            other.swap(0, 1);
        }
        for model in [None, symbols.get("T4"), symbols.get("H100")] {
            let amounts = measure.amounts(&left, cpu, model);
            prop_assert!((-1e-9..=free + 1e-9).contains(&amounts.fragmented()), "{:?} of {}", amounts, free);
            prop_assert!((amounts.free() - free).abs() < 1e-6);
            prop_assert!(amounts.to_array().iter().all(|amount| *amount >= 0.0));
            prop_assert_eq!(amounts, measure.amounts(&other, cpu, model));
        }
    }
}
