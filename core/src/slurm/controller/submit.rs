//! Submission: defaults, checks, and the record.

use super::depend::is_correlated;
use super::features;
use super::schedule::{Blocked, NODES_DOWN};
use super::{Controller, EnforcePartLimits, PreemptType};
use crate::slurm::error::SlurmError;
use crate::slurm::model::{
    Bits, GresAsk, Job, JobBase, JobFlags, JobId, JobRequest, JobState, Memory, PartIdx, PartitionState,
    PendingTasks, PriorityFactors, Reason, Scheduler, Sharing,
};
use crate::slurm::select::Machines;
use smallvec::SmallVec;

/// What the controller answers to a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The id.
    pub job: JobId,
    /// Texts for the user (`job_submit` messages, warnings).
    pub messages: Vec<String>,
}

impl Controller {
    /// Takes a job in: `sbatch`, `salloc` and `srun` outside of an allocation end here.
    ///
    /// # Errors
    ///
    /// Slurm's own, in the order in which slurmctld checks. Some are found after the record was made: then the id is
    /// used up and the record stays, failed (observed).
    pub fn submit(&mut self, mut request: JobRequest) -> Result<Submission, SlurmError> {
        let now = self.time();
        self.detail = None;
        if self.jobs.len() >= self.params.max_job_count {
            return Err(SlurmError::TooManyJobs);
        }
        let user = self.users.by_uid(request.uid).ok_or(SlurmError::InvalidUser)?.clone();
        let partitions = self.partitions_of(&request)?;
        if request.nice < 0 && request.uid != 0 {
            return Err(SlurmError::AccessDenied);
        }
        if let Some(first) = partitions.first() {
            self.with_gpu_defaults(&mut request, *first);
        }
        let gres = self.parse_gres(&request)?;
        self.check_array(&request)?;
        let (required, excluded) = (self.node_set(&request.nodelist)?, self.node_set(&request.exclude)?);
        let reservation = self.reservation_of(&request, &user)?;
        let mut job = self.record(
            request,
            &user.name,
            user.groups.first().map_or("", String::as_str),
            partitions,
            gres,
        );
        job.required_nodes = required;
        job.excluded_nodes = excluded;
        job.reservation = reservation;
        if job.min_nodes < job.required_nodes.count() as u32 {
            job.min_nodes = job.required_nodes.count() as u32;
        }
        let message = self.admit(&mut job)?;
        self.check_partitions(&job)?;
        let held = job.request.hold || job.request.priority == Some(0);
        let id = job.id;
        // From here on the id is used up, whatever is found.
        if let Err(error) = self.check_details(&mut job) {
            self.next_id += 1;
            return Err(error);
        }
        self.next_id += 1;
        // Each task of an array is a job here.
        self.statistics.jobs_submitted +=
            job.pending_tasks.as_ref().map_or(1, |pending| pending.tasks.len() as u64);
        self.jobs.insert(job);
        if let Some(job) = self.jobs.get_mut(id) {
            if held {
                job.priority = 0;
                job.reason = Reason::HELD_USER;
            } else if let Some(priority) = job.request.priority.filter(|_| job.request.uid == 0) {
                // Others than operators ask in vain (recorded: bad_inputs).
                job.priority = priority;
                job.direct_priority = true;
            }
        }
        if !held && self.jobs.get(id).is_some_and(|job| !job.direct_priority) {
            self.set_priority(id);
        }
        self.jobs.pending.insert(id);
        if self.jobs.get(id).is_some_and(|job| job.request.min_nodes == Some(0)) {
            self.fail_late(id, now);
            return Err(SlurmError::InvalidNodeCount);
        }
        if !self.could_run_somewhere(id) {
            self.detail = self.what_cannot_be(id);
            self.fail_late(id, now);
            return Err(SlurmError::NodeConfigUnavailable);
        }
        // Those that came before were looked at when they came.
        if self.jobs.get(id).is_some_and(is_correlated) {
            self.split_correlated();
        }
        if self.jobs.get(id).is_some_and(|job| job.pending_tasks.is_none()) {
            self.first_look(id);
        }
        self.ask_schedule();
        Ok(Submission { job: id, messages: message.into_iter().collect() })
    }

