//! The fields of `sacct` (sacct(1), `--format`).

use super::super::format::{Field, field};
use super::super::{format::mebibytes, jobs};
use crate::slurm::Time;
use crate::slurm::controller::Controller;
use crate::slurm::model::{Job, JobFlags, JobId, JobState, Scheduler, Step};
use crate::slurm::units::{clock, stamp};

/// Fields with their widths (those of `-l` recorded in `outputs`).
pub(super) const FIELDS: &[Field] = &[
    field("Account", 10),
    field("AdminComment", 19),
    field("AllocCPUS", 10),
    field("AllocNodes", 10),
    field("AllocTRES", 10),
    field("AssocID", 7),
    field("AveCPU", 10),
    field("AveCPUFreq", 10),
    field("AveDiskRead", 14),
    field("AveDiskWrite", 14),
    field("AvePages", 10),
    field("AveRSS", 10),
    field("AveVMSize", 10),
    field("BlockID", 16),
    field("Cluster", 10),
    field("Comment", 14),
    field("Constraints", 19),
    field("ConsumedEnergy", 14),
    field("ConsumedEnergyRaw", 17),
    field("CPUTime", 10),
    field("CPUTimeRAW", 10),
    field("DBIndex", 10),
    field("DerivedExitCode", 15),
    field("Elapsed", 10),
    field("ElapsedRaw", 10),
    field("Eligible", 19),
    field("End", 19),
    field("ExitCode", 8),
    field("Flags", 20),
    field("GID", 6),
    field("Group", 9),
    Field { name: "JobID", width: 12, left: true },
    Field { name: "JobIDRaw", width: 12, left: true },
    field("JobName", 10),
    field("Layout", 9),
    field("MaxDiskRead", 12),
    field("MaxDiskReadNode", 15),
    field("MaxDiskReadTask", 15),
    field("MaxDiskWrite", 12),
    field("MaxDiskWriteNode", 16),
    field("MaxDiskWriteTask", 16),
    field("MaxPages", 8),
    field("MaxPagesNode", 12),
    field("MaxPagesTask", 14),
    field("MaxRSS", 10),
    field("MaxRSSNode", 10),
    field("MaxRSSTask", 10),
    field("MaxVMSize", 10),
    field("MaxVMSizeNode", 14),
    field("MaxVMSizeTask", 14),
    field("MinCPU", 10),
    field("MinCPUNode", 10),
    field("MinCPUTask", 10),
    field("NCPUS", 10),
    field("NNodes", 8),
    field("NodeList", 15),
    field("NTasks", 8),
    field("Partition", 10),
    field("Priority", 10),
    field("QOS", 10),
    field("QOSRAW", 6),
    field("Reason", 22),
    field("ReqCPUFreq", 10),
    field("ReqCPUFreqGov", 13),
    field("ReqCPUFreqMax", 13),
    field("ReqCPUFreqMin", 13),
    field("ReqCPUS", 8),
    field("ReqMem", 10),
    field("ReqNodes", 8),
    field("ReqTRES", 10),
    field("Reservation", 20),
    field("ReservationId", 13),
    field("Reserved", 10),
    field("ResvCPU", 10),
    field("ResvCPURAW", 10),
    field("Start", 19),
    field("State", 10),
    field("Submit", 19),
    field("SubmitLine", 20),
    field("Suspended", 10),
    field("SystemCPU", 10),
    field("SystemComment", 14),
    field("Timelimit", 10),
    field("TimelimitRaw", 12),
    field("TotalCPU", 10),
    field("TRESUsageInAve", 14),
    field("TRESUsageInMax", 14),
    field("TRESUsageInMaxNode", 18),
    field("TRESUsageInMaxTask", 18),
    field("TRESUsageInMin", 14),
    field("TRESUsageInMinNode", 18),
    field("TRESUsageInMinTask", 18),
    field("TRESUsageInTot", 14),
    field("TRESUsageOutAve", 15),
    field("TRESUsageOutMax", 15),
    field("TRESUsageOutMaxNode", 19),
    field("TRESUsageOutMaxTask", 19),
    field("TRESUsageOutTot", 15),
    field("UID", 6),
    field("User", 9),
    field("UserCPU", 10),
    field("WCKey", 10),
    field("WCKeyID", 8),
    field("WorkDir", 20),
];

/// The fields of `-l` (recorded in `outputs`).
pub(super) const LONG: &str = "jobid,jobidraw,jobname,partition,maxvmsize,maxvmsizenode,maxvmsizetask,avevmsize,maxrss,maxrssnode,maxrsstask,averss,\
    maxpages,maxpagesnode,maxpagestask,avepages,mincpu,mincpunode,mincputask,avecpu,ntasks,alloccpus,elapsed,state,exitcode,avecpufreq,reqcpufreqmin,\
    reqcpufreqmax,reqcpufreqgov,reqmem,consumedenergy,maxdiskread,maxdiskreadnode,maxdiskreadtask,avediskread,maxdiskwrite,maxdiskwritenode,\
    maxdiskwritetask,avediskwrite,reqtres,alloctres,tresusageinave,tresusageinmax,tresusageinmaxnode,tresusageinmaxtask,tresusageinmin,\
    tresusageinminnode,tresusageinmintask,tresusageintot,tresusageoutmax,tresusageoutmaxnode,tresusageoutmaxtask,tresusageoutave,tresusageouttot";

