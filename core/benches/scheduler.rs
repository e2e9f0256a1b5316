//! How fast pods are placed: scheduler_perf's SchedulingBasic shape at three sizes.
//!
//! Nodes of 4 CPUs, 32 GiB and 110 pods; pods of 100m and 500 MB; the default
//! profile and sampling. An item is a pod: the time per item must grow far
//! slower than the number of nodes. `cargo bench -p clusterlab --bench scheduler`

use clusterlab::kube::scheduler::{Recording, Scheduler, SchedulerConfiguration};
use clusterlab::sim::SimTime;
use divan::counter::ItemsCount;
use k8s_openapi::api::core::v1::{Node, Pod};
use serde_json::{from_value, json};

fn main() {
    divan::main();
}

/// Nodes and pods, as upstream's performance tests pair them.
const SIZES: [(usize, usize); 3] = [(500, 1_000), (5_000, 10_000), (20_000, 40_000)];

fn node(index: usize) -> Node {
    let capacity = json!({"cpu": "4", "memory": "32Gi", "pods": "110"});
    from_value(json!({
        "metadata": {"name": format!("node-{index}"), "labels": {"kubernetes.io/hostname": format!("node-{index}")}},
        "status": {"allocatable": capacity, "capacity": capacity},
    }))
    .expect("a node")
}

fn pod(index: usize) -> Pod {
    let requests = json!({"cpu": "100m", "memory": "500Mi"});
    from_value(json!({
        "metadata": {"name": format!("pod-{index}"), "namespace": "default"},
        "spec": {"containers": [{"name": "pause", "image": "registry.k8s.io/pause:3.10", "resources": {"requests": requests}}]},
    }))
    .expect("a pod")
}

fn loaded(nodes: usize, pods: usize, recording: Recording) -> Scheduler {
    let mut scheduler =
        Scheduler::new(&SchedulerConfiguration::default()).expect("the default configuration");
    scheduler.set_recording(recording, 1);
    for index in 0..nodes {
        scheduler.add_node(node(index));
    }
    for index in 0..pods {
        scheduler.add_pod(pod(index));
    }
    scheduler
}

fn drain(mut scheduler: Scheduler) -> usize {
    std::iter::from_fn(|| scheduler.schedule_one(SimTime::ZERO)).filter(|d| d.node().is_some()).count()
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn scheduling_basic(bencher: divan::Bencher<'_, '_>, (nodes, pods): (usize, usize)) {
    bencher
        .counter(ItemsCount::new(pods))
        .with_inputs(|| loaded(nodes, pods, Recording::Brief))
        .bench_values(|scheduler| assert_eq!(drain(scheduler), pods));
}

/// The same with every verdict and score kept, as the lab runs it.
#[divan::bench(args = [SIZES[0]], sample_count = 3, sample_size = 1)]
fn scheduling_basic_explained(bencher: divan::Bencher<'_, '_>, (nodes, pods): (usize, usize)) {
    bencher
        .counter(ItemsCount::new(pods))
        .with_inputs(|| loaded(nodes, pods, Recording::Full))
        .bench_values(|scheduler| assert_eq!(drain(scheduler), pods));
}

/// What it costs to take up an object.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn add_pods(bencher: divan::Bencher<'_, '_>) {
    let pods: Vec<Pod> = (0..10_000).map(pod).collect();
    bencher
        .counter(ItemsCount::new(pods.len()))
        .with_inputs(|| (loaded(1, 0, Recording::Brief), pods.clone()))
        .bench_values(|(mut scheduler, pods)| {
            for pod in pods {
                scheduler.add_pod(pod);
            }
            scheduler
        });
}
