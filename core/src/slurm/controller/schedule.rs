//! The main scheduler: strict order of the queue, a partition blocked by its first job that finds no room.

use super::depend::set_reason;
use super::queue::Queued;
use super::{Controller, PreemptType};
use crate::slurm::Time;
use crate::slurm::model::{
    Bits, Job, JobBase, JobFlags, JobId, Memory, PartIdx, PartitionState, Reason, Scheduler,
};
use crate::slurm::select::{Machines, Selection, select};

/// What slurmctld says of a job that needs nodes which others of higher partitions or states keep from it.
pub(super) const NODES_DOWN: &str =
    "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions";

/// Why a job did not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Blocked {
    /// Others have what it needs.
    Busy,
    /// Nodes that it needs are down, drained or reserved: the reason and, where there is one, the text.
    NotAvailable(Reason, Option<String>),
    /// Something else than nodes: a limit, a licence, its reservation.
    Other(Reason, Option<String>),
    /// It could never run.
    Never,
}

/// Where a pass has met a job that must wait, so that those behind it wait too.
#[derive(Debug, Default)]
struct Failed {
    partitions: Vec<PartIdx>,
    reservations: Vec<String>,
}

impl Controller {
    /// One pass; `depth` is how many jobs it looks at.
    pub(super) fn schedule_pass(&mut self, depth: usize) {
        let now = self.time();
        self.statistics.main_cycles += 1;
        self.statistics.main_last_queue_length = self.jobs.pending.len() as u64;
        // With CompleteWait nothing starts while a job is being cleaned up: its nodes would be missed.
        if self.params.complete_wait > 0
            && !self.params.scheduler.reduce_completing_frag
            && self.is_completing()
        {
            self.build_queue();
            return;
        }
        let queue = self.build_queue();
        let mut failed = Failed::default();
        let mut spoken_for = Bits::new();
        let mut tests = 0;
        for queued in queue {
            if tests >= depth {
                break;
            }
            tests += 1;
            if !self.jobs.pending.contains(&queued.job) {
                continue;
            }
            loop {
                if !self.is_independent(queued.job) {
                    break;
                }
                if !self.consider(queued, &mut failed, &mut spoken_for, now) {
                    break;
                }
                // Further tasks of an array, as long as they start.
                if !self.jobs.pending.contains(&queued.job) {
                    break;
                }
            }
        }
        self.statistics.main_last_depth = tests as u64;
        self.statistics.main_depth_sum += tests as u64;
    }

    /// Tries one job; whether it started.
    fn consider(&mut self, queued: Queued, failed: &mut Failed, spoken_for: &mut Bits, now: Time) -> bool {
        let id = queued.job;
        if !self.deadline_holds(id) {
            return false;
        }
        if let Some(blocked) = self.array_limit(id) {
            self.set_blocked(id, blocked);
            return false;
        }
        if let Some(job) = self.jobs.get_mut(id) {
            job.last_sched_eval = now;
            let reservation = job.request.reservation.as_ref();
            if reservation.is_some_and(|reservation| failed.reservations.contains(reservation)) {
                set_reason(job, Reason::PRIORITY);
                return false;
            }
        }
        let job = self.jobs.get(id);
        let several = job.is_some_and(|job| job.partitions.len() > 1);
        let reserved = job.is_some_and(|job| job.request.reservation.is_some());
        if !reserved && failed.partitions.contains(&queued.partition) {
            if let Some(job) = self.jobs.get_mut(id)
                && (matches!(job.reason, Reason::NONE | Reason::RESOURCES) && job.state_desc.is_none())
                && !several
            {
                set_reason(job, Reason::PRIORITY);
            }
            return false;
        }
        match self.try_start(id, queued.partition, Some(spoken_for), Scheduler::Main) {
            Ok(()) => true,
            Err(blocked) => {
                if let Some(job) = self.jobs.get_mut(id) {
                    job.scheduler = Some(Scheduler::Main);
                }
                self.block_behind(queued, &blocked, failed, spoken_for, now);
                self.set_blocked(id, blocked);
                false
            }
        }
    }