    /// Dependencies, features and licences: looked at when the record has its id.
    fn check_details(&mut self, job: &mut Job) -> Result<(), SlurmError> {
        let own = job.id;
        let bad = |dependency: &crate::slurm::model::Dependency| {
            dependency.state == crate::slurm::model::DependencyState::Failed
                || dependency.target.is_some_and(|target| target.job == own)
        };
        if job.request.dependency.iter().any(bad) {
            return Err(SlurmError::Dependency);
        }
        if let Some(text) = &job.request.constraint {
            let constraint = features::parse(text).ok_or(SlurmError::InvalidFeature)?;
            if !self.features_exist(&constraint) {
                return Err(SlurmError::InvalidFeature);
            }
        }
        job.licenses = self.parse_licenses(job.request.licenses.as_deref())?;
        Ok(())
    }

    /// What no node of the job's partitions has, where slurmctld says so.
    fn what_cannot_be(&self, id: JobId) -> Option<String> {
        let job = self.jobs.get(id)?;
        let nodes = || {
            job.partitions
                .iter()
                .flat_map(|part| self.partitions[*part].nodes.iter())
                .map(|node| &self.nodes[node])
        };
        if nodes().all(|node| node.cpus < job.pn_min_cpus) {
            return Some("CPU count per node can not be satisfied".into());
        }
        match job.memory {
            Some(Memory::PerNode(each)) if nodes().all(|node| node.memory < each) => {
                Some("Memory specification can not be satisfied".into())
            }
            Some(Memory::PerCpu(each)) if nodes().all(|node| node.memory < each) => {
                Some("Memory specification can not be satisfied".into())
            }
            _ => None,
        }
    }

    /// What slurmctld finds out about a batch job when it takes it: not started here, but its first reason.
    fn first_look(&mut self, id: JobId) {
        // With `defer` the passes alone look at it.
        if !self.is_independent(id) || self.params.scheduler.defer {
            return;
        }
        let Some(job) = self.jobs.get(id) else { return };
        let partitions = job.partitions.clone();
        let priority = job.priority;
        let top = self.jobs.pending().filter(|other| other.id != id).all(|other| {
            other.priority == 0
                || !matches!(other.reason, Reason::NONE | Reason::RESOURCES | Reason::PRIORITY)
                || self.ahead(id, priority, other)
        });
        let mut blocked = None;
        for partition in partitions {
            let Some(job) = self.jobs.get(id) else { return };
            let outcome = self
                .may_start(id, partition)
                .and_then(|()| self.available_nodes(job, partition, None))
                .and_then(|avail| match self.has_nodes_that_suffice(job, partition, &avail) {
                    true => Ok(()),
                    false if self.victims(id, partition, &avail).is_some() => Ok(()),
                    false => Err(Blocked::Busy),
                });
            match outcome {
                Ok(()) => {
                    blocked = None;
                    break;
                }
                Err(why) => blocked = Some(why),
            }
        }
        match blocked {
            // A single job's nodes are named; passes over the queue say it in general (observed).
            Some(Blocked::NotAvailable(reason, Some(text))) if text == NODES_DOWN => {
                let text = self.unavailable(id).unwrap_or(text);
                self.set_blocked(id, Blocked::NotAvailable(reason, Some(text)));
            }
            Some(why) => self.set_blocked(id, why),
            None if !top => {
                if let Some(job) = self.jobs.get_mut(id) {
                    job.reason = Reason::PRIORITY;
                }
            }
            None => {}
        }
    }

