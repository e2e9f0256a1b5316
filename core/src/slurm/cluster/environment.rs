//! The variables that Slurm sets for a batch script (sbatch(1), OUTPUT ENVIRONMENT VARIABLES).

use std::collections::BTreeMap;

use crate::slurm::controller::Controller;
use crate::slurm::model::{Bits, Job, Step};

/// Equal numbers in a row: `4(x2),1`.
pub(crate) fn repeated(counts: &[u32]) -> String {
    let mut parts: Vec<(u32, usize)> = Vec::new();
    for count in counts {
        match parts.last_mut() {
            Some((last, times)) if last == count => *times += 1,
            _ => parts.push((*count, 1)),
        }
    }
    let text = |(count, times): &(u32, usize)| {
        if *times > 1 { format!("{count}(x{times})") } else { count.to_string() }
    };
    parts.iter().map(text).collect::<Vec<_>>().join(",")
}

/// Tasks on each node of a job: dealt out in the order of the nodes, at most what the CPUs of each hold.
pub(crate) fn tasks_per_node(job: &Job) -> Vec<u32> {
    let per_task = job.request.cpus_per_task.unwrap_or(1).max(1);
    let nodes = job.shares_of_nodes.len();
    if nodes == 0 {
        return Vec::new();
    }
    if let Some(each) = job.request.ntasks_per_node {
        return vec![each; nodes];
    }
    let room: Vec<u32> = job.shares_of_nodes.iter().map(|share| (share.cpus / per_task).max(1)).collect();
    let wanted = job.ntasks.max(nodes as u32);
    let mut tasks = vec![1_u32; nodes];
    let mut left = wanted.saturating_sub(nodes as u32);
    for (count, room) in tasks.iter_mut().zip(&room) {
        let more = left.min(room.saturating_sub(1));
        *count += more;
        left -= more;
    }
    tasks
}

/// Where the controller listens, as steps are told: host, port, protocol version and plugin of the selection.
const CONTROLLER: &str = "127.0.0.1:6817:9728:109";

/// Variables that describe an allocation: for the batch script, for what `salloc` starts, for the tasks of a step.
pub(super) fn job_environment(controller: &Controller, job: &Job, set: &mut impl FnMut(&str, String)) {
    let nodes = controller.names_of(&job.nodes);
    let cpus: Vec<u32> = job.shares_of_nodes.iter().map(|share| share.cpus).collect();
    set("SLURM_JOB_ID", job.id.to_string());
    set("SLURM_JOBID", job.id.to_string());
    set("SLURM_JOB_NAME", job.request.name.clone());
    set("SLURM_JOB_PARTITION", controller.partitions[job.partition].name.clone());
    set("SLURM_JOB_QOS", job.qos.clone());
    set("SLURM_JOB_UID", job.request.uid.to_string());
    set("SLURM_JOB_GID", job.request.gid.to_string());
    set("SLURM_JOB_USER", job.user.clone());
    if let Some(account) = &job.request.account {
        set("SLURM_JOB_ACCOUNT", account.clone());
    }
    set("SLURM_JOB_NODELIST", nodes.clone());
    set("SLURM_NODELIST", nodes);
    set("SLURM_JOB_NUM_NODES", job.shares_of_nodes.len().to_string());
    set("SLURM_NNODES", job.shares_of_nodes.len().to_string());
    set("SLURM_JOB_CPUS_PER_NODE", repeated(&cpus));
    set("SLURM_TASKS_PER_NODE", repeated(&tasks_per_node(job)));
    set("SLURM_CLUSTER_NAME", controller.params.cluster.clone());
    set("SLURM_SUBMIT_DIR", job.request.work_dir.clone());
    set("SLURM_WORKING_CLUSTER", format!("{}:{CONTROLLER}", controller.params.cluster));
}

