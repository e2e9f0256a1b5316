//! Limits of associations and QOS: at submission, and before a start.
//!
//! The order of the checks and the names of the reasons are slurmctld's (recorded in `qos_limits`, `assoc_limits`).

use super::Controller;
use crate::slurm::accounting::{Association, Limits, Qos, TresLimits};
use crate::slurm::error::SlurmError;
use crate::slurm::model::{Job, PartIdx, Reason, TresCount};

/// What some jobs have together.
#[derive(Clone, Debug, Default)]
struct InUse {
    jobs: u32,
    tres: TresCount,
    /// TRES times the minutes that are left of their limits.
    run_minutes: TresCount,
}

impl InUse {
    fn add(&mut self, job: &Job, now: i64) {
        let Some(tres) = &job.alloc_tres else { return };
        self.jobs += 1;
        let left = if job.end == 0 { 0 } else { ((job.end - now).max(0) as u64).div_ceil(60) };
        sum(&mut self.tres, tres, 1);
        sum(&mut self.run_minutes, tres, left);
    }
}

fn sum(into: &mut TresCount, tres: &TresCount, times: u64) {
    into.cpus += tres.cpus * times;
    into.memory += tres.memory * times;
    into.nodes += tres.nodes * times;
    into.billing += tres.billing * times as f64;
    for (name, count) in &tres.gres {
        match into.gres.iter_mut().find(|(other, _)| other == name) {
            Some((_, sum)) => *sum += count * times,
            None => into.gres.push((name.clone(), count * times)),
        }
    }
}

