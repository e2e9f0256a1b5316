//! Steps: `srun` in an allocation, and the ends of steps and of allocations without a batch script.

use super::{Action, Controller, layout};
use crate::slurm::error::SlurmError;
use crate::slurm::model::{
    Bits, Job, JobBase, JobId, JobRequest, JobState, Memory, Reason, SIG_OOM, Scheduler, Step, StepId,
    StepRequest, StepShare,
};

/// What the controller answers to `srun` and `salloc` outside of an allocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The job.
    pub job: JobId,
    /// It began at once.
    pub granted: bool,
    /// What it asks for is more than its partition has, now or ever: the commands say so before they wait.
    pub beyond_partition: bool,
}

impl Controller {
    /// Takes in a job without a batch script, and starts it at once if it can start (`srun`, `salloc`).
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit); with `--immediate` also why it cannot start now.
    pub fn allocate(&mut self, request: JobRequest) -> Result<Allocation, SlurmError> {
        if !self.answers() {
            return Err(SlurmError::NoContact);
        }
        let immediate = request.immediate.is_some();
        let id = self.submit(request)?.job;
        let waits_for_nothing = self
            .jobs
            .get(id)
            .is_some_and(|job| job.reason == Reason::NONE && job.state_desc.is_none() && job.priority != 0);
        let granted = waits_for_nothing && self.is_independent(id) && {
            let partitions = self.jobs.get(id).map(|job| job.partitions.clone()).unwrap_or_default();
            partitions
                .into_iter()
                .any(|partition| self.try_start(id, partition, None, Scheduler::Main).is_ok())
        };
        if granted && let Some(job) = self.jobs.get_mut(id) {
            // It never waited.
            job.accrue = 0;
        }
        let beyond_partition = !granted
            && self.jobs.get(id).is_some_and(|job| {
                matches!(job.reason, Reason::PART_NODE_LIMIT | Reason::PART_CONFIG | Reason::PART_TIME_LIMIT)
            });
        if !granted && immediate {
            self.fail_late(id, self.time());
            return Err(if beyond_partition {
                SlurmError::PartitionConfigUnavailable
            } else {
                SlurmError::NodesBusy
            });
        }
        Ok(Allocation { job: id, granted, beyond_partition })
    }

    /// The command that owns an allocation without a batch script is done with it: the job ends.
    pub fn relinquish(&mut self, id: JobId, run: u32, code: u8, signal: u8) {
        let Some(job) = self.jobs.get(id).filter(|job| job.run == run) else { return };
        match job.state.base {
            JobBase::Pending => return self.cancel_pending(id, JobBase::Cancelled, Reason::NONE),
            JobBase::Running | JobBase::Suspended if !job.state.is_completing() => {}
            _ => return,
        }
        let (base, reason) = ended_as(code, signal);
        if let Some(job) = self.jobs.get_mut(id) {
            job.exit = (code, signal);
        }
        self.end_active(id, base, reason, None);
    }

    /// Makes a step in an allocation: which nodes, which CPUs and GPUs, which tasks where.
    ///
    /// # Errors
    ///
    /// [`SlurmError::NodesBusy`] when other steps have what it needs: `srun` tries again. Others are final.
    pub fn create_step(&mut self, id: JobId, request: &StepRequest, uid: u32) -> Result<u32, SlurmError> {
        if !self.answers() {
            return Err(SlurmError::NoContact);
        }
        let job = self.jobs.get(id).ok_or(SlurmError::InvalidJobId)?;
        if uid != 0 && uid != job.request.uid {
            return Err(SlurmError::AccessDenied);
        }
        match job.state.base {
            _ if job.state.is_completing() || job.state.is_finished() => {
                return Err(SlurmError::AlreadyDone);
            }
            JobBase::Pending => return Err(SlurmError::JobPending),
            JobBase::Running => {}
            _ => return Err(SlurmError::NodesBusy),
        }
        let shares = self.step_shares(job, request)?;
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id) else { return Err(SlurmError::InvalidJobId) };
        let number = job.next_step;
        job.next_step += 1;
        job.steps.push(Step {
            id: StepId::Number(number),
            name: request.name.clone(),
            state: JobState::new(JobBase::Running),
            start: now,
            end: 0,
            exit: (0, 0),
            nodes: shares.iter().map(|share| share.node).collect(),
            cpus: shares.iter().map(|share| share.cpus).sum(),
            tasks: shares.iter().map(|share| share.ranks.len() as u32).sum(),
            shares,
            distribution: Some(request.distribution),
            overlap: request.overlap,
            time_limit: request.time_limit,
            srun: request.srun.clone(),
        });
        Ok(number)
    }

    fn step_shares(&self, job: &Job, request: &StepRequest) -> Result<Vec<StepShare>, SlurmError> {
        let named = self.node_set(&request.nodelist)?;
        let excluded = self.node_set(&request.exclude)?;
        if !named.is_subset(&job.nodes) {
            return Err(SlurmError::NodeConfigUnavailable);
        }
        let per_task = request.cpus_per_task.unwrap_or(1).max(1);
        let mut rooms: Vec<Room> = job
            .shares_of_nodes
            .iter()
            .skip(request.relative as usize)
            .filter(|share| !excluded.has(share.node))
            .map(|share| self.room(job, share, request))
            .collect();
        if request.min_nodes.is_none() && !named.is_empty() {
            rooms.retain(|room| named.has(room.node));
        }
        let least = request.min_nodes.unwrap_or(rooms.len() as u32).max(1) as usize;
        if rooms.len() < least {
            return Err(SlurmError::NodeConfigUnavailable);
        }
        let ntasks = request.ntasks.unwrap_or(request.ntasks_per_node.unwrap_or(1) * least as u32);
        let tasks_of = |cpus: u32| {
            let fit = cpus / per_task;
            if request.overcommit { u32::MAX } else { fit.min(request.ntasks_per_node.unwrap_or(u32::MAX)) }
        };
        // Nodes without a step come first, each group in the order of the job's nodes (observed: gpu_env_devices).
        rooms.sort_by_key(|room| (!named.has(room.node), !room.usable, !room.idle));
        let most = request.max_nodes.map_or(rooms.len(), |most| most as usize).max(least);
        let enough = |rooms: &[Room], free: bool| {
            let caps =
                rooms.iter().map(|room| u64::from(tasks_of(if free { room.free_cpus } else { room.cpus })));
            caps.sum::<u64>() >= u64::from(ntasks)
        };
        let count = (least..=most.min(rooms.len())).find(|count| enough(&rooms[..*count], true));
        let Some(count) = count else {
            let ever = enough(&rooms[..most.min(rooms.len())], false);
            return Err(if ever { SlurmError::NodesBusy } else { SlurmError::TooManyCpus });
        };
        rooms.truncate(count);
        if rooms.iter().any(|room| !room.usable) {
            return Err(SlurmError::NodesBusy);
        }
        rooms.sort_by_key(|room| room.order);
        let caps: Vec<u32> = rooms.iter().map(|room| tasks_of(room.free_cpus)).collect();
        let ranks = layout::deal(request.distribution, &caps, ntasks);
        let mut gpus_left = request.gpus.unwrap_or(0);
        let mut shares = Vec::with_capacity(rooms.len());
        let nodes = rooms.len() as u64;
        for (at, (room, ranks)) in rooms.iter().zip(ranks).enumerate() {
            let tasks = ranks.len() as u32;
            let cpus = if request.exact { (tasks * per_task).min(room.cpus) } else { room.cpus };
            let after = nodes - at as u64 - 1;
            let wanted = if request.no_gpus {
                0
            } else if let Some(each) = request.gpus_per_task {
                each * u64::from(tasks)
            } else if let Some(each) = request.gpus_per_node {
                each
            } else if request.gpus.is_some() {
                gpus_left.saturating_sub(after).min(room.free_gpus.count() as u64)
            } else {
                room.gpus.count() as u64
            };
            gpus_left = gpus_left.saturating_sub(wanted);
            shares.push(StepShare {
                node: room.node,
                cpus,
                memory: room.memory_for(job, request, cpus)?,
                gpus: room.take_gpus(wanted)?,
                ranks,
            });
        }
        if request.gpus_per_node.is_none() && request.gpus_per_task.is_none() && gpus_left > 0 {
            let all: usize = rooms.iter().map(|room| room.gpus.count()).sum();
            let ever = request.gpus.is_some_and(|gpus| gpus <= all as u64);
            return Err(if ever { SlurmError::NodesBusy } else { SlurmError::InvalidGres });
        }
        Ok(shares)
    }

    /// What a job has on one node, and what of it no other step holds.
    fn room(&self, job: &Job, share: &crate::slurm::model::NodeShare, request: &StepRequest) -> Room {
        let kind = self.names.kind("gpu");
        let mut gpus = Bits::new();
        for grant in share.gres.iter().filter(|grant| Some(grant.kind) == kind) {
            gpus.union(&grant.devices);
        }
        let mut room = Room {
            node: share.node,
            order: job.shares_of_nodes.iter().position(|other| other.node == share.node).unwrap_or(0),
            cpus: share.cpus,
            free_cpus: share.cpus,
            memory: share.memory,
            free_memory: share.memory,
            free_gpus: gpus.clone(),
            gpus,
            idle: true,
            usable: self.nodes[share.node].is_available() || self.nodes[share.node].responds,
        };
        if request.overlap {
            return room;
        }
        let others = job.steps.iter().filter(|step| step.end == 0 && !step.overlap);
        for taken in others.flat_map(|step| &step.shares).filter(|taken| taken.node == share.node) {
            room.idle = false;
            room.free_cpus = room.free_cpus.saturating_sub(taken.cpus);
            room.free_memory = room.free_memory.saturating_sub(taken.memory);
            room.free_gpus.subtract(&taken.gpus);
        }
        if !request.exact && room.free_cpus < room.cpus {
            room.usable = false;
            room.free_cpus = 0;
        }
        room
    }

    /// A step's tasks are all gone. `exit` is the highest of their codes, or the signal that ended them.
    pub fn step_ended(&mut self, id: JobId, run: u32, number: u32, exit: (u8, u8)) {
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id).filter(|job| job.run == run) else { return };
        let completing = job.state.is_completing();
        let mut ended = false;
        if let Some(step) =
            job.steps.iter_mut().find(|step| step.id == StepId::Number(number) && step.end == 0)
        {
            ended = true;
            step.end = now;
            step.exit = (exit.0 & 0x7f, exit.1);
            step.state = JobState::new(match exit.1 {
                0 | SIG_OOM => ended_as(exit.0, exit.1).0,
                _ => JobBase::Cancelled,
            });
            // The highest raw status: a code counts more than a signal.
            if !completing && exit > job.derived_exit {
                job.derived_exit = (exit.0 & 0x7f, exit.1);
            }
        }
        if ended && completing && job.steps.iter().all(|step| step.end != 0) {
            self.epilogs(id);
        }
    }

    /// `scancel JOB.STEP`: ends a step, or sends its tasks a signal.
    ///
    /// # Errors
    ///
    /// No such step, not the user's, already over.
    pub fn signal_step(&mut self, id: JobId, step: StepId, signal: u8, uid: u32) -> Result<(), SlurmError> {
        let job = self.jobs.get(id).ok_or(SlurmError::InvalidJobId)?;
        if uid != 0 && uid != job.request.uid {
            return Err(SlurmError::AccessDenied);
        }
        if !job.steps.iter().any(|other| other.id == step && other.end == 0) {
            return Err(SlurmError::AlreadyDone);
        }
        self.actions.push_back(Action::SignalStep { job: id, run: job.run, step, signal });
        Ok(())
    }
}

