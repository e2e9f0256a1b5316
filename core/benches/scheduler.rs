//! How fast pods are placed: the shapes of upstream's performance tests at three sizes each.
//!
//! An item is a pod: the time per item must grow far slower than the number of nodes.
//! `cargo bench -p clusterlab --bench scheduler`; one run of any size: `clusterlab bench kube`.

use std::sync::Arc;

use clusterlab::kube::scheduler::workload::{Shape, Workload, drain};
use clusterlab::kube::scheduler::{Recording, Scheduler};
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

/// Nodes and pods, as upstream's performance tests pair them.
const SIZES: [(usize, usize); 3] = [(500, 1_000), (5_000, 10_000), (20_000, 40_000)];
/// Where each pod has a good deal to do.
const HEAVIER: [(usize, usize); 3] = [(500, 500), (2_000, 2_000), (5_000, 5_000)];

fn run(
    bencher: divan::Bencher<'_, '_>,
    shape: Shape,
    (nodes, pods): (usize, usize),
    ready: fn(&Workload) -> Scheduler,
) {
    let workload = Workload::new(shape, nodes, pods);
    bencher.counter(ItemsCount::new(pods)).with_inputs(|| ready(&workload)).bench_values(|mut scheduler| {
        assert_eq!(drain(&mut scheduler).scheduled, pods);
        scheduler
    });
}

fn brief(workload: &Workload) -> Scheduler {
    workload.scheduler(Recording::Brief)
}

#[divan::bench(args = SIZES, sample_count = 3, sample_size = 1)]
fn basic(bencher: divan::Bencher<'_, '_>, size: (usize, usize)) {
    run(bencher, Shape::Basic, size, brief);
}

/// The same with every verdict and score kept, as the lab runs it.
#[divan::bench(args = [SIZES[0]], sample_count = 3, sample_size = 1)]
fn basic_explained(bencher: divan::Bencher<'_, '_>, size: (usize, usize)) {
    run(bencher, Shape::Basic, size, |workload| workload.scheduler(Recording::Full));
}

/// The same with every pod looked at anew, though it is equal to the one before.
#[divan::bench(args = [SIZES[0], SIZES[1]], sample_count = 3, sample_size = 1)]
fn basic_without_kept_answers(bencher: divan::Bencher<'_, '_>, size: (usize, usize)) {
    run(bencher, Shape::Basic, size, |workload| {
        let mut scheduler = brief(workload);
        scheduler.set_answers_kept(false);
        scheduler
    });
}

#[divan::bench(args = HEAVIER, sample_count = 3, sample_size = 1)]
fn spread(bencher: divan::Bencher<'_, '_>, size: (usize, usize)) {
    run(bencher, Shape::Spread, size, brief);
}

#[divan::bench(args = HEAVIER, sample_count = 3, sample_size = 1)]
fn affinity(bencher: divan::Bencher<'_, '_>, size: (usize, usize)) {
    run(bencher, Shape::Affinity, size, brief);
}

#[divan::bench(args = HEAVIER, sample_count = 3, sample_size = 1)]
fn preemption(bencher: divan::Bencher<'_, '_>, size: (usize, usize)) {
    run(bencher, Shape::Preemption, size, brief);
}

/// What it costs to take up an object.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn add_pods(bencher: divan::Bencher<'_, '_>) {
    let workload = Workload::new(Shape::Basic, 1, 10_000);
    let empty = Workload { pods: Vec::new(), ..workload.clone() };
    bencher
        .counter(ItemsCount::new(workload.pods.len()))
        .with_inputs(|| (brief(&empty), workload.pods.clone()))
        .bench_values(|(mut scheduler, pods)| {
            for pod in pods {
                scheduler.add_pod(Arc::clone(&pod));
            }
            scheduler
        });
}