    /// What a job that must wait keeps from those behind it in this pass.
    fn block_behind(
        &self,
        queued: Queued,
        blocked: &Blocked,
        failed: &mut Failed,
        spoken_for: &mut Bits,
        now: Time,
    ) {
        let down = matches!(blocked, Blocked::NotAvailable(_, Some(text)) if text == NODES_DOWN);
        let Some(job) = self.jobs.get(queued.job) else { return };
        // Nodes that it names and a reservation has count as busy.
        let reserved = !job.required_nodes.is_empty()
            && matches!(blocked, Blocked::NotAvailable(_, Some(text)) if text.ends_with("reserved for other job"));
        if !down && !reserved && *blocked != Blocked::Busy {
            return;
        }
        if down {
            // Its nodes are those of a partition ahead: it blocks its own partition too.
            failed.partitions.push(queued.partition);
            return;
        }
        let required = &job.required_nodes;
        if !required.is_empty() && required.count() >= job.min_nodes as usize {
            // A job that names its nodes keeps only these from those behind it.
            spoken_for.union(required);
            return;
        }
        if let Some(reservation) = &job.request.reservation {
            failed.reservations.push(reservation.clone());
            return;
        }
        // A job that backfill may not reserve for keeps nothing from anybody (bf_min_age_reserve, bf_min_prio_reserve).
        let params = &self.params.scheduler;
        let young = params.bf_min_age_reserve > 0
            && (job.eligible == 0 || now - job.eligible < params.bf_min_age_reserve);
        if young || job.priority < params.bf_min_prio_reserve {
            return;
        }
        failed.partitions.push(queued.partition);
        spoken_for.union(&self.partitions[queued.partition].nodes);
    }

    /// Notes why a job did not start.
    pub(super) fn set_blocked(&mut self, id: JobId, blocked: Blocked) {
        let Some(job) = self.jobs.get_mut(id) else { return };
        match blocked {
            Blocked::Busy => set_reason(job, Reason::RESOURCES),
            Blocked::NotAvailable(reason, text) | Blocked::Other(reason, text) => {
                job.reason = reason;
                job.state_desc = text;
            }
            Blocked::Never => set_reason(job, Reason::BAD_CONSTRAINTS),
        }
    }

    /// Whether a job is being cleaned up.
    fn is_completing(&self) -> bool {
        let wait = self.params.complete_wait;
        let now = self.time();
        self.jobs.active().any(|job| job.state.is_completing() && now - job.end < wait)
    }

    /// A job that cannot end before its deadline any more ends here.
    pub(super) fn deadline_holds(&mut self, id: JobId) -> bool {
        let now = self.time();
        let Some(job) = self.jobs.get(id) else { return false };
        let Some(deadline) = job.request.deadline else { return true };
        let minutes = job.request.time_min.or(job.time_limit).unwrap_or(1);
        if now + i64::from(minutes) * 60 <= deadline {
            return true;
        }
        self.cancel_pending(id, JobBase::Deadline, Reason::DEADLINE);
        false
    }

    /// `%N` of an array: whether as many of its tasks run as may.
    pub(super) fn array_limit(&self, id: JobId) -> Option<Blocked> {
        let job = self.jobs.get(id)?;
        let (array, _) = job.array?;
        let limit = job.pending_tasks.as_ref()?.limit?;
        let running = self
            .jobs
            .active()
            .filter(|other| {
                other.array.is_some_and(|(other, _)| other == array) && !other.state.is_finished()
            })
            .count();
        (running >= limit as usize).then_some(Blocked::Other(Reason::ARRAY_TASK_LIMIT, None))
    }

    /// Checks everything and starts the job if it can start now. `spoken_for`: nodes that jobs ahead wait for.
    pub(super) fn try_start(
        &mut self,
        id: JobId,
        partition: PartIdx,
        spoken_for: Option<&Bits>,
        by: Scheduler,
    ) -> Result<(), Blocked> {
        self.may_start(id, partition)?;
        let job = self.jobs.get(id).ok_or(Blocked::Never)?;
        let avail = self.available_nodes(job, partition, spoken_for)?;
        let found = match self.find(job, partition, &avail) {
            Some(found) => Some(found),
            None => {
                let victims = if self.suspends() { None } else { self.victims(id, partition, &avail) };
                if let Some(victims) = victims {
                    return Err(self.preempt(id, &victims));
                }
                None
            }
        };
        match found {
            Some(selection) => {
                let id = self.split_task(id);
                self.start(id, partition, selection, by, None);
                Ok(())
            }
            None => match self.find_over_suspended(id, partition, &avail) {
                Some(selection) => {
                    let id = self.split_task(id);
                    self.start(id, partition, selection, by, None);
                    self.suspend_below(id);
                    Ok(())
                }
                None => Err(self.why_not(id, partition)),
            },
        }
    }

