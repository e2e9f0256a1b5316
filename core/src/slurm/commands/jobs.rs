//! What displays say of jobs: the order of the controller's list, states by name, amounts.

use std::collections::BTreeMap;

use super::format::mebibytes;
use crate::slurm::controller::Controller;
use crate::slurm::model::{Job, JobBase, JobFlags, JobId, JobState, Memory, TresCount};

/// Job records in the order of the controller's list: by id; of an array each task stands where its record was made,
/// that is where the task before it was split off (observed).
pub(super) fn listed(controller: &Controller) -> Vec<&Job> {
    let mut last: BTreeMap<JobId, JobId> = BTreeMap::new();
    for job in controller.jobs.iter() {
        if let Some((array, _)) = job.array.filter(|(array, _)| *array != job.id) {
            last.insert(array, job.id);
        }
    }
    let mut before: BTreeMap<JobId, JobId> = BTreeMap::new();
    let mut jobs: Vec<(JobId, &Job)> = controller
        .jobs
        .iter()
        .map(|job| match job.array {
            Some((array, _)) if array == job.id => (last.get(&array).copied().unwrap_or(job.id), job),
            Some((array, _)) => (before.insert(array, job.id).unwrap_or(array), job),
            None => (job.id, job),
        })
        .collect();
    jobs.sort_by_key(|(position, job)| (*position, job.id));
    jobs.into_iter().map(|(_, job)| job).collect()
}

/// The states by which jobs can be asked for, in the order of squeue's message about a wrong one.
pub(super) const STATES: [(&str, &str); 24] = [
    ("PENDING", "PD"),
    ("RUNNING", "R"),
    ("SUSPENDED", "S"),
    ("COMPLETED", "CD"),
    ("CANCELLED", "CA"),
    ("FAILED", "F"),
    ("TIMEOUT", "TO"),
    ("NODE_FAIL", "NF"),
    ("PREEMPTED", "PR"),
    ("BOOT_FAIL", "BF"),
    ("DEADLINE", "DL"),
    ("OUT_OF_MEMORY", "OOM"),
    ("COMPLETING", "CG"),
    ("CONFIGURING", "CF"),
    ("RESIZING", "RS"),
    ("RESV_DEL_HOLD", "RD"),
    ("REQUEUED", "RQ"),
    ("REQUEUE_FED", "RF"),
    ("REQUEUE_HOLD", "RH"),
    ("REVOKED", "RV"),
    ("SIGNALING", "SI"),
    ("SPECIAL_EXIT", "SE"),
    ("STAGE_OUT", "SO"),
    ("STOPPED", "ST"),
];

/// A state by its name or code, in any case.
pub(super) fn state_named(text: &str) -> Option<&'static str> {
    let text = text.trim();
    STATES
        .iter()
        .find(|(name, code)| name.eq_ignore_ascii_case(text) || code.eq_ignore_ascii_case(text))
        .map(|(name, _)| *name)
}

/// Whether a job is in a state that [`state_named`] gave: the base state or a flag.
pub(super) fn is_in(state: JobState, name: &str) -> bool {
    let flag = match name {
        "COMPLETING" => JobFlags::COMPLETING,
        "CONFIGURING" => JobFlags::CONFIGURING,
        "RESIZING" => JobFlags::RESIZING,
        "RESV_DEL_HOLD" => JobFlags::RESV_DEL_HOLD,
        "REQUEUED" => JobFlags::REQUEUE,
        "REQUEUE_HOLD" => JobFlags::REQUEUE_HOLD,
        "SPECIAL_EXIT" => JobFlags::SPECIAL_EXIT,
        "STOPPED" => JobFlags::STOPPED,
        _ => return state.base.name() == name,
    };
    state.flags.has(flag)
}

/// The partitions of a job: all of them while it waits, else the one where it is.
pub(super) fn partitions(controller: &Controller, job: &Job) -> String {
    let name = |at: usize| controller.partitions.get(at).map_or("", |part| part.name.as_str());
    if job.is_pending() && job.partitions.len() > 1 {
        return job.partitions.iter().map(|at| name(*at)).collect::<Vec<_>>().join(",");
    }
    name(job.partition).to_owned()
}

/// The limit in force in minutes; a job without one has the partition's.
pub(super) fn time_limit(controller: &Controller, job: &Job) -> Option<u32> {
    job.time_limit.or_else(|| controller.partitions.get(job.partition).and_then(|part| part.max_time))
}

/// What a job asks for per node or CPU, in MiB.
pub(super) fn min_memory(job: &Job) -> u64 {
    match job.memory {
        Some(Memory::PerCpu(amount) | Memory::PerNode(amount)) => amount,
        None => 0,
    }
}

/// How many nodes: those it has, or those the scheduler last thought of, or those it asks for.
pub(super) fn node_count(job: &Job) -> usize {
    let has = job.nodes.count();
    if has > 0 && !job.is_pending() {
        return has;
    }
    job.planned_nodes.count().max(job.min_nodes as usize)
}

/// How many CPUs: those it has, or those it asks for.
pub(super) fn cpu_count(job: &Job) -> u64 {
    let has: u64 = job.shares_of_nodes.iter().map(|share| u64::from(share.cpus)).sum();
    match &job.alloc_tres {
        Some(tres) if !job.is_pending() => tres.cpus,
        _ if has > 0 => has,
        _ => u64::from(job.min_cpus),
    }
}

/// Why it waits or ended, in the controller's words.
pub(super) fn reason(job: &Job) -> String {
    job.state_desc.clone().unwrap_or_else(|| job.reason.to_string())
}

/// TRES in the order of the job's own record: `cpu=1,mem=1000M,node=1,billing=1,gres/gpu=2`.
pub(super) fn tres_text(tres: &TresCount) -> String {
    let mut text = format!(
        "cpu={},mem={},node={},billing={}",
        tres.cpus,
        mebibytes(tres.memory),
        tres.nodes,
        tres.billing as u64
    );
    for (name, count) in &tres.gres {
        text.push_str(&format!(",gres/{name}={count}"));
    }
    text
}

/// TRES in the order of accounting: `billing=1,cpu=1,gres/gpu=2,mem=1000M,node=1`.
pub(super) fn accounted_tres_text(tres: &TresCount, tracked: &[String]) -> String {
    let mut text = format!("billing={},cpu={}", tres.billing as u64, tres.cpus);
    let mut gres: Vec<_> = tres.gres.iter().map(|(name, count)| (format!("gres/{name}"), *count)).collect();
    gres.retain(|(name, _)| tracked.iter().any(|other| other == name));
    gres.sort();
    for (name, count) in gres {
        text.push_str(&format!(",{name}={count}"));
    }
    text + &format!(",mem={},node={}", mebibytes(tres.memory), tres.nodes)
}

/// Whether the job is shown by `squeue` without `-t`: it waits, runs, is suspended, or its nodes are cleaned up.
pub(super) fn is_current(job: &Job) -> bool {
    matches!(job.state.base, JobBase::Pending | JobBase::Running | JobBase::Suspended)
        || job.state.is_completing()
}
