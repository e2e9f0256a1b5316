//! The variables that Slurm sets for a batch script (sbatch(1), OUTPUT ENVIRONMENT VARIABLES).

use std::collections::BTreeMap;

use crate::slurm::controller::Controller;
use crate::slurm::model::{Bits, Job};

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

/// The environment of the batch script of `job`, which starts on `node`.
pub fn batch_environment(controller: &Controller, job: &Job, node: &str) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = job.request.environment.iter().cloned().collect();
    let mut set = |name: &str, value: String| {
        env.insert(name.to_owned(), value);
    };
    let nodes = controller.names_of(&job.nodes);
    let cpus: Vec<u32> = job.shares_of_nodes.iter().map(|share| share.cpus).collect();
    let tasks = tasks_per_node(job);
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
    set("SLURM_CPUS_ON_NODE", cpus.first().copied().unwrap_or(0).to_string());
    set("SLURM_TASKS_PER_NODE", repeated(&tasks));
    set("SLURM_CLUSTER_NAME", controller.params.cluster.clone());
    set("SLURM_SUBMIT_DIR", job.request.work_dir.clone());
    set("SLURM_SUBMIT_HOST", job.request.alloc_node.clone());
    set("SLURMD_NODENAME", node.to_owned());
    set("SLURM_TOPOLOGY_ADDR", node.to_owned());
    set("SLURM_TOPOLOGY_ADDR_PATTERN", "node".into());
    set("SLURM_NODE_ALIASES", "(null)".into());
    set("SLURM_WORKING_CLUSTER", format!("{}:127.0.0.1:6817:9728:109", controller.params.cluster));
    set("SLURM_GTIDS", "0".into());
    set("SLURM_LOCALID", "0".into());
    set("SLURM_NODEID", "0".into());
    set("SLURM_PROCID", "0".into());
    set("SLURM_PRIO_PROCESS", "0".into());
    set("SLURM_TASK_PID", (1000 + job.id).to_string());
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
    gpus(controller, job, &mut set);
    env
}

fn gpus(controller: &Controller, job: &Job, set: &mut impl FnMut(&str, String)) {
    let Some(kind) = controller.names.kind("gpu") else { return };
    let Some(first) = job.shares_of_nodes.first() else { return };
    let devices = first.gres.iter().filter(|grant| grant.kind == kind).fold(Bits::new(), |mut all, grant| {
        all.union(&grant.devices);
        all
    });
    if devices.is_empty() {
        return;
    }
    let list = devices.iter().map(|device| device.to_string()).collect::<Vec<_>>().join(",");
    for name in [
        "CUDA_VISIBLE_DEVICES",
        "GPU_DEVICE_ORDINAL",
        "ROCR_VISIBLE_DEVICES",
        "ZE_AFFINITY_MASK",
        "SLURM_JOB_GPUS",
    ] {
        set(name, list.clone());
    }
    set("SLURM_GPUS_ON_NODE", devices.count().to_string());
    let plain = |text: &Option<String>| text.as_ref().map(|text| text.replace("gres:gpu:", ""));
    if let Some(text) = plain(&job.request.tres_per_job) {
        set("SLURM_GPUS", text);
    }
    if let Some(text) = plain(&job.request.tres_per_task) {
        set("SLURM_GPUS_PER_TASK", text);
    }
    if let Some(text) = job.request.tres_per_node.as_ref().filter(|text| text.starts_with("gres:gpu:")) {
        set("SLURM_GPUS_PER_NODE", text.replace("gres:gpu:", ""));
    }
}
