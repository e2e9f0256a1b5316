//! GPU policies over a synthetic trace of shared and whole GPUs, at three sizes.
//!
//! Run with `cargo bench -p clusterlab --bench gpu_policies`.

use clusterlab::kube::scheduler::openb::{Policy, Trace, Workload, run};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// Nodes of 2, 4 and 8 GPUs, and seven pods for each, the most of them with a part of a GPU.
fn trace(nodes: usize) -> Trace {
    let mut node_list = "sn,cpu_milli,memory_mib,gpu,model\n".to_owned();
    for node in 0..nodes {
        let gpus = [2, 4, 8, 8][node % 4];
        node_list += &format!("node-{node:06},{},786432,{gpus},T4\n", 12_000 * gpus);
    }
    let mut pod_list = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n".to_owned();
    for pod in 0..7 * nodes {
        let (cpu, gpus, milli) = [
            (8_000, 1, 500),
            (4_000, 1, 220),
            (12_000, 1, 1000),
            (6_000, 1, 460),
            (32_000, 0, 0),
            (88_000, 8, 1000),
        ][pod * pod % 31 % 6];
        pod_list += &format!("pod-{pod:06},{cpu},16384,{gpus},{milli}\n");
    }
    Trace::read(&node_list, &pod_list).expect("a trace")
}

#[divan::bench(args = [100, 1_000, 4_000], sample_count = 5)]
fn fgd(bencher: Bencher<'_, '_>, nodes: usize) {
    place(bencher, nodes, Policy::Fgd);
}

#[divan::bench(args = [100, 1_000, 4_000], sample_count = 5)]
fn best_fit(bencher: Bencher<'_, '_>, nodes: usize) {
    place(bencher, nodes, Policy::BestFit);
}

fn place(bencher: Bencher<'_, '_>, nodes: usize, policy: Policy) {
    let trace = trace(nodes);
    let workload = Workload::new(&trace, 42, 0.0);
    bencher
        .counter(divan::counter::ItemsCount::new(workload.pods.len()))
        .bench_local(|| run(black_box(&trace), black_box(&workload), policy, 42).expect("a run"));
}