    /// Whether the job would fit on those of the nodes that are not given to others as a whole, if nobody was there
    /// (`SELECT_MODE_TEST_ONLY` of a batch job's submission). A job that wants nodes for itself counts idle ones.
    fn has_nodes_that_suffice(&self, job: &Job, partition: PartIdx, avail: &Bits) -> bool {
        let alone = self.ask(job, partition).whole && self.params.preempt_type == PreemptType::None;
        let mut nodes = avail.clone();
        nodes.retain(|node| {
            let usage = &self.usage[node];
            usage.exclusive == 0 && !(alone && usage.running > 0)
        });
        // On all nodes of its only partition it fits, or it had been refused.
        if job.partitions.len() == 1 && self.partitions[partition].nodes.is_subset(&nodes) {
            return true;
        }
        let machines = Machines { usage: &self.unused, ..self.machines() };
        self.find_in(&machines, job, partition, &nodes).is_some()
    }

    /// The nodes of a job's partition that are down, drained or not known.
    fn unavailable(&self, id: JobId) -> Option<String> {
        let part = &self.partitions[self.jobs.get(id)?.partition];
        let out = |node: &usize| {
            let node = &self.nodes[*node];
            !node.is_available() && node.base != crate::slurm::model::NodeBase::Future
        };
        let nodes: Bits = part.nodes.iter().filter(out).collect();
        (!nodes.is_empty()).then(|| format!("ReqNodeNotAvail, UnavailableNodes:{}", self.names_of(&nodes)))
    }

    fn ahead(&self, id: JobId, priority: u32, other: &Job) -> bool {
        let Some(job) = self.jobs.get(id) else { return true };
        let shared = other.partitions.iter().any(|part| job.partitions.contains(part));
        !shared || priority > other.priority
    }

    fn could_run_somewhere(&mut self, id: JobId) -> bool {
        let partitions = self.jobs.get(id).map(|job| job.partitions.clone()).unwrap_or_default();
        // A job that breaks a limit of its partition waits; whether it could run is not looked at.
        partitions.into_iter().any(|partition| {
            let limited = |job: &Job| self.partition_limit(job, partition).is_some();
            self.jobs.get(id).is_some_and(limited) || self.could_ever_run(id, partition)
        })
    }

    /// A submission that is refused after the record was made: the record stays, failed.
    pub(super) fn fail_late(&mut self, id: JobId, now: i64) {
        self.jobs.pending.remove(&id);
        let keep = self.params.min_job_age;
        if let Some(job) = self.jobs.get_mut(id) {
            job.state = JobState::new(JobBase::Failed);
            // The record shows the raw status 1 as a signal, accounting as a code (observed).
            job.exit = (0, 1);
            job.reason = Reason::BAD_CONSTRAINTS;
            job.start = now;
            job.end = now;
        }
        self.jobs.keep_until(id, now + keep);
        if self.params.accounting
            && let Some(job) = self.jobs.get(id)
        {
            let mut record = job.clone();
            record.reason = Reason::NONE;
            record.exit = (1, 0);
            self.history.push(record);
        }
    }

    fn partitions_of(&self, request: &JobRequest) -> Result<SmallVec<[PartIdx; 1]>, SlurmError> {
        if request.partitions.is_empty() {
            let default = self.partitions.iter().position(|partition| partition.default);
            return default.map(|at| SmallVec::from_elem(at, 1)).ok_or(SlurmError::InvalidPartition);
        }
        request
            .partitions
            .iter()
            .map(|name| self.partition(name).ok_or(SlurmError::InvalidPartition))
            .collect()
    }

    pub(super) fn node_set(&self, names: &[String]) -> Result<Bits, SlurmError> {
        names.iter().map(|name| self.node(name).ok_or(SlurmError::InvalidNodeName)).collect()
    }

