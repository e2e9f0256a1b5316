//! How a job gets its allocation.

use smallvec::SmallVec;

use super::{Action, Controller};
use crate::slurm::model::{
    Bits, Job, JobBase, JobId, JobState, PartIdx, Reason, Scheduler, Sharing, Step, StepId, TresCount,
};
use crate::slurm::select::{Ask, Selection};

impl Controller {
    /// What the selection needs to know of a job in one of its partitions.
    pub(super) fn ask<'a>(&self, job: &'a Job, partition: PartIdx) -> Ask<'a> {
        let part = &self.partitions[partition];
        let mut flags = self.params.select;
        flags.lln |= part.lln;
        let least = job.min_nodes.max(part.min_nodes);
        let most = job.max_nodes.unwrap_or(u32::MAX).min(part.max_nodes.unwrap_or(u32::MAX)).max(1);
        let wanted =
            if job.request.use_min_nodes { least } else { job.max_nodes.unwrap_or(least).max(least) };
        Ask {
            min_nodes: least,
            want_nodes: wanted.min(self.nodes.len() as u32).max(least),
            max_nodes: most.max(least),
            min_cpus: job.min_cpus,
            ntasks: job.ntasks,
            cpus_per_task: job.request.cpus_per_task.unwrap_or(1),
            ntasks_per_node: job.request.ntasks_per_node,
            ntasks_per_socket: job.request.ntasks_per_socket,
            ntasks_per_core: job.request.ntasks_per_core.or(flags.one_task_per_core.then_some(1)),
            threads_per_core: job.request.threads_per_core,
            sockets_per_node: job.request.sockets_per_node.unwrap_or(0),
            cores_per_socket: job.request.cores_per_socket.unwrap_or(0),
            pn_min_cpus: job.pn_min_cpus,
            max_cpus_per_node: part.max_cpus_per_node,
            memory: job.memory,
            whole: job.whole_node || part.oversubscribe == crate::slurm::model::OverSubscribe::Exclusive,
            user_exclusive: job.request.sharing == Sharing::ExclusiveUser || part.exclusive_user,
            rows: part.oversubscribe.rows(job.request.sharing == Sharing::Oversubscribe),
            gres: &job.gres,
            required: &job.required_nodes,
            contiguous: job.request.contiguous,
            spread: job.request.spread,
            switches: job.request.switches.map_or(0, |(count, _)| count),
            uid: job.request.uid,
            flags,
        }
    }

    /// Gives a job what the selection found and has its script launched.
    pub(super) fn start(
        &mut self,
        id: JobId,
        partition: PartIdx,
        selection: Selection,
        by: Scheduler,
        limit: Option<Option<u32>>,
    ) {
        let now = self.time();
        let part_limit = self.partitions[partition].default_time.or(self.partitions[partition].max_time);
        let Some(job) = self.jobs.get_mut(id) else { return };
        let uid = job.request.uid;
        for share in &selection.shares {
            self.usage.take(&self.nodes[share.node], share, uid);
            self.nodes[share.node].last_busy = now;
        }
        job.state = JobState::new(JobBase::Running);
        job.reason = Reason::NONE;
        job.state_desc = None;
        job.partition = partition;
        job.start = now;
        job.charged = now;
        job.slice_since = now;
        if let Some(limit) = limit {
            job.time_limit = limit;
        } else if job.request.time_limit.is_none() && job.time_limit.is_none() {
            job.time_limit = part_limit;
        }
        job.end = job.time_limit.map_or(0, |minutes| now + i64::from(minutes) * 60);
        job.nodes = selection.shares.iter().map(|share| share.node).collect();
        job.shares_of_nodes = selection.shares;
        job.completing_nodes = Bits::new();
        job.planned_nodes = Bits::new();
        job.scheduler = Some(by);
        job.last_sched_eval = now;
        job.suspended_at = 0;
        job.suspended_for = 0;
        job.preempt_time = 0;
        job.warned = false;
        job.kill_begun = 0;
        job.exit = (0, 0);
        job.derived_exit = (0, 0);
        job.run += 1;
        job.next_step = 0;
        let cpus = job.shares_of_nodes.iter().map(|share| share.cpus).sum();
        job.tested_cpus = Some(cpus);
        job.steps.clear();
        if job.request.batch {
            let first = job.nodes.min().into_iter().collect();
            job.steps.push(Step {
                id: StepId::Batch,
                name: "batch".into(),
                state: JobState::new(JobBase::Running),
                start: now,
                end: 0,
                exit: (0, 0),
                nodes: first,
                cpus: job.shares_of_nodes.first().map_or(0, |share| share.cpus),
                tasks: 1,
                shares: Vec::new(),
                distribution: None,
                overlap: true,
                time_limit: None,
                srun: None,
            });
        }
        let licenses = job.licenses.clone();
        let run = job.run;
        let batch = job.request.batch;
        self.jobs.pending.remove(&id);
        self.jobs.active.insert(id);
        for (name, count) in licenses {
            if let Some(license) = self.licenses.iter_mut().find(|license| license.name == name) {
                license.used += count;
            }
        }
        let tres = self.jobs.get(id).map(|job| self.allocated_tres(job));
        if let Some(job) = self.jobs.get_mut(id) {
            job.alloc_tres = tres;
        }
        self.statistics.jobs_started += 1;
        if batch {
            self.actions.push_back(Action::Launch { job: id, run });
        }
        self.join_slices(id);
        self.touch();
    }

    /// Says that a job that has just been started began in another second: a replay follows the clock of its recording.
    pub fn correct_start(&mut self, id: JobId, start: crate::slurm::Time) {
        let Some(job) = self.jobs.get_mut(id).filter(|job| job.charged == job.start) else { return };
        let shift = start - job.start;
        job.start = start;
        job.charged = start;
        if job.end != 0 {
            job.end += shift;
        }
        for step in &mut job.steps {
            step.start = start;
        }
    }

    /// What a job has, in TRES.
    pub fn allocated_tres(&self, job: &Job) -> TresCount {
        let mut tres = TresCount {
            cpus: job.shares_of_nodes.iter().map(|share| u64::from(share.cpus)).sum(),
            memory: job.shares_of_nodes.iter().map(|share| share.memory).sum(),
            nodes: job.shares_of_nodes.len() as u64,
            billing: 0.0,
            gres: SmallVec::new(),
        };
        for grant in job.shares_of_nodes.iter().flat_map(|share| &share.gres) {
            let Some(kind) = self.names.kinds.get(usize::from(grant.kind)) else { continue };
            count_gres(&mut tres.gres, kind.clone(), grant.count);
            if let Some(typ) = grant.typ.and_then(|typ| self.names.types.get(usize::from(typ))) {
                count_gres(&mut tres.gres, format!("{kind}:{typ}"), grant.count);
            }
        }
        tres.billing = self.billing(&tres, job.partition);
        tres
    }

    /// Billing of a set of TRES in a partition: the weighted sum, or the CPUs where the partition has no weights.
    pub fn billing(&self, tres: &TresCount, partition: PartIdx) -> f64 {
        let weights =
            self.partitions.get(partition).map(|part| part.billing_weights.as_slice()).unwrap_or_default();
        if weights.is_empty() {
            return tres.cpus as f64;
        }
        let max_tres = self.params.multifactor.as_ref().is_some_and(|params| params.max_tres);
        let (mut sum, mut most, mut global) = (0.0, 0.0_f64, 0.0);
        for (name, weight) in weights {
            // The unit of memory is the gigabyte unless the weight names another; it comes here per MiB.
            let value = weight * tres.of(name) as f64;
            let per_node = !(name.starts_with("license") || name.starts_with("bb/"));
            if max_tres && per_node {
                most = most.max(value);
            } else if max_tres {
                global += value;
            } else {
                sum += value;
            }
        }
        if max_tres { most + global } else { sum }
    }
}

fn count_gres(gres: &mut SmallVec<[(String, u64); 1]>, name: String, count: u64) {
    match gres.iter_mut().find(|(other, _)| *other == name) {
        Some((_, sum)) => *sum += count,
        None => gres.push((name, count)),
    }
}

impl TresCount {
    /// The count of a TRES by its name (`cpu`, `mem` in MiB, `node`, `gres/gpu`, `gres/gpu:h100`).
    pub fn of(&self, name: &str) -> u64 {
        match name {
            "cpu" => self.cpus,
            "mem" => self.memory,
            "node" => self.nodes,
            "billing" => self.billing as u64,
            _ => name
                .strip_prefix("gres/")
                .and_then(|name| self.gres.iter().find(|(other, _)| other == name))
                .map_or(0, |(_, count)| *count),
        }
    }
}