/// Variables for what runs on a node.
fn node_environment(node: &str, set: &mut impl FnMut(&str, String)) {
    set("SLURMD_NODENAME", node.to_owned());
    set("SLURM_TOPOLOGY_ADDR", node.to_owned());
    set("SLURM_TOPOLOGY_ADDR_PATTERN", "node".into());
    set("SLURM_PRIO_PROCESS", "0".into());
}

/// What the options of `sbatch` and `salloc` asked for, which steps inherit.
pub(super) fn asked_environment(job: &Job, set: &mut impl FnMut(&str, String)) {
    if job.request.ntasks.is_some() || job.request.ntasks_per_node.is_some() {
        set("SLURM_NTASKS", job.ntasks.to_string());
        set("SLURM_NPROCS", job.ntasks.to_string());
    }
    if let Some(each) = job.request.cpus_per_task {
        set("SLURM_CPUS_PER_TASK", each.to_string());
    }
    if let Some(each) = job.request.ntasks_per_node {
        set("SLURM_NTASKS_PER_NODE", each.to_string());
    }
    match job.memory {
        Some(crate::slurm::model::Memory::PerCpu(each)) => set("SLURM_MEM_PER_CPU", each.to_string()),
        Some(crate::slurm::model::Memory::PerNode(each)) if each > 0 => {
            set("SLURM_MEM_PER_NODE", each.to_string());
        }
        _ => {}
    }
}

/// The environment of the batch script of `job`, which starts on `node`.
pub fn batch_environment(controller: &Controller, job: &Job, node: &str) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = job.request.environment.iter().cloned().collect();
    let host = env.contains_key("SLURM_SUBMIT_HOST");
    let mut set = |name: &str, value: String| {
        env.insert(name.to_owned(), value);
    };
    job_environment(controller, job, &mut set);
    node_environment(node, &mut set);
    asked_environment(job, &mut set);
    if !host {
        set("SLURM_SUBMIT_HOST", job.request.alloc_node.clone());
    }
    let first = job.shares_of_nodes.first();
    set("SLURM_CPUS_ON_NODE", first.map_or(0, |share| share.cpus).to_string());
    set("SLURM_NODE_ALIASES", "(null)".into());
    set("SLURM_GTIDS", "0".into());
    set("SLURM_LOCALID", "0".into());
    set("SLURM_NODEID", "0".into());
    set("SLURM_PROCID", "0".into());
    set("SLURM_TASK_PID", (1000 + job.id).to_string());
    if job.restarts > 0 {
        set("SLURM_RESTART_COUNT", job.restarts.to_string());
    }
    if let (Some((array, Some(task))), Some(spec)) = (job.array, &job.request.array) {
        set("SLURM_ARRAY_JOB_ID", array.to_string());
        set("SLURM_ARRAY_TASK_ID", task.to_string());
        set("SLURM_ARRAY_TASK_COUNT", spec.tasks.len().to_string());
        set("SLURM_ARRAY_TASK_MIN", spec.tasks.first().copied().unwrap_or(0).to_string());
        set("SLURM_ARRAY_TASK_MAX", spec.tasks.last().copied().unwrap_or(0).to_string());
        set("SLURM_ARRAY_TASK_STEP", spec.step.to_string());
    }
    if let (Some(kind), Some(first)) = (controller.names.kind("gpu"), first) {
        let mut devices = Bits::new();
        for grant in first.gres.iter().filter(|grant| grant.kind == kind) {
            devices.union(&grant.devices);
        }
        if !devices.is_empty() {
            set("SLURM_GPUS_ON_NODE", devices.count().to_string());
            if devices_are_numbered(controller, first.node) {
                let seen = controller.params.constrain_devices.then_some(&devices);
                set_devices(&devices, seen, "SLURM_JOB_GPUS", &mut set);
            }
        }
    }
    env
}

/// Whether the node's GPUs have numbers that CUDA knows.
fn devices_are_numbered(controller: &Controller, node: usize) -> bool {
    let kind = controller.names.kind("gpu");
    controller.nodes[node].gres.iter().any(|gres| Some(gres.kind) == kind && !gres.anonymous)
}

