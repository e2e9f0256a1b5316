//! The policies of batch scheduling on queues of three lengths.
//!
//! Run with `cargo bench -p clusterlab --bench slurm`; logs of real machines are measured by `clusterlab bench slurm LOG`.

use clusterlab::slurm::textbook::{Policy, backlog, replay};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

fn measure(bencher: Bencher<'_, '_>, pending: u32, policy: Policy) {
    let workload = backlog(pending);
    bencher
        .counter(divan::counter::ItemsCount::new(pending))
        .bench_local(|| replay(black_box(&workload), policy));
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 5)]
fn fcfs(bencher: Bencher<'_, '_>, pending: u32) {
    measure(bencher, pending, Policy::Fcfs);
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 5)]
fn sjf(bencher: Bencher<'_, '_>, pending: u32) {
    measure(bencher, pending, Policy::Sjf);
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 5)]
fn easy(bencher: Bencher<'_, '_>, pending: u32) {
    measure(bencher, pending, Policy::Easy);
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 5)]
fn easy_sjf(bencher: Bencher<'_, '_>, pending: u32) {
    measure(bencher, pending, Policy::EasySjf);
}

#[divan::bench(args = [1_000, 10_000, 100_000], sample_count = 5)]
fn conservative(bencher: Bencher<'_, '_>, pending: u32) {
    measure(bencher, pending, Policy::Conservative);
}

/// Each early end moves a large part of all reservations.
#[divan::bench(args = [250, 500, 1_000], sample_count = 5)]
fn mualem_feitelson(bencher: Bencher<'_, '_>, pending: u32) {
    measure(bencher, pending, Policy::MualemFeitelson);
}
