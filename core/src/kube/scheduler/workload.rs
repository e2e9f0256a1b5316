//! Workloads to measure the scheduler by, after the shapes of upstream's `scheduler_perf`.
//!
//! The benchmarks and `clusterlab bench kube` both run these, so that a figure means the same wherever it is quoted.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{Value, json};

use super::{Recording, Scheduler, SchedulerConfiguration};
use crate::sim::SimTime;

/// What the pods are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Equal pods with requests for CPU and memory (`SchedulingBasic`).
    Basic,
    /// Pods that must be spread over three zones with a skew of at most 5 (`TopologySpreading`).
    Spread,
    /// In turns, pods of ten groups of which no two may share a node (`SchedulingPodAntiAffinity`), and pods that must be
    /// in a zone with their like (`SchedulingPodAffinity`).
    Affinity,
    /// Every node is filled by four pods of low priority; each pod that comes must put some of them out
    /// (`PreemptionBasic`).
    Preemption,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 4] = [Self::Basic, Self::Spread, Self::Affinity, Self::Preemption];

    /// The most pods that find a place on so many nodes.
    pub const fn most_pods(self, nodes: usize) -> usize {
        match self {
            // 4 CPUs at 100m each.
            Self::Basic | Self::Spread => nodes * 40,
            // Ten groups, one of each on a node, and as many others.
            Self::Affinity => nodes * 20,
            // One pod of three CPUs on each.
            Self::Preemption => nodes,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic => "basic",
            Self::Spread => "spread",
            Self::Affinity => "affinity",
            Self::Preemption => "preemption",
        })
    }
}

/// A word that names no shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown shape {0:?}, expected basic, spread, affinity or preemption")]
pub struct UnknownShape(String);

impl FromStr for Shape {
    type Err = UnknownShape;

    fn from_str(text: &str) -> Result<Self, UnknownShape> {
        let known = Self::ALL.into_iter().find(|shape| shape.to_string() == text);
        known.ok_or_else(|| UnknownShape(text.to_owned()))
    }
}

/// What came of a workload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Pods that were given a node.
    pub scheduled: usize,
    /// Cycles, those in vain included.
    pub attempts: usize,
    /// Pods that were put out.
    pub victims: usize,
}

/// The objects of a workload.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The machines: 4 CPUs, 32 GiB, 110 pods, in three zones.
    pub nodes: Vec<Arc<Node>>,
    /// Pods that are there before.
    pub placed: Vec<Arc<Pod>>,
    /// Pods that are to be scheduled.
    pub pods: Vec<Arc<Pod>>,
}

impl Workload {
    /// The objects of that shape.
    pub fn new(shape: Shape, nodes: usize, pods: usize) -> Self {
        let filled = if shape == Shape::Preemption { nodes } else { 0 };
        let placed = (0..filled * 4).map(|index| pod_of_low_priority(index, index % nodes.max(1)));
        Self {
            nodes: (0..nodes).map(|index| Arc::new(node(index))).collect(),
            placed: placed.map(Arc::new).collect(),
            pods: (0..pods).map(|index| Arc::new(pod(shape, index))).collect(),
        }
    }

    /// A scheduler of the default configuration that has been told of all of them.
    ///
    /// # Panics
    ///
    /// Never: the default configuration is valid.
    pub fn scheduler(&self, recording: Recording) -> Scheduler {
        #[allow(clippy::expect_used, reason = "it has no arguments that could be wrong")]
        let mut scheduler =
            Scheduler::new(&SchedulerConfiguration::default()).expect("the default configuration is valid");
        scheduler.set_recording(recording, 1);
        for node in &self.nodes {
            scheduler.add_node(Arc::clone(node));
        }
        for pod in self.placed.iter().chain(&self.pods) {
            scheduler.add_pod(Arc::clone(pod));
        }
        scheduler
    }
}

/// Schedules all that waits. Victims are gone at once, and time passes when nothing else happens.
pub fn drain(scheduler: &mut Scheduler) -> Summary {
    let mut summary = Summary::default();
    let mut now = SimTime::ZERO;
    loop {
        while let Some(decision) = scheduler.schedule_one(now) {
            summary.attempts += 1;
            summary.scheduled += usize::from(decision.node().is_some());
            summary.victims += decision.victims.len();
            for (namespace, victim) in &decision.victims {
                scheduler.remove_pod(namespace, victim);
            }
        }
        let (active, backoff, _) = scheduler.queue_lengths();
        match scheduler.next_wakeup() {
            Some(at) if active + backoff > 0 && at > now => now = at,
            _ => return summary,
        }
    }
}