/// Variables by which programs find their GPUs, and Slurm's own of that `name`.
const DEVICES: [&str; 4] =
    ["CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"];

/// Sets the variables for these `devices`; where a process sees no others than `seen`, CUDA counts those from 0.
fn set_devices(devices: &Bits, seen: Option<&Bits>, name: &str, set: &mut impl FnMut(&str, String)) {
    let list = |numbers: &mut dyn Iterator<Item = usize>| {
        numbers.map(|device| device.to_string()).collect::<Vec<_>>().join(",")
    };
    set(name, list(&mut devices.iter()));
    let shown = match seen {
        None => list(&mut devices.iter()),
        Some(seen) => {
            list(&mut seen.iter().enumerate().filter(|(_, device)| devices.has(*device)).map(|(at, _)| at))
        }
    };
    for name in DEVICES {
        set(name, shown.clone());
    }
}

/// Which of a step's GPUs on a node its task sees (`--gpu-bind`, and `--gpus-per-task` by itself).
fn bound(devices: &Bits, local: usize, bind: Option<&str>, per_task: Option<u64>) -> Bits {
    let all: Vec<usize> = devices.iter().collect();
    let (kind, value) = bind.map_or(("", ""), |text| text.split_once(':').unwrap_or((text, "")));
    let pick = |index: usize| all.get(index % all.len().max(1)).copied();
    match kind.trim_start_matches("verbose,") {
        "none" => Bits::new(),
        "single" => {
            let tasks: usize = value.parse().unwrap_or(1).max(1);
            pick(local / tasks).into_iter().collect()
        }
        "per_task" => {
            let each: usize = value.parse().unwrap_or(1).max(1);
            (local * each..(local + 1) * each).filter_map(|at| all.get(at).copied()).collect()
        }
        "map_gpu" => {
            let map: Vec<usize> = value.split(',').filter_map(|part| part.parse().ok()).collect();
            let wanted = map.get(local % map.len().max(1)).copied();
            wanted.filter(|at| *at < all.len()).and_then(pick).into_iter().collect()
        }
        "mask_gpu" => {
            let masks: Vec<u64> = value
                .split(',')
                .filter_map(|part| u64::from_str_radix(part.trim_start_matches("0x"), 16).ok())
                .collect();
            let mask = masks.get(local % masks.len().max(1)).copied().unwrap_or(u64::MAX);
            all.iter()
                .enumerate()
                .filter(|(at, _)| *at < 64 && mask >> at & 1 == 1)
                .map(|(_, id)| *id)
                .collect()
        }
        _ => match per_task {
            Some(each) => {
                let each = usize::try_from(each).unwrap_or(1);
                (local * each..(local + 1) * each).filter_map(|at| all.get(at).copied()).collect()
            }
            None => devices.clone(),
        },
    }
}

/// Which task of a step an environment is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaskOf<'a> {
    pub(super) job: &'a Job,
    pub(super) step: &'a Step,
    pub(super) number: u32,
    /// Place of its node among those of the step.
    pub(super) node: usize,
    pub(super) rank: u32,
    pub(super) gpu_bind: Option<&'a str>,
    pub(super) gpus_per_task: Option<u64>,
    pub(super) cpus_per_task: Option<u32>,
}