/// Which of the names of a limit's family a TRES has: cpu, memory, node, gres, billing.
fn family(tres: &str, names: [&'static str; 5]) -> Reason {
    Reason(
        names[match tres {
            "cpu" => 0,
            "mem" => 1,
            "node" => 2,
            "billing" => 4,
            _ => 3,
        }],
    )
}

const ASSOC_GRP: [&str; 5] =
    ["AssocGrpCpuLimit", "AssocGrpMemLimit", "AssocGrpNodeLimit", "AssocGrpGRES", "AssocGrpBilling"];
const ASSOC_GRP_MINS: [&str; 5] = [
    "AssocGrpCPUMinutesLimit",
    "AssocGrpMemMinutes",
    "AssocGrpNodeMinutes",
    "AssocGrpGRESMinutes",
    "AssocGrpBillingMinutes",
];
const ASSOC_GRP_RUN: [&str; 5] = [
    "AssocGrpCPURunMinutesLimit",
    "AssocGrpMemRunMinutes",
    "AssocGrpNodeRunMinutes",
    "AssocGrpGRESRunMinutes",
    "AssocGrpBillingRunMinutes",
];
const ASSOC_JOB: [&str; 5] = [
    "AssocMaxCpuPerJobLimit",
    "AssocMaxMemPerJob",
    "AssocMaxNodePerJobLimit",
    "AssocMaxGRESPerJob",
    "AssocMaxBillingPerJob",
];
const ASSOC_NODE: [&str; 5] = [
    "AssocMaxCpuPerNode",
    "AssocMaxMemPerNode",
    "AssocMaxNodePerJobLimit",
    "AssocMaxGRESPerNode",
    "AssocMaxBillingPerJob",
];
const ASSOC_JOB_MINS: [&str; 5] = [
    "AssocMaxCpuMinutesPerJobLimit",
    "AssocMaxMemMinutesPerJob",
    "AssocMaxNodeMinutesPerJob",
    "AssocMaxGRESMinutesPerJob",
    "AssocMaxBillingMinutesPerJob",
];
const QOS_GRP: [&str; 5] =
    ["QOSGrpCpuLimit", "QOSGrpMemLimit", "QOSGrpNodeLimit", "QOSGrpGRES", "QOSGrpBilling"];
const QOS_GRP_MINS: [&str; 5] = [
    "QOSGrpCPUMinutesLimit",
    "QOSGrpMemoryMinutes",
    "QOSGrpNodeMinutes",
    "QOSGrpGRESMinutes",
    "QOSGrpBillingMinutes",
];
const QOS_GRP_RUN: [&str; 5] = [
    "QOSGrpCPURunMinutesLimit",
    "QOSGrpMemoryRunMinutes",
    "QOSGrpNodeRunMinutes",
    "QOSGrpGRESRunMinutes",
    "QOSGrpBillingRunMinutes",
];
const QOS_JOB: [&str; 5] = [
    "QOSMaxCpuPerJobLimit",
    "QOSMaxMemoryPerJob",
    "QOSMaxNodePerJobLimit",
    "QOSMaxGRESPerJob",
    "QOSMaxBillingPerJob",
];
const QOS_NODE: [&str; 5] = [
    "QOSMaxCpuPerNode",
    "QOSMaxMemoryPerNode",
    "QOSMaxNodePerJobLimit",
    "QOSMaxGRESPerNode",
    "QOSMaxBillingPerJob",
];
const QOS_JOB_MINS: [&str; 5] = [
    "QOSMaxCpuMinutesPerJobLimit",
    "QOSMaxMemoryMinutesPerJob",
    "QOSMaxNodeMinutesPerJob",
    "QOSMaxGRESMinutesPerJob",
    "QOSMaxBillingMinutesPerJob",
];
const QOS_USER: [&str; 5] = [
    "QOSMaxCpuPerUserLimit",
    "QOSMaxMemoryPerUser",
    "QOSMaxNodePerUserLimit",
    "QOSMaxGRESPerUser",
    "QOSMaxBillingPerUser",
];
const QOS_ACCOUNT: [&str; 5] = [
    "MaxCpuPerAccount",
    "MaxMemoryPerAccount",
    "MaxNodePerAccount",
    "MaxGRESPerAccount",
    "MaxBillingPerAccount",
];
const QOS_MIN: [&str; 5] =
    ["QOSMinCpuNotSatisfied", "QOSMinMemory", "QOSMinNode", "QOSMinGRES", "QOSMinBilling"];

/// The first TRES of which `asked` and `used` together are over the limit.
fn over(
    limits: &TresLimits,
    asked: &TresCount,
    used: &TresCount,
    names: [&'static str; 5],
) -> Option<Reason> {
    limits
        .iter()
        .find(|(name, most)| asked.of(name) + used.of(name) > *most)
        .map(|(name, _)| family(name, names))
}

fn under(limits: &TresLimits, asked: &TresCount, names: [&'static str; 5]) -> Option<Reason> {
    limits.iter().find(|(name, least)| asked.of(name) < *least).map(|(name, _)| family(name, names))
}

fn times(tres: &TresCount, minutes: u64) -> TresCount {
    let mut all = TresCount::default();
    sum(&mut all, tres, minutes);
    all
}

impl Controller {
    fn in_use(&self, of: impl Fn(&Job) -> bool) -> InUse {
        let now = self.time();
        let mut used = InUse::default();
        self.jobs
            .active()
            .filter(|job| !job.state.is_finished() && of(job))
            .for_each(|job| used.add(job, now));
        used
    }

    fn submitted(&self, of: impl Fn(&Job) -> bool) -> u32 {
        self.jobs
            .pending()
            .chain(self.jobs.active())
            .filter(|job| !job.state.is_finished() && of(job))
            .map(|job| job.pending_tasks.as_ref().map_or(1, |tasks| tasks.tasks.len() as u32))
            .sum()
    }

    /// The limit of accounting that keeps a job from starting now.
    pub(super) fn accounting_limit(&self, job: &Job, partition: PartIdx) -> Option<Reason> {
        if !self.params.enforce.limits {
            return None;
        }
        let asked = self.requested_tres(job);
        let minutes = job.time_limit.or(self.partitions[partition].max_time);
        self.accounting
            .qos(&job.qos)
            .and_then(|qos| self.qos_limit(qos, job, &asked, minutes))
            .or_else(|| self.association_limit(job, &asked, minutes))
    }

    fn qos_limit(&self, qos: &Qos, job: &Job, asked: &TresCount, minutes: Option<u32>) -> Option<Reason> {
        if let Some(reason) = qos_alone(qos, asked, job, minutes) {
            return Some(reason);
        }
        let same = |other: &Job| other.qos == qos.name;
        let all = self.in_use(same);
        let user = self.in_use(|other| same(other) && other.request.uid == job.request.uid);
        let account = self.in_use(|other| same(other) && self.account_of(other) == self.account_of(job));
        if qos.limits.grp_jobs.is_some_and(|most| all.jobs >= most) {
            return Some(Reason("QOSGrpJobsLimit"));
        }
        if qos.max_jobs_per_account.is_some_and(|most| account.jobs >= most) {
            return Some(Reason("MaxJobsPerAccount"));
        }
        if qos.max_jobs_per_user.is_some_and(|most| user.jobs >= most) {
            return Some(Reason("QOSMaxJobsPerUserLimit"));
        }
        group(&qos.limits, asked, &all, minutes, [QOS_GRP, QOS_GRP_MINS, QOS_GRP_RUN])
            .or_else(|| over(&qos.max_tres_per_account, asked, &account.tres, QOS_ACCOUNT))
            .or_else(|| over(&qos.max_tres_per_user, asked, &user.tres, QOS_USER))
    }

    fn association_limit(&self, job: &Job, asked: &TresCount, minutes: Option<u32>) -> Option<Reason> {
        for (level, assoc) in self.accounting.chain(job.assoc).enumerate() {
            if let Some(reason) = association_alone(assoc, asked, job, minutes) {
                return Some(reason);
            }
            let used =
                self.in_use(|other| self.accounting.chain(other.assoc).any(|above| above.id == assoc.id));
            if assoc.limits.grp_jobs.is_some_and(|most| used.jobs >= most) {
                return Some(Reason("AssocGrpJobsLimit"));
            }
            let reason =
                group(&assoc.limits, asked, &used, minutes, [ASSOC_GRP, ASSOC_GRP_MINS, ASSOC_GRP_RUN]);
            if reason.is_some() {
                return reason;
            }
            if level == 0 && assoc.max_jobs.is_some_and(|most| used.jobs >= most) {
                return Some(Reason("AssocMaxJobsLimit"));
            }
        }
        None
    }

    fn account_of<'a>(&'a self, job: &'a Job) -> Option<&'a str> {
        self.accounting
            .association(job.assoc)
            .map(|assoc| assoc.account.as_str())
            .or(job.request.account.as_deref())
    }

    /// Association, QOS and submit limits: what accounting says to a new job, which gets its association and QOS here.
    pub(super) fn admit(&mut self, job: &mut Job) -> Result<Option<String>, SlurmError> {
        self.detail = None;
        let enforce = self.params.enforce;
        let partition = self.partitions[job.partition].name.clone();
        let asked_account = job.request.account.clone();
        match self.accounting.find(&job.user, asked_account.as_deref(), &partition) {
            Some(assoc) => {
                job.assoc = assoc.id;
                job.request.account = Some(assoc.account.clone());
            }
            None if enforce.associations => return Err(SlurmError::InvalidAccount),
            None => {}
        }
        if let Some(name) = &job.request.qos {
            if self.accounting.qos(name).is_none() {
                return Err(SlurmError::InvalidQos);
            }
            if (enforce.qos || enforce.associations)
                && job.assoc != 0
                && !self.accounting.qos_of(job.assoc).contains(name)
            {
                return Err(SlurmError::InvalidQos);
            }
            job.qos.clone_from(name);
        } else {
            job.qos = self.accounting.default_qos(job.assoc);
        }
        if !enforce.limits {
            return Ok(None);
        }
        if let Some(reason) = self.submit_limit(job) {
            self.detail = Some(reason.to_string());
            return Err(SlurmError::AccountingPolicy);
        }
        Ok(None)
    }

    fn submit_limit(&self, job: &Job) -> Option<Reason> {
        let new = job.pending_tasks.as_ref().map_or(1, |tasks| tasks.tasks.len() as u32);
        let asked = self.requested_tres(job);
        let minutes = job.time_limit;
        if let Some(qos) = self.accounting.qos(&job.qos) {
            let same = |other: &Job| other.qos == qos.name;
            if qos.limits.grp_submit_jobs.is_some_and(|most| self.submitted(same) + new > most) {
                return Some(Reason("QOSGrpSubmitJobsLimit"));
            }
            let of_account = |other: &Job| same(other) && self.account_of(other) == self.account_of(job);
            if qos.max_submit_jobs_per_account.is_some_and(|most| self.submitted(of_account) + new > most) {
                return Some(Reason("QOSMaxSubmitJobPerAccountLimit"));
            }
            let of_user = |other: &Job| same(other) && other.request.uid == job.request.uid;
            if qos.max_submit_jobs_per_user.is_some_and(|most| self.submitted(of_user) + new > most) {
                return Some(Reason("QOSMaxSubmitJobPerUserLimit"));
            }
            if qos.has_flag("DenyOnLimit") {
                let reason = qos_alone(qos, &asked, job, minutes)
                    .or_else(|| over(&qos.limits.grp_tres, &asked, &TresCount::default(), QOS_GRP))
                    .or_else(|| over(&qos.max_tres_per_account, &asked, &TresCount::default(), QOS_ACCOUNT))
                    .or_else(|| over(&qos.max_tres_per_user, &asked, &TresCount::default(), QOS_USER));
                if reason.is_some() {
                    return reason;
                }
            }
        }
        for (level, assoc) in self.accounting.chain(job.assoc).enumerate() {
            let below = |other: &Job| self.accounting.chain(other.assoc).any(|above| above.id == assoc.id);
            if assoc.limits.grp_submit_jobs.is_some_and(|most| self.submitted(below) + new > most) {
                return Some(Reason("AssocGrpSubmitJobsLimit"));
            }
            if level == 0 && assoc.max_submit_jobs.is_some_and(|most| self.submitted(below) + new > most) {
                return Some(Reason("AssocMaxSubmitJobLimit"));
            }
        }
        None
    }
}

/// Limits that the job breaks by itself, whatever else runs.
fn qos_alone(qos: &Qos, asked: &TresCount, job: &Job, minutes: Option<u32>) -> Option<Reason> {
    let wall = |most: u32| minutes.is_none_or(|minutes| minutes > most);
    under(&qos.min_tres_per_job, asked, QOS_MIN)
        .or_else(|| over(&qos.limits.max_tres_per_job, asked, &TresCount::default(), QOS_JOB))
        .or_else(|| {
            over(&qos.limits.max_tres_per_node, &per_node(asked, job), &TresCount::default(), QOS_NODE)
        })
        .or_else(|| {
            over(
                &qos.limits.max_tres_mins_per_job,
                &times(asked, u64::from(minutes.unwrap_or(0))),
                &TresCount::default(),
                QOS_JOB_MINS,
            )
        })
        .or_else(|| {
            qos.limits
                .max_wall
                .is_some_and(|most| job.request.time_limit.is_some() && wall(most))
                .then_some(Reason("QOSMaxWallDurationPerJobLimit"))
        })
}

fn association_alone(
    assoc: &Association,
    asked: &TresCount,
    job: &Job,
    minutes: Option<u32>,
) -> Option<Reason> {
    let wall = |most: u32| minutes.is_none_or(|minutes| minutes > most);
    over(&assoc.limits.max_tres_per_job, asked, &TresCount::default(), ASSOC_JOB)
        .or_else(|| {
            over(&assoc.limits.max_tres_per_node, &per_node(asked, job), &TresCount::default(), ASSOC_NODE)
        })
        .or_else(|| {
            over(
                &assoc.limits.max_tres_mins_per_job,
                &times(asked, u64::from(minutes.unwrap_or(0))),
                &TresCount::default(),
                ASSOC_JOB_MINS,
            )
        })
        .or_else(|| {
            assoc
                .limits
                .max_wall
                .is_some_and(|most| job.request.time_limit.is_some() && wall(most))
                .then_some(Reason("AssocMaxWallDurationPerJobLimit"))
        })
}

fn per_node(asked: &TresCount, job: &Job) -> TresCount {
    let nodes = u64::from(job.min_nodes.max(1));
    TresCount {
        cpus: asked.cpus.div_ceil(nodes),
        memory: asked.memory.div_ceil(nodes),
        nodes: 1,
        billing: asked.billing / nodes as f64,
        gres: asked.gres.iter().map(|(name, count)| (name.clone(), count.div_ceil(nodes))).collect(),
    }
}

fn group(
    limits: &Limits,
    asked: &TresCount,
    used: &InUse,
    minutes: Option<u32>,
    names: [[&'static str; 5]; 3],
) -> Option<Reason> {
    over(&limits.grp_tres, asked, &used.tres, names[0]).or_else(|| {
        over(
            &limits.grp_tres_run_mins,
            &times(asked, u64::from(minutes.unwrap_or(365 * 24 * 60))),
            &used.run_minutes,
            names[2],
        )
    })
}