    /// What is checked before nodes are looked at.
    pub(super) fn may_start(&self, id: JobId, partition: PartIdx) -> Result<(), Blocked> {
        let job = self.jobs.get(id).ok_or(Blocked::Never)?;
        let part = &self.partitions[partition];
        match part.state {
            PartitionState::Down => return Err(Blocked::Other(Reason::PART_DOWN, None)),
            PartitionState::Inactive => return Err(Blocked::Other(Reason::PART_INACTIVE, None)),
            PartitionState::Up | PartitionState::Drain => {}
        }
        if let Some((reason, text)) = self.partition_limit(job, partition) {
            return Err(Blocked::Other(reason, text));
        }
        if let Some(reason) = self.accounting_limit(job, partition) {
            return Err(Blocked::Other(reason, None));
        }
        let lacking = |(name, count): &(String, u32)| {
            self.licenses
                .iter()
                .find(|license| license.name == *name)
                .is_none_or(|license| license.total - license.used.min(license.total) < *count)
        };
        if !job.licenses.is_empty() && job.licenses.iter().any(lacking) {
            return Err(Blocked::Other(Reason::LICENSES, None));
        }
        Ok(())
    }

    /// Limits of a partition that a job breaks: the reason, and the text where Slurm prints one instead.
    pub(super) fn partition_limit(&self, job: &Job, partition: PartIdx) -> Option<(Reason, Option<String>)> {
        let part = &self.partitions[partition];
        if let (Some(most), Some(Some(asked))) = (part.max_time, job.request.time_limit)
            && asked > most
        {
            return Some((Reason::PART_TIME_LIMIT, None));
        }
        if part.max_time.is_some() && job.request.time_limit == Some(None) {
            return Some((Reason::PART_TIME_LIMIT, None));
        }
        if part.max_nodes.is_some_and(|most| job.min_nodes > most)
            || job.max_nodes.is_some_and(|most| {
                most < part.min_nodes && part.min_nodes > job.min_nodes && job.request.max_nodes.is_some()
            })
        {
            return Some((Reason::PART_NODE_LIMIT, None));
        }
        if job.min_nodes as usize > part.nodes.count() {
            return Some((Reason::PART_NODE_LIMIT, None));
        }
        let mut left = job.min_cpus;
        let takes = |node: usize| {
            left = left.saturating_sub(self.nodes[node].cpus);
            left == 0
        };
        if job.min_cpus > 0 && !part.nodes.iter().any(takes) {
            return Some((Reason::PART_CONFIG, None));
        }
        None
    }

    /// The nodes that a job may use now in a partition.
    pub(super) fn available_nodes(
        &self,
        job: &Job,
        partition: PartIdx,
        spoken_for: Option<&Bits>,
    ) -> Result<Bits, Blocked> {
        self.usable_nodes(job, partition, spoken_for, &self.cleaning())
    }

    /// Nodes of a partition to which jobs may go.
    pub(super) fn usable_of(&self, partition: PartIdx) -> Bits {
        let mut usable = self.partitions[partition].nodes.clone();
        usable.retain(|node| self.nodes[node].is_available());
        usable
    }

    /// Nodes that are being cleaned up.
    pub(super) fn cleaning(&self) -> Bits {
        let mut cleaning = Bits::new();
        for other in self.jobs.active().filter(|other| other.state.is_completing()) {
            cleaning.union(&other.completing_nodes);
        }
        cleaning
    }

    /// The same without the nodes of `cleaning`.
    pub(super) fn usable_nodes(
        &self,
        job: &Job,
        partition: PartIdx,
        spoken_for: Option<&Bits>,
        cleaning: &Bits,
    ) -> Result<Bits, Blocked> {
        let part = &self.partitions[partition];
        let usable = self.usable_of(partition);
        let mut nodes = usable.clone();
        nodes.subtract(&job.excluded_nodes);
        nodes.subtract(cleaning);
        let now = self.time();
        let until =
            now + job.time_limit.or(part.max_time).map_or(365 * 86_400, |minutes| i64::from(minutes) * 60);
        if let Some(spoken_for) = spoken_for
            && job.required_nodes.is_empty()
        {
            let mut left = usable;
            left.subtract(spoken_for);
            if (left.count() as u32) < job.min_nodes {
                return Err(Blocked::NotAvailable(Reason::NODE_NOT_AVAIL, Some(NODES_DOWN.into())));
            }
        }
        let kept = self.reserved_nodes(job, &part.nodes, now, until, &mut nodes)?;
        if let Some(spoken_for) = spoken_for {
            nodes.subtract(spoken_for);
        }
        if !job.required_nodes.is_subset(&nodes) {
            let mut missing = job.required_nodes.clone();
            missing.subtract(&nodes);
            let spoken = spoken_for.is_some_and(|spoken_for| missing.overlaps(spoken_for));
            return Err(self.required_missing(&missing, kept, spoken));
        }
        if (nodes.count() as u32) < job.min_nodes.max(part.min_nodes) {
            if cleaning.overlaps(&part.nodes) && spoken_for.is_none_or(|spoken| !spoken.overlaps(&part.nodes))
            {
                return Err(Blocked::Busy);
            }
            return Err(match kept {
                Some(Blocked::NotAvailable(_, Some(text)))
                    if !text.ends_with("maintenance") && self.are_busy(&nodes, job) =>
                {
                    Blocked::Busy
                }
                Some(reason) => reason,
                None => Blocked::NotAvailable(Reason::NODE_NOT_AVAIL, Some(NODES_DOWN.into())),
            });
        }
        Ok(nodes)
    }