/// The environment of a task, made from that of its `srun`.
pub(super) fn task_environment(
    controller: &Controller,
    srun: &BTreeMap<String, String>,
    task: TaskOf<'_>,
) -> BTreeMap<String, String> {
    let TaskOf { job, step, number, .. } = task;
    let mut env = srun.clone();
    // The script's own, which the step has of its own or not at all.
    for name in DEVICES.iter().copied().chain(["SLURM_STEP_GPUS", "SLURM_NODE_ALIASES"]) {
        env.remove(name);
    }
    let host = env.contains_key("SLURM_SUBMIT_HOST");
    let mut set = |name: &str, value: String| {
        env.insert(name.to_owned(), value);
    };
    let share = &step.shares[task.node];
    let node = &controller.nodes[share.node].name;
    let counts: Vec<u32> = step.shares.iter().map(|share| share.ranks.len() as u32).collect();
    job_environment(controller, job, &mut set);
    node_environment(node, &mut set);
    if !host {
        set("SLURM_SUBMIT_HOST", job.request.alloc_node.clone());
    }
    let local = share.ranks.iter().position(|rank| *rank == task.rank).unwrap_or(0);
    let ranks = share.ranks.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
    let nodes = controller.names_of(&step.nodes);
    set("SLURM_CPUS_ON_NODE", share.cpus.to_string());
    set("SLURM_GTIDS", ranks);
    set("SLURM_LOCALID", local.to_string());
    set("SLURM_NODEID", task.node.to_string());
    set("SLURM_PROCID", task.rank.to_string());
    set("SLURM_NTASKS", step.tasks.to_string());
    set("SLURM_NPROCS", step.tasks.to_string());
    if let Some(each) = task.cpus_per_task {
        set("SLURM_CPUS_PER_TASK", each.to_string());
    }
    set("SLURM_TASKS_PER_NODE", repeated(&counts));
    set("SLURM_STEP_TASKS_PER_NODE", repeated(&counts));
    set("SLURM_STEP_NUM_TASKS", step.tasks.to_string());
    set("SLURM_STEP_NUM_NODES", step.shares.len().to_string());
    set("SLURM_STEP_NODELIST", nodes);
    set("SLURM_STEP_ID", number.to_string());
    set("SLURM_STEPID", number.to_string());
    let port = 33_000 + (job.id * 16 + number) % 10_000;
    set("SLURM_STEP_LAUNCHER_PORT", port.to_string());
    set("SLURM_SRUN_COMM_HOST", "127.0.0.1".into());
    set("SLURM_SRUN_COMM_PORT", port.to_string());
    set("SLURM_LAUNCH_NODE_IPADDR", "127.0.0.1".into());
    set("SLURM_UMASK", "0022".into());
    set("SLURM_TASK_PID", (3000 + job.id * 64 + task.rank).to_string());
    set("SRUN_DEBUG", "3".into());
    if !share.gpus.is_empty() {
        set("SLURM_GPUS_ON_NODE", share.gpus.count().to_string());
        let mine = bound(&share.gpus, local, task.gpu_bind, task.gpus_per_task);
        if !mine.is_empty() && devices_are_numbered(controller, share.node) {
            let seen = controller.params.constrain_devices.then_some(&share.gpus);
            set_devices(&mine, seen, "SLURM_STEP_GPUS", &mut set);
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use super::*;

    // Recorded: gpu_env_devices.
    #[test]
    fn tasks_see_the_gpus_that_they_are_bound_to() {
        let check = |bind: Option<&str>, per_task: Option<u64>, gpus: usize, expect: &[&[usize]]| {
            let found: Vec<Vec<usize>> = (0..expect.len())
                .map(|local| bound(&Bits::first(gpus), local, bind, per_task).iter().collect())
                .collect();
            assert_eq!(found, expect, "{bind:?} {per_task:?}");
        };
        check(None, Some(1), 3, &[&[0], &[1], &[2]]);
        check(None, None, 2, &[&[0, 1], &[0, 1]]);
        check(Some("single:1"), None, 2, &[&[0], &[1]]);
        check(Some("single:2"), None, 2, &[&[0], &[0], &[1], &[1]]);
        check(Some("map_gpu:1,0"), None, 2, &[&[1], &[0]]);
        check(Some("mask_gpu:0x3,0xc"), None, 4, &[&[0, 1], &[2, 3]]);
        check(Some("none"), None, 4, &[&[], &[]]);
        check(Some("per_task:2"), None, 4, &[&[0, 1], &[2, 3]]);
    }
}