/// `7`, `7_3`: the id of a record.
pub(super) fn display_id(job: &Job) -> String {
    match job.array {
        Some((array, Some(task))) => format!("{array}_{task}"),
        _ => job.display_id(),
    }
}

/// The state of a record in accounting's words: a run that was sent back to the queue says how it ended.
pub(super) fn base_state(state: JobState) -> &'static str {
    use crate::slurm::model::JobBase;
    if state.flags.has(JobFlags::REQUEUE)
        || state.flags.has(JobFlags::REQUEUE_HOLD)
        || state.flags.has(JobFlags::SPECIAL_EXIT)
    {
        return match state.base {
            JobBase::Preempted => "PREEMPTED",
            JobBase::NodeFail => "NODE_FAIL",
            JobBase::Pending => "PENDING",
            _ => "REQUEUED",
        };
    }
    state.base.name()
}

fn state(job: &Job) -> String {
    let name = base_state(job.state);
    match job.cancelled_by {
        Some(uid) if name == "CANCELLED" => format!("CANCELLED by {uid}"),
        _ => name.to_owned(),
    }
}

fn time(at: Time) -> String {
    if at == 0 { "Unknown".into() } else { stamp(at) }
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

/// The value of a job's field.
pub(super) fn job_value(controller: &Controller, job: &Job, index: usize, name: &str) -> String {
    let request = &job.request;
    let now = controller.time();
    let pending = job.is_pending();
    let elapsed = job.run_time(now);
    let tracked = &controller.params.accounting_tres;
    match name {
        "Account" => text(request.account.as_ref()),
        "AllocCPUS" | "NCPUS" => jobs::cpu_count(job).to_string(),
        "AllocNodes" => if pending { 0 } else { jobs::node_count(job) }.to_string(),
        "AllocTRES" => match &job.alloc_tres {
            Some(tres) if !pending => jobs::accounted_tres_text(tres, tracked),
            _ => String::new(),
        },
        "AssocID" => job.assoc.to_string(),
        "Cluster" => controller.params.cluster.clone(),
        "Comment" => text(request.comment.as_ref()),
        "Constraints" => text(request.constraint.as_ref()),
        "ConsumedEnergy" | "ConsumedEnergyRaw" if job.start == 0 || job.is_pending() => "0".into(),
        "CPUTime" => clock(elapsed * i64::try_from(jobs::cpu_count(job)).unwrap_or(0)),
        "CPUTimeRAW" => (elapsed * i64::try_from(jobs::cpu_count(job)).unwrap_or(0)).to_string(),
        "DBIndex" => (index + 1).to_string(),
        "DerivedExitCode" => format!("{}:{}", job.derived_exit.0, job.derived_exit.1),
        "Elapsed" => clock(elapsed),
        "ElapsedRaw" => elapsed.to_string(),
        "Eligible" => time(job.eligible),
        "End" => time(if job.state.is_finished() { job.end } else { 0 }),
        "ExitCode" => format!("{}:{}", job.exit.0, job.exit.1),
        "Flags" => match job.scheduler {
            Some(Scheduler::Main) => "SchedMain",
            Some(Scheduler::Backfill) => "SchedBackfill",
            None => "StartRecieved",
        }
        .into(),
        "GID" => request.gid.to_string(),
        "Group" => job.group.clone(),
        "JobID" => display_id(job),
        "JobIDRaw" => job.id.to_string(),
        "JobName" => request.name.clone(),
        "NNodes" => jobs::node_count(job).to_string(),
        "NodeList" => {
            if pending || job.nodes.is_empty() {
                "None assigned".into()
            } else {
                controller.names_of(&job.nodes)
            }
        }
        "Partition" => jobs::partitions(controller, job),
        "Priority" => job.priority.to_string(),
        "QOS" => job.qos.clone(),
        "QOSRAW" => controller.accounting.qos(&job.qos).map_or_else(String::new, |qos| qos.id.to_string()),
        "Reason" => job.reason.to_string(),
        "ReqCPUFreq" | "ReqCPUFreqGov" | "ReqCPUFreqMax" | "ReqCPUFreqMin" => "Unknown".into(),
        "ReqCPUS" => job.min_cpus.to_string(),
        "ReqMem" => mebibytes(controller.requested_tres(job).memory),
        "ReqNodes" => job.min_nodes.to_string(),
        "ReqTRES" => jobs::accounted_tres_text(&controller.requested_tres(job), tracked),
        "Reservation" => text(request.reservation.as_ref()),
        "ReservationId" => job.reservation.map_or_else(String::new, |id| id.to_string()),
        "Reserved" => clock(
            (if job.start == 0 || pending { now } else { job.start } - job.eligible.max(job.submit)).max(0),
        ),
        "Start" => time(if pending { 0 } else { job.start }),
        "State" => state(job),
        "Submit" => time(job.submit),
        "Suspended" => clock(job.suspended_for),
        "SystemCPU" | "TotalCPU" | "UserCPU" => "00:00:00".into(),
        "Timelimit" => jobs::time_limit(controller, job)
            .map_or_else(|| "UNLIMITED".into(), |minutes| clock(i64::from(minutes) * 60)),
        "TimelimitRaw" => jobs::time_limit(controller, job)
            .map_or_else(|| "UNLIMITED".into(), |minutes| minutes.to_string()),
        "UID" => request.uid.to_string(),
        "User" => job.user.clone(),
        "WCKey" => text(request.wckey.as_ref()),
        "WorkDir" => request.work_dir.clone(),
        _ => String::new(),
    }
}

/// The value of a step's field.
pub(super) fn step_value(controller: &Controller, job: &Job, step: &Step, name: &str) -> String {
    let now = controller.time();
    let until = if step.end == 0 { now } else { step.end };
    let elapsed = (until - step.start - job.suspended_for).max(0);
    let shares = || job.shares_of_nodes.iter().filter(|share| step.nodes.has(share.node));
    match name {
        "Account" => text(job.request.account.as_ref()),
        "AllocCPUS" | "NCPUS" => step.cpus.to_string(),
        "AllocNodes" | "NNodes" => step.nodes.count().to_string(),
        "AllocTRES" => {
            let mut parts = vec![format!("cpu={}", step.cpus)];
            let mut gres: std::collections::BTreeMap<String, u64> = std::collections::BTreeMap::new();
            if !step.shares.is_empty() {
                let gpus: usize = step.shares.iter().map(|share| share.gpus.count()).sum();
                gres.extend((gpus > 0).then(|| ("gres/gpu".to_owned(), gpus as u64)));
                gres.retain(|name, _| controller.params.accounting_tres.contains(name));
                parts.extend(gres.iter().map(|(name, count)| format!("{name}={count}")));
                parts.push(format!("mem={}", mebibytes(step.shares.iter().map(|share| share.memory).sum())));
                parts.push(format!("node={}", step.nodes.count()));
                return parts.join(",");
            }
            for grant in shares().flat_map(|share| &share.gres) {
                if let Some(kind) = controller.names.kinds.get(usize::from(grant.kind)) {
                    *gres.entry(format!("gres/{kind}")).or_default() += grant.count;
                }
            }
            gres.retain(|name, _| controller.params.accounting_tres.contains(name));
            parts.extend(gres.iter().map(|(name, count)| format!("{name}={count}")));
            parts.push(format!("mem={}", mebibytes(shares().map(|share| share.memory).sum())));
            parts.push(format!("node={}", step.nodes.count()));
            parts.join(",")
        }
        "AveCPUFreq" | "ReqCPUFreqMin" | "ReqCPUFreqMax" | "ReqCPUFreqGov" | "ReqCPUFreq"
        | "ConsumedEnergy" | "ConsumedEnergyRaw" => "0".into(),
        "Cluster" => controller.params.cluster.clone(),
        "CPUTime" => clock(elapsed * i64::from(step.cpus)),
        "CPUTimeRAW" => (elapsed * i64::from(step.cpus)).to_string(),
        "Elapsed" => clock(elapsed),
        "ElapsedRaw" => elapsed.to_string(),
        "Eligible" | "Start" | "Submit" => time(step.start),
        "End" => time(step.end),
        "ExitCode" if step.exit == Step::UNREPORTED => String::new(),
        "ExitCode" => format!("{}:{}", step.exit.0, step.exit.1),
        "JobID" => format!("{}.{}", display_id(job), step.id),
        "JobIDRaw" => format!("{}.{}", job.id, step.id),
        "JobName" => step.name.clone(),
        "NTasks" => step.tasks.to_string(),
        "NodeList" => controller.names_of(&step.nodes),
        "State" => step.state.base.name().into(),
        "Suspended" => clock(job.suspended_for),
        "SystemCPU" | "TotalCPU" | "UserCPU" => "00:00:00".into(),
        _ => String::new(),
    }
}

/// Whether a record is one that the option `-j` names: `7`, `7_3`, `7.0`.
pub(super) fn is_named(job: &Job, words: &[String]) -> bool {
    let id: Vec<JobId> = std::iter::once(job.id).chain(job.array.map(|(array, _)| array)).collect();
    words.iter().any(|word| {
        let word = word.split('.').next().unwrap_or_default();
        *word == display_id(job) || id.iter().any(|id| *word == id.to_string())
    })
}