    /// Whether others have any of the nodes, so that the job could not start on them either.
    fn are_busy(&self, nodes: &Bits, job: &Job) -> bool {
        let whole = job.request.sharing == crate::slurm::model::Sharing::Exclusive;
        nodes.iter().any(|node| {
            let usage = &self.usage[node];
            if whole { usage.running > 0 } else { usage.used_cores().count() >= self.nodes[node].cores() }
        })
    }

    fn required_missing(&self, missing: &Bits, kept: Option<Blocked>, spoken_for: bool) -> Blocked {
        let down: Vec<&str> = missing
            .iter()
            .filter(|node| !self.nodes[*node].is_available())
            .map(|node| self.nodes[node].name.as_str())
            .collect();
        if !down.is_empty() || spoken_for {
            let list = self.names_of(missing);
            return Blocked::NotAvailable(
                Reason::NODE_NOT_AVAIL,
                Some(format!("ReqNodeNotAvail, UnavailableNodes:{list}")),
            );
        }
        kept.unwrap_or(Blocked::NotAvailable(
            Reason::NODE_NOT_AVAIL,
            Some("ReqNodeNotAvail, May be reserved for other job".into()),
        ))
    }

    /// A set of nodes as a host list.
    pub fn names_of(&self, nodes: &Bits) -> String {
        crate::slurm::hostlist::compress(
            nodes.iter().filter_map(|node| self.nodes.get(node)).map(|node| node.name.as_str()),
        )
    }

    /// What the job would get now.
    pub(super) fn find(&self, job: &Job, partition: PartIdx, avail: &Bits) -> Option<Selection> {
        self.find_in(&self.machines(), job, partition, avail)
    }

    /// What the job would get on these machines, features considered.
    pub(super) fn find_in(
        &self,
        machines: &Machines<'_>,
        job: &Job,
        partition: PartIdx,
        avail: &Bits,
    ) -> Option<Selection> {
        let ask = self.ask(job, partition);
        let with_features = self.featured(machines, &ask, job, avail);
        with_features.iter().find_map(|nodes| select(machines, &ask, nodes))
    }

    fn why_not(&mut self, id: JobId, partition: PartIdx) -> Blocked {
        if self.could_ever_run(id, partition) { Blocked::Busy } else { Blocked::Never }
    }

    /// For a record of waiting tasks: gives the next task a record of its own and returns its id.
    pub(super) fn split_task(&mut self, id: JobId) -> JobId {
        let Some(job) = self.jobs.get_mut(id) else { return id };
        let Some(pending) = &mut job.pending_tasks else { return id };
        let Some((array, _)) = job.array else { return id };
        let Some(task) = pending.tasks.pop_front() else { return id };
        if pending.tasks.is_empty() {
            // The last task keeps the record of the array.
            job.pending_tasks = None;
            job.array = Some((array, Some(task)));
            return id;
        }
        let mut own = job.clone();
        own.pending_tasks = None;
        own.array = Some((array, Some(task)));
        // Those that stay are looked at anew.
        job.eligible = 0;
        job.accrue = 0;
        own.id = self.next_id;
        self.next_id += 1;
        let own_id = own.id;
        self.jobs.insert(own);
        self.jobs.pending.insert(own_id);
        own_id
    }

    /// Jobs whose nodes could be had by preemption, in the order in which they are taken; `None` without preemption.
    pub(super) fn victims(&self, id: JobId, partition: PartIdx, avail: &Bits) -> Option<Vec<JobId>> {
        if self.params.preempt_type == PreemptType::None {
            return None;
        }
        // Those that it preempted are on their way out: it waits for them.
        let job = self.jobs.get(id)?;
        if job.preempting.iter().any(|victim| {
            self.jobs
                .get(*victim)
                .is_some_and(|victim| victim.state.is_completing() || victim.preempt_time != 0)
        }) {
            return None;
        }
        self.choose_victims(id, partition, avail)
    }

    /// Least memory on a node in MiB, for display: per node, or per CPU.
    pub fn memory_of(job: &Job) -> Option<Memory> {
        job.memory
    }

    /// Whether a job goes back to the queue after its cleanup.
    pub(super) fn will_requeue(job: &Job) -> bool {
        job.state.flags.has(JobFlags::REQUEUE) || job.state.flags.has(JobFlags::REQUEUE_HOLD)
    }
}