/// The state and reason of what ended with a code or by a signal.
pub(super) fn ended_as(code: u8, signal: u8) -> (JobBase, Reason) {
    match (code, signal) {
        (_, SIG_OOM) => (JobBase::OutOfMemory, Reason::OOM),
        (0, 0) => (JobBase::Completed, Reason::NONE),
        (_, 0) => (JobBase::Failed, Reason::NON_ZERO_EXIT),
        _ => (JobBase::Failed, Reason::LAUNCH_FAILURE),
    }
}

/// One node of a job, as a new step finds it.
#[derive(Clone, Debug)]
struct Room {
    node: usize,
    order: usize,
    cpus: u32,
    free_cpus: u32,
    memory: u64,
    free_memory: u64,
    gpus: Bits,
    free_gpus: Bits,
    /// No step runs here.
    idle: bool,
    /// It answers, and a step that takes all CPUs of its nodes may come here.
    usable: bool,
}

impl Room {
    /// The lowest free GPUs.
    fn take_gpus(&self, wanted: u64) -> Result<Bits, SlurmError> {
        if wanted > self.gpus.count() as u64 {
            return Err(SlurmError::InvalidGres);
        }
        if wanted > self.free_gpus.count() as u64 {
            return Err(SlurmError::NodesBusy);
        }
        Ok(self.free_gpus.iter().take(usize::try_from(wanted).unwrap_or(usize::MAX)).collect())
    }

    /// MiB of the step here: as asked, else as the job asked; a job that has whole nodes without asking is not counted.
    fn memory_for(&self, job: &Job, request: &StepRequest, cpus: u32) -> Result<u64, SlurmError> {
        let wanted = match request.memory.or(job.memory) {
            Some(Memory::PerNode(0) | Memory::PerCpu(0)) | None => return Ok(0),
            Some(Memory::PerCpu(each)) => each * u64::from(cpus),
            Some(Memory::PerNode(each)) => each,
        };
        if wanted > self.memory {
            return Err(SlurmError::TaskMemory);
        }
        if wanted > self.free_memory {
            return Err(SlurmError::NodesBusy);
        }
        Ok(wanted)
    }
}