fn read<T: serde::de::DeserializeOwned + Default>(value: Value) -> T {
    // The values below are objects of these types, which the tests of this module prove.
    serde_json::from_value(value).unwrap_or_default()
}

fn node(index: usize) -> Node {
    let capacity = json!({"cpu": "4", "memory": "32Gi", "pods": "110"});
    let name = format!("node-{index}");
    read(json!({
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name,
            "topology.kubernetes.io/zone": format!("zone-{}", index % 3),
        }},
        "status": {"allocatable": capacity, "capacity": capacity},
    }))
}

fn object(name: &str, labels: &Value, requests: &Value, more: &Value) -> Pod {
    let container =
        json!({"name": "pause", "image": "registry.k8s.io/pause:3.10", "resources": {"requests": requests}});
    let mut spec = json!({"containers": [container]});
    if let (Value::Object(spec), Value::Object(more)) = (&mut spec, more) {
        spec.extend(more.clone());
    }
    read(json!({"metadata": {"name": name, "namespace": "default", "labels": labels}, "spec": spec}))
}

fn pod(shape: Shape, index: usize) -> Pod {
    let name = format!("pod-{index}");
    let small = json!({"cpu": "100m", "memory": "500Mi"});
    let zone = "topology.kubernetes.io/zone";
    match shape {
        Shape::Basic => object(&name, &json!({}), &small, &json!({})),
        Shape::Spread => {
            let constraint = json!([{
                "maxSkew": 5, "topologyKey": zone, "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"color": "blue"}},
            }]);
            let more = json!({"topologySpreadConstraints": constraint});
            object(&name, &json!({"color": "blue"}), &small, &more)
        }
        Shape::Affinity => {
            let apart = index.is_multiple_of(2);
            let color = if apart { format!("green-{}", index / 2 % 10) } else { "blue".to_owned() };
            let term = json!([{
                "labelSelector": {"matchLabels": {"color": color}},
                "topologyKey": if apart { "kubernetes.io/hostname" } else { zone },
            }]);
            let kind = if apart { "podAntiAffinity" } else { "podAffinity" };
            let affinity = json!({kind: {"requiredDuringSchedulingIgnoredDuringExecution": term}});
            object(&name, &json!({"color": color}), &small, &json!({"affinity": affinity}))
        }
        Shape::Preemption => {
            let requests = json!({"cpu": "3", "memory": "500Mi"});
            object(&name, &json!({}), &requests, &json!({"priority": 10}))
        }
    }
}

fn pod_of_low_priority(index: usize, node: usize) -> Pod {
    let requests = json!({"cpu": "900m", "memory": "500Mi"});
    let more = json!({"nodeName": format!("node-{node}")});
    object(&format!("low-{index}"), &json!({}), &requests, &more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pod_of_every_shape_finds_a_place() {
        for shape in Shape::ALL {
            let workload = Workload::new(shape, 12, 12);
            let mut scheduler = workload.scheduler(Recording::Brief);
            let summary = drain(&mut scheduler);
            assert_eq!(summary.scheduled, 12, "{shape}: {summary:?}");
            // Of four pods with 900m each, three must go for one with three CPUs.
            let victims = if shape == Shape::Preemption { 36 } else { 0 };
            assert_eq!(summary.victims, victims, "{shape}");
        }
    }

    #[test]
    fn spread_pods_are_even_over_the_zones_and_groups_are_apart() {
        let per_node = |shape, pods: usize| {
            let workload = Workload::new(shape, 6, pods);
            let mut scheduler = workload.scheduler(Recording::Brief);
            drain(&mut scheduler);
            let nodes = (0..pods).filter_map(|i| scheduler.node_of("default", &format!("pod-{i}")).cloned());
            nodes.collect::<Vec<_>>()
        };
        let zones = per_node(Shape::Spread, 60);
        for zone in 0..3 {
            let there = zones.iter().filter(|node| node[5..].parse::<usize>().is_ok_and(|n| n % 3 == zone));
            assert!((15..=25).contains(&there.count()), "{zones:?}");
        }
        let first_group: Vec<_> = per_node(Shape::Affinity, 120).into_iter().step_by(20).collect();
        let distinct: std::collections::BTreeSet<_> = first_group.iter().collect();
        assert_eq!(distinct.len(), first_group.len(), "{first_group:?}");
    }

    #[test]
    fn shapes_are_named_as_they_are_typed() {
        for shape in Shape::ALL {
            assert_eq!(shape.to_string().parse(), Ok(shape));
        }
        let error = "basics".parse::<Shape>().unwrap_err().to_string();
        assert_eq!(error, "unknown shape \"basics\", expected basic, spread, affinity or preemption");
    }
}
