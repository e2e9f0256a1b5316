//! Tests of what jobs are given under the parameters of `slurm.conf` that say how.

use super::operations::{CONF, World};
use crate::sim::SimTime;
use crate::slurm::config::ConfigFiles;

/// Jobs on a node with two GPUs that are shared: which run, and the devices of those.
fn shared(gres_types: &str, node: &str, gres_conf: &str, asks: &[&str]) -> Vec<String> {
    let conf = format!(
        "{CONF}GresTypes={gres_types}\nNodeName=g1 CPUs=16 RealMemory=1000 Gres={node}\nPartitionName=g Nodes=g1\n"
    );
    let mut world = World::of(&ConfigFiles::new(conf).with("gres.conf", gres_conf));
    world.cluster.files.put("/tmp/s.sh", b"#!/bin/sh\nsleep 100\n".to_vec(), SimTime::ZERO).unwrap();
    for ask in asks {
        world.as_user(1001, &format!("sbatch -p g -t5 --gres={ask} /tmp/s.sh"));
        world.pass(4);
    }
    let text = world.root("scontrol -d show job").stdout;
    text.split("JobId=")
        .skip(1)
        .map(|job| match job.split(" GRES=").nth(1) {
            Some(rest) => rest.split_whitespace().next().unwrap_or_default().to_owned(),
            None => "waits".to_owned(),
        })
        .collect()
}

#[test]
fn shares_of_gpus_are_given_by_device() {
    let conf = "Name=gpu File=/dev/nvidia[0-1]\n";
    let check = |types: &str, node: &str, conf: &str, asks: &[&str], expect: &[&str]| {
        assert_eq!(shared(types, node, conf, asks), expect, "{node} {asks:?}");
    };
    // Shards of a request are of one GPU; a second GPU is shared when the first has too few left.
    check(
        "gpu,shard",
        "gpu:2,shard:20",
        conf,
        &["shard:6", "shard:6"],
        &["shard:6(IDX:0)", "shard:6(IDX:1)"],
    );
    check("gpu,shard", "gpu:2,shard:20", conf, &["shard:11"], &["waits"]);
    // A GPU is given away as a whole or in shares, not both.
    check(
        "gpu,shard",
        "gpu:2,shard:20",
        conf,
        &["shard:1", "gpu:1", "gpu:1"],
        &["shard:1(IDX:0)", "gpu:1(IDX:1)", "waits"],
    );
    // With MPS one GPU of a node at a time.
    check("gpu,mps", "gpu:2,mps:200", conf, &["mps:60", "mps:60"], &["mps:60(IDX:0)", "waits"]);
    check("gpu,mps", "gpu:2,mps:200", conf, &["mps:60", "mps:40"], &["mps:60(IDX:0)", "mps:40(IDX:0)"]);
    let one = format!("{conf}Name=shard Count=20 Flags=one_sharing\n");
    check("gpu,shard", "gpu:2,shard:20", &one, &["shard:6", "shard:6"], &["shard:6(IDX:0)", "waits"]);
    // So many on each, by gres.conf.
    let each = format!("{conf}Name=mps Count=50 File=/dev/nvidia0\nName=mps Count=150 File=/dev/nvidia1\n");
    check("gpu,mps", "gpu:2,mps:200", &each, &["mps:60"], &["mps:60(IDX:1)"]);
}

/// The line of `scontrol -d show job` that a job's CPUs are in, with these parameters and this node.
fn given(select: &str, more: &str, node: &str, options: &str) -> String {
    let conf = CONF.replace("SelectTypeParameters=CR_Core\n", &format!("SelectTypeParameters={select}\n"));
    let conf = format!("{conf}GresTypes=gpu\n{more}NodeName=t1 {node}\nPartitionName=t Nodes=t1\n");
    let mut world = World::of(&ConfigFiles::new(conf));
    world.cluster.files.put("/tmp/s.sh", b"#!/bin/sh\nsleep 100\n".to_vec(), SimTime::ZERO).unwrap();
    world.as_user(1001, &format!("sbatch -p t -t5 {options} /tmp/s.sh"));
    world.pass(5);
    let text = world.root("scontrol -d show job").stdout;
    text.lines().find(|line| line.contains("CPU_IDs=")).unwrap_or("waits").trim().to_owned()
}

#[test]
fn cores_are_given_as_select_type_parameters_say() {
    let threads = "CPUs=16 CoresPerSocket=8 ThreadsPerCore=2 RealMemory=8000";
    let sockets = "CPUs=8 Sockets=2 CoresPerSocket=4 RealMemory=8000";
    let check = |select: &str, node: &str, options: &str, expect: &str| {
        assert_eq!(given(select, "", node, options), expect, "{select} {options}");
    };
    // slurm.conf(5): a task per thread, unless one per core is asked for.
    check("CR_Core_Memory", threads, "-n4 --mem=100", "Nodes=t1 CPU_IDs=0-3 Mem=100 GRES=");
    check(
        "CR_Core_Memory",
        threads,
        "-n4 --mem=100 --ntasks-per-core=1",
        "Nodes=t1 CPU_IDs=0-7 Mem=100 GRES=",
    );
    check(
        "CR_Core_Memory,CR_ONE_TASK_PER_CORE",
        threads,
        "-n4 --mem=100",
        "Nodes=t1 CPU_IDs=0-7 Mem=100 GRES=",
    );
    check("CR_Core_Memory,CR_ONE_TASK_PER_CORE", threads, "-n9 --mem=100", "waits");
    check(
        "CR_Core_Memory,CR_CORE_DEFAULT_DIST_BLOCK",
        sockets,
        "-n4 --mem=100",
        "Nodes=t1 CPU_IDs=0-3 Mem=100 GRES=",
    );
}

#[test]
fn gpus_bring_cpus_and_memory_by_default() {
    let node = "CPUs=16 RealMemory=8000 Gres=gpu:4";
    let check = |more: &str, options: &str, expect: &str| {
        assert_eq!(given("CR_Core_Memory", more, node, options), expect, "{more} {options}");
    };
    check("DefCpuPerGPU=3\n", "--gpus=2 --mem=100", "Nodes=t1 CPU_IDs=0-5 Mem=100 GRES=gpu:2(IDX:0-1)");
    check("DefCpuPerGPU=3\n", "--gpus=2 -c1 --mem=100", "Nodes=t1 CPU_IDs=0 Mem=100 GRES=gpu:2(IDX:0-1)");
    check("DefMemPerGPU=700\n", "--gres=gpu:2", "Nodes=t1 CPU_IDs=0 Mem=1400 GRES=gpu:2(IDX:0-1)");
    check("DefMemPerGPU=700\n", "--gres=gpu:2 --mem=50", "Nodes=t1 CPU_IDs=0 Mem=50 GRES=gpu:2(IDX:0-1)");
}