    fn check_array(&self, request: &JobRequest) -> Result<(), SlurmError> {
        match &request.array {
            Some(array) if array.tasks.last().is_none_or(|last| *last >= self.params.max_array_size) => {
                Err(SlurmError::InvalidArray)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn parse_licenses(&self, text: Option<&str>) -> Result<Vec<(String, u32)>, SlurmError> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(Vec::new()) };
        text.split([',', ';'])
            .map(|part| {
                let (name, count) = part.split_once([':', '=']).unwrap_or((part, "1"));
                let count = count.parse().map_err(|_| SlurmError::InvalidLicense)?;
                let license = self
                    .licenses
                    .iter()
                    .find(|license| license.name == name)
                    .ok_or(SlurmError::InvalidLicense)?;
                if count > license.total {
                    Err(SlurmError::InvalidLicense)
                } else {
                    Ok((name.to_owned(), count))
                }
            })
            .collect()
    }

    fn reservation_of(&self, request: &JobRequest, user: &super::User) -> Result<Option<u32>, SlurmError> {
        let Some(name) = &request.reservation else { return Ok(None) };
        let reservation = self
            .reservations
            .iter()
            .find(|reservation| reservation.name == *name)
            .ok_or(SlurmError::ReservationInvalid)?;
        if request.uid != 0 && !reservation.admits(&user.name, &user.groups, request.account.as_deref()) {
            return Err(SlurmError::ReservationAccess);
        }
        Ok(Some(reservation.id))
    }

    /// DefCpuPerGPU and DefMemPerGPU for a job with GPUs that says nothing of CPUs per task, or of memory.
    fn with_gpu_defaults(&self, request: &mut JobRequest, partition: PartIdx) {
        let part = &self.partitions[partition];
        let gpus =
            [&request.tres_per_job, &request.tres_per_node, &request.tres_per_socket, &request.tres_per_task];
        if !gpus.into_iter().flatten().any(|text| text.contains("gpu")) {
            return;
        }
        let cpus = part.def_cpu_per_gpu.or(self.params.def_cpu_per_gpu);
        if let Some(cpus) = cpus
            && request.cpus_per_tres.is_none()
            && request.cpus_per_task.is_none()
        {
            request.cpus_per_tres = Some(format!("gpu:{cpus}"));
        }
        let memory = part.def_mem_per_gpu.or(self.params.def_mem_per_gpu);
        if let Some(mib) = memory
            && request.mem_per_tres.is_none()
            && request.memory.is_none()
        {
            request.mem_per_tres = Some(format!("gpu:{mib}"));
        }
    }

    /// The texts of TRES (`gres:gpu:h100:2`) as requests per name and type.
    fn parse_gres(&self, request: &JobRequest) -> Result<Vec<GresAsk>, SlurmError> {
        let mut asks: Vec<GresAsk> = Vec::new();
        let scopes: [(&Option<String>, fn(&mut GresAsk, u64)); 6] = [
            (&request.tres_per_job, |ask, n| ask.per_job = n),
            (&request.tres_per_node, |ask, n| ask.per_node = n),
            (&request.tres_per_socket, |ask, n| ask.per_socket = n),
            (&request.tres_per_task, |ask, n| ask.per_task = n),
            (&request.cpus_per_tres, |ask, n| ask.cpus_per = n as u32),
            (&request.mem_per_tres, |ask, n| ask.mem_per = n),
        ];
        for (at, (text, set)) in scopes.into_iter().enumerate() {
            for part in text.iter().flat_map(|text| text.split(',')).filter(|part| !part.is_empty()) {
                let part = part.strip_prefix("gres:").or_else(|| part.strip_prefix("gres/")).unwrap_or(part);
                let (name, typ, count) = split_gres(part)?;
                let kind = self.names.kind(name).ok_or(SlurmError::InvalidGres)?;
                let typ = typ.map(|typ| self.names.type_id(typ).unwrap_or(u16::MAX));
                if at >= 4 {
                    // CPUs and memory per unit belong to every request of the name.
                    asks.iter_mut().filter(|ask| ask.kind == kind).for_each(|ask| set(ask, count));
                    continue;
                }
                if count == 0 {
                    continue;
                }
                match asks.iter_mut().find(|ask| ask.kind == kind && ask.typ == typ) {
                    Some(ask) => set(ask, count),
                    None => {
                        let mut ask = GresAsk {
                            kind,
                            typ,
                            per_job: 0,
                            per_node: 0,
                            per_socket: 0,
                            per_task: 0,
                            cpus_per: 0,
                            mem_per: 0,
                            ntasks_per: request.ntasks_per_tres.unwrap_or(0),
                        };
                        set(&mut ask, count);
                        asks.push(ask);
                    }
                }
            }
        }
        Ok(asks)
    }

    fn record(
        &self,
        request: JobRequest,
        user: &str,
        group: &str,
        partitions: SmallVec<[PartIdx; 1]>,
        gres: Vec<GresAsk>,
    ) -> Job {
        let now = self.time();
        let part = &self.partitions[partitions[0]];
        let per_task = request.cpus_per_task.unwrap_or(1).max(1);
        let mut min_nodes = request.min_nodes.unwrap_or(1).max(1);
        let per_job: u64 = gres.iter().map(|ask| ask.per_job).sum();
        let ntasks = if let Some(ntasks) = request.ntasks {
            ntasks
        } else if let Some(per_gpu) = request.ntasks_per_tres.filter(|_| per_job > 0) {
            per_gpu.saturating_mul(u32::try_from(per_job).unwrap_or(u32::MAX))
        } else {
            request.ntasks_per_node.unwrap_or(1).saturating_mul(min_nodes)
        };
        if let (Some(per_node), None) = (request.ntasks_per_node, request.min_nodes) {
            min_nodes = ntasks.div_ceil(per_node.max(1));
        }
        let min_cpus = ntasks.saturating_mul(per_task).max(min_nodes);
        let mut max_nodes = request.max_nodes;
        if request.ntasks.is_some() && max_nodes.is_none() && !request.spread {
            max_nodes = None;
        }
        let memory = request
            .memory
            .or(part.def_memory)
            .or(self.params.def_memory)
            .filter(|memory| !matches!(memory, Memory::PerNode(0) | Memory::PerCpu(0)));
        let memory =
            if gres.iter().any(|ask| ask.mem_per > 0) { None.or(Some(Memory::PerNode(0))) } else { memory };
        let array = request.array.as_ref().map(|_| (self.next_id, None));
        let pending_tasks = request
            .array
            .as_ref()
            .map(|array| PendingTasks { tasks: array.tasks.iter().copied().collect(), limit: array.limit });
        let name = if request.name.is_empty() { "sbatch".to_owned() } else { request.name.clone() };
        let time_limit = request.time_limit.flatten();
        Job {
            id: self.next_id,
            array,
            pending_tasks,
            user: user.to_owned(),
            group: group.to_owned(),
            state: JobState { base: JobBase::Pending, flags: JobFlags::default() },
            reason: Reason::NONE,
            state_desc: None,
            priority: 1,
            direct_priority: false,
            part_priorities: SmallVec::new(),
            factors: PriorityFactors::default(),
            partition: partitions[0],
            partitions,
            assoc: 0,
            qos: request.qos.clone().unwrap_or_else(|| "normal".into()),
            submit: now,
            eligible: if request.begin.is_some_and(|begin| begin > now) {
                request.begin.unwrap_or(0)
            } else if request.array.is_some() {
                // Whether its tasks may start is first looked at by a pass.
                0
            } else {
                now
            },
            accrue: 0,
            begin: request.begin.unwrap_or(0),
            start: 0,
            end: 0,
            suspended_at: 0,
            suspended_for: 0,
            last_sched_eval: now,
            scheduler: Some(Scheduler::Main),
            time_limit,
            preempt_time: 0,
            preempt_requeue: false,
            preempting: Vec::new(),
            restarts: 0,
            requeue: request.requeue.unwrap_or(self.params.requeue),
            exit: (0, 0),
            accounted_exit: (0, 0),
            derived_exit: (0, 0),
            min_nodes,
            max_nodes,
            min_cpus,
            max_cpus: request.ntasks.map(|_| min_cpus),
            tested_cpus: None,
            ntasks,
            pn_min_cpus: request.min_cpus_node.unwrap_or(1).max(if request.ntasks_per_node.is_some() {
                request.ntasks_per_node.unwrap_or(1) * per_task
            } else {
                per_task
            }),
            memory,
            gres,
            whole_node: request.sharing == Sharing::Exclusive,
            shares: request.sharing == Sharing::Oversubscribe,
            dependency: request.dependency.clone(),
            required_nodes: Bits::new(),
            excluded_nodes: Bits::new(),
            licenses: Vec::new(),
            licenses_or: false,
            reservation: None,
            nodes: Bits::new(),
            shares_of_nodes: Vec::new(),
            completing_nodes: Bits::new(),
            planned_nodes: Bits::new(),
            alloc_tres: None,
            steps: Vec::new(),
            next_step: 0,
            warned: false,
            gang: false,
            charged: 0,
            cancelled_by: None,
            slice_since: 0,
            kill_begun: 0,
            switch_wait_since: 0,
            run: 0,
            purge_at: 0,
            request: JobRequest { name, ..request },
        }
    }

    /// Whether each partition takes the job: hard refusals, and limits where they are enforced at submission.
    fn check_partitions(&self, job: &Job) -> Result<(), SlurmError> {
        let enforce = self.params.enforce_part_limits;
        let mut first_error = None;
        let mut taken = false;
        for partition in &job.partitions {
            match self.check_partition(job, *partition, enforce != EnforcePartLimits::No) {
                Ok(()) => taken = true,
                Err(error) => {
                    first_error = first_error.or(Some(error));
                }
            }
        }
        match first_error {
            Some(error) if !taken || enforce == EnforcePartLimits::All => Err(error),
            _ => Ok(()),
        }
    }

    fn check_partition(&self, job: &Job, partition: PartIdx, limits: bool) -> Result<(), SlurmError> {
        let part = &self.partitions[partition];
        let root = job.request.uid == 0;
        if matches!(part.state, PartitionState::Drain | PartitionState::Inactive) {
            return Err(SlurmError::PartitionNotAvailable);
        }
        if part.root_only && !root
            || (part.disable_root_jobs || self.params.disable_root_jobs) && root
            || part.req_resv && job.reservation.is_none()
        {
            return Err(SlurmError::AccessDenied);
        }
        if let Some(groups) = &part.allow_groups
            && !root
        {
            let user = self.users.by_uid(job.request.uid);
            if !user.is_some_and(|user| user.groups.iter().any(|group| groups.contains(group))) {
                return Err(SlurmError::GroupNotPermitted);
            }
        }
        if !limits {
            return Ok(());
        }
        let account = job.request.account.clone().unwrap_or_default();
        if part.allow_accounts.as_ref().is_some_and(|list| !list.contains(&account))
            || part.deny_accounts.contains(&account)
        {
            return Err(SlurmError::InvalidAccount);
        }
        if part.allow_qos.as_ref().is_some_and(|list| !list.contains(&job.qos))
            || part.deny_qos.contains(&job.qos)
        {
            return Err(SlurmError::InvalidQos);
        }
        if let (Some(Memory::PerNode(most)), Some(Memory::PerNode(asked))) =
            (part.max_memory.or(self.params.max_memory), job.memory)
            && asked > most
        {
            return Err(SlurmError::TaskMemory);
        }
        match self.partition_limit(job, partition) {
            Some((Reason::PART_TIME_LIMIT, _)) => Err(SlurmError::InvalidTimeLimit),
            Some((Reason::PART_NODE_LIMIT, _)) => Err(SlurmError::InvalidNodeCount),
            Some((Reason::PART_CONFIG, _)) => Err(SlurmError::TooManyCpus),
            _ => Ok(()),
        }
    }
}

/// `gpu`, `gpu:2`, `gpu:h100`, `gpu:h100:2`: name, type, count.
fn split_gres(text: &str) -> Result<(&str, Option<&str>, u64), SlurmError> {
    let parts: Vec<&str> = text.split(':').collect();
    let count = |text: &str| text.parse::<u64>().ok();
    match parts.as_slice() {
        [name] => Ok((name, None, 1)),
        [name, second] => match count(second) {
            Some(n) => Ok((name, None, n)),
            None => Ok((name, Some(second), 1)),
        },
        [name, typ, n] => Ok((name, Some(typ), count(n).ok_or(SlurmError::InvalidGres)?)),
        _ => Err(SlurmError::InvalidGres),
    }
}
