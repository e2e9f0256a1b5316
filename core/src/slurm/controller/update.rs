//! Changes to jobs, nodes, partitions and reservations that are there (`scontrol update`).

use super::depend::set_reason;
use super::{Controller, Event, Reservation, features};
use crate::slurm::Time;
use crate::slurm::error::SlurmError;
use crate::slurm::model::{
    Bits, Dependency, Job, JobBase, JobId, Memory, NodeBase, NodeFlags, NodeReason, Partition, Reason,
};
use std::time::Duration;

/// One change to a job.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names are those of scontrol(1)")]
pub enum JobChange {
    Account(String),
    Begin(Time),
    Comment(String),
    Constraint(String),
    Cpus(u32),
    Deadline(Time),
    Dependency(Vec<Dependency>),
    Exclude(Vec<String>),
    Licenses(String),
    Memory(Memory),
    Name(String),
    Nice(i32),
    NodeList(Vec<String>),
    Nodes(u32, u32),
    Partition(String),
    Priority(u32),
    Qos(String),
    Requeue(bool),
    Reservation(String),
    Tasks(u32),
    Throttle(u32),
    /// Minutes: set (0), longer (1) or shorter (−1) by so many; `None` is UNLIMITED.
    TimeLimit(i8, Option<u32>),
    TimeMin(u32),
}

/// A change of a node's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of scontrol(1)")]
pub enum NodeChange {
    Down,
    Drain,
    Fail,
    Future,
    NoRespond,
    Resume,
    Undrain,
}

impl Controller {
    /// Changes a job, or every task of an array that can be changed; each gets all changes or none.
    ///
    /// Of an array, tasks that could not be changed are told apart: the groups are tasks and what came of them, lowest
    /// task first; there are none if all went well.
    ///
    /// # Errors
    ///
    /// Slurm's own, of a single job: no such job, not the user's, not allowed to a user, not possible in its state.
    pub fn update_job(
        &mut self,
        id: JobId,
        tasks: Option<&[u32]>,
        changes: &[JobChange],
        uid: u32,
    ) -> Result<Vec<(Vec<u32>, Option<SlurmError>)>, SlurmError> {
        let records = self.named(id, tasks)?;
        let mut groups: Vec<(Vec<u32>, Option<SlurmError>)> = Vec::new();
        for record in &records {
            let outcome = self.update_records(&[*record], changes, uid).err();
            if records.len() == 1 {
                return outcome.map_or_else(|| Ok(Vec::new()), Err);
            }
            let job = self.jobs.get(*record);
            let of_job: Vec<u32> = match job.map(|job| (&job.pending_tasks, job.array)) {
                Some((Some(pending), _)) => pending.tasks.iter().copied().collect(),
                Some((None, Some((_, task)))) => task.into_iter().collect(),
                _ => Vec::new(),
            };
            match groups.iter_mut().find(|(_, other)| *other == outcome) {
                Some((tasks, _)) => tasks.extend(of_job),
                None => groups.push((of_job, outcome)),
            }
        }
        for (tasks, _) in &mut groups {
            tasks.sort_unstable();
        }
        groups.sort_unstable_by_key(|(tasks, _)| tasks.first().copied());
        if groups.iter().all(|(_, outcome)| outcome.is_none()) {
            groups.clear();
        }
        Ok(groups)
    }

    fn update_records(
        &mut self,
        records: &[JobId],
        changes: &[JobChange],
        uid: u32,
    ) -> Result<(), SlurmError> {
        for id in records {
            let job = self.jobs.get(*id).ok_or(SlurmError::InvalidJobId)?;
            if uid != 0 && uid != job.request.uid {
                return Err(SlurmError::InvalidUser);
            }
            if job.state.is_finished() {
                return Err(SlurmError::JobFinished);
            }
            let mut copy = job.clone();
            for change in changes {
                self.change(&mut copy, change, uid)?;
            }
            let weighs = changes.iter().any(|change| {
                matches!(
                    change,
                    JobChange::Nice(_)
                        | JobChange::Partition(_)
                        | JobChange::Qos(_)
                        | JobChange::Nodes(..)
                        | JobChange::Cpus(_)
                        | JobChange::Tasks(_)
                )
            });
            // Any update of a job that waits clears why it waits, unless it is held or breaks a limit of its partition.
            let limited = self.partition_limit(&copy, copy.partition).is_some();
            if let Some(job) = self.jobs.get_mut(*id) {
                *job = copy;
                let held = [Reason::HELD_ADMIN, Reason::HELD_USER, Reason::RESERVATION_DELETED];
                let waits = job.state.base == JobBase::Pending && job.priority != 0;
                if waits && !limited && !held.contains(&job.reason) {
                    set_reason(job, Reason::NONE);
                }
            }
            if weighs
                && self.jobs.get(*id).is_some_and(|job| {
                    !job.direct_priority && job.priority != 0 && job.state.base == JobBase::Pending
                })
                && self.params.multifactor.is_some()
            {
                self.set_priority(*id);
            }
        }
        self.ask_schedule();
        Ok(())
    }

    fn change(&self, job: &mut Job, change: &JobChange, uid: u32) -> Result<(), SlurmError> {
        let pending = job.state.base == JobBase::Pending;
        let operator = uid == 0;
        let need_pending = if pending { Ok(()) } else { Err(SlurmError::NotPending) };
        match change {
            JobChange::Name(name) => job.request.name.clone_from(name),
            JobChange::Comment(text) => job.request.comment = Some(text.clone()),
            JobChange::TimeLimit(sign, minutes) => {
                let now = job.time_limit;
                let new = match (sign, minutes, now) {
                    (0, minutes, _) => *minutes,
                    (_, Some(by), Some(now)) if *sign > 0 => Some(now.saturating_add(*by)),
                    (_, Some(by), Some(now)) => Some(now.saturating_sub(*by).max(1)),
                    _ => now,
                };
                // Users may only shorten.
                let longer = match (now, new) {
                    (Some(now), Some(new)) => new > now,
                    (Some(_), None) => true,
                    (None, _) => false,
                };
                if longer && !operator {
                    return Err(SlurmError::AccessDenied);
                }
                job.time_limit = new;
                job.request.time_limit = Some(new);
                if !pending {
                    job.end = new.map_or(0, |minutes| job.start + i64::from(minutes) * 60);
                }
            }
            JobChange::TimeMin(minutes) => {
                need_pending?;
                job.request.time_min = Some(*minutes);
            }
            JobChange::Nice(nice) => {
                if *nice < 0 && !operator {
                    return Err(SlurmError::AccessDenied);
                }
                if self.params.multifactor.is_none() {
                    let raised = i64::from(job.priority) + i64::from(job.request.nice) - i64::from(*nice);
                    job.priority = u32::try_from(raised.max(1)).unwrap_or(u32::MAX);
                }
                job.request.nice = *nice;
                job.direct_priority = false;
            }
            JobChange::Priority(priority) => {
                if !operator && *priority >= job.priority && *priority != 0 {
                    return Err(SlurmError::AccessDenied);
                }
                need_pending?;
                job.priority = *priority;
                job.direct_priority = true;
                job.factors = crate::slurm::model::PriorityFactors::default();
                if *priority == 0 {
                    set_reason(job, if operator { Reason::HELD_ADMIN } else { Reason::HELD_USER });
                }
            }
            JobChange::Nodes(least, most) => {
                if !pending {
                    return Err(if *least > job.shares_of_nodes.len() as u32 {
                        SlurmError::NotSupported
                    } else {
                        SlurmError::NotPending
                    });
                }
                if *least == 0 || most < least {
                    return Err(SlurmError::InvalidNodeCount);
                }
                job.min_nodes = *least;
                job.max_nodes = Some(*most);
                if job.request.ntasks.is_none() {
                    job.ntasks = job.request.ntasks_per_node.unwrap_or(1) * least;
                    job.min_cpus = (job.ntasks * job.request.cpus_per_task.unwrap_or(1)).max(*least);
                }
            }
            JobChange::Tasks(tasks) | JobChange::Cpus(tasks) => {
                need_pending?;
                job.ntasks = *tasks;
                job.request.ntasks = Some(*tasks);
                job.min_cpus = (tasks * job.request.cpus_per_task.unwrap_or(1)).max(job.min_nodes);
            }
            JobChange::Memory(memory) => {
                need_pending?;
                job.memory = Some(*memory);
            }
            JobChange::Partition(name) => {
                need_pending?;
                let parts = name
                    .split(',')
                    .map(|name| self.partition(name).ok_or(SlurmError::InvalidPartition))
                    .collect::<Result<_, _>>()?;
                job.partitions = parts;
                job.partition = job.partitions[0];
                job.part_priorities.clear();
            }
            JobChange::Qos(name) => {
                need_pending?;
                if self.accounting.qos(name).is_none()
                    || (job.assoc != 0
                        && self.params.enforce.qos
                        && !self.accounting.qos_of(job.assoc).contains(name))
                {
                    return Err(SlurmError::InvalidQos);
                }
                job.qos.clone_from(name);
            }
            JobChange::Account(name) => {
                need_pending?;
                let part = &self.partitions[job.partition].name;
                let assoc =
                    self.accounting.find(&job.user, Some(name), part).ok_or(SlurmError::InvalidAccount)?;
                job.assoc = assoc.id;
                job.request.account = Some(name.clone());
            }
            JobChange::Begin(time) => {
                need_pending?;
                job.request.begin = Some(*time);
                job.begin = *time;
                if job.priority != 0 {
                    job.eligible = 0;
                }
            }
            JobChange::Deadline(time) => {
                need_pending?;
                job.request.deadline = Some(*time);
            }
            JobChange::Dependency(dependencies) => {
                need_pending?;
                if dependencies
                    .iter()
                    .any(|dependency| dependency.target.is_some_and(|target| target.job == job.id))
                {
                    return Err(SlurmError::Dependency);
                }
                job.dependency.clone_from(dependencies);
                job.request.dependency.clone_from(dependencies);
            }
            JobChange::Constraint(text) => {
                need_pending?;
                if text.is_empty() {
                    job.request.constraint = None;
                } else {
                    let parsed = features::parse(text).ok_or(SlurmError::InvalidFeature)?;
                    if !self.features_exist(&parsed) {
                        return Err(SlurmError::InvalidFeature);
                    }
                    job.request.constraint = Some(text.clone());
                }
            }
            JobChange::NodeList(names) => {
                need_pending?;
                job.required_nodes = self.node_set(names)?;
                job.request.nodelist.clone_from(names);
            }
            JobChange::Exclude(names) => {
                need_pending?;
                job.excluded_nodes = self.node_set(names)?;
                job.request.exclude.clone_from(names);
            }
            JobChange::Licenses(text) => {
                need_pending?;
                job.licenses = self.parse_licenses(Some(text))?;
                job.request.licenses = (!text.is_empty()).then(|| text.clone());
            }
            JobChange::Reservation(name) => {
                need_pending?;
                if name.is_empty() {
                    job.reservation = None;
                } else {
                    let found = self
                        .reservations
                        .iter()
                        .find(|other| other.name == *name)
                        .ok_or(SlurmError::ReservationInvalid)?;
                    job.reservation = Some(found.id);
                }
            }
            JobChange::Requeue(on) => job.requeue = *on,
            JobChange::Throttle(limit) => {
                if let Some(pending) = &mut job.pending_tasks {
                    pending.limit = (*limit > 0).then_some(*limit);
                }
            }
        }
        Ok(())
    }

    /// Changes the state of nodes.
    ///
    /// # Errors
    ///
    /// A node that there is not.
    pub fn update_nodes(
        &mut self,
        names: &[String],
        state: Option<NodeChange>,
        reason: Option<&str>,
        uid: u32,
    ) -> Result<(), SlurmError> {
        let nodes = names
            .iter()
            .map(|name| self.node(name).ok_or(SlurmError::InvalidNodeName))
            .collect::<Result<Vec<_>, _>>()?;
        let now = self.time();
        for at in nodes {
            if let Some(text) = reason {
                self.nodes[at].reason = Some(NodeReason { text: text.to_owned(), uid, time: now });
            }
            match state {
                None => {}
                Some(NodeChange::Down) => {
                    let text = self.nodes[at].reason.clone().map_or_else(String::new, |reason| reason.text);
                    let told = self.jobs.active().any(|job| job.nodes.has(at));
                    self.set_down(at, &text, uid);
                    // A node that is told to end its jobs answers: with ReturnToService=2 it is back (observed). One
                    // without jobs is heard from no sooner than at the next ping.
                    if told {
                        self.agenda.push(self.now + Duration::from_secs(1), Event::Return(at));
                    }
                }
                Some(NodeChange::Drain) => self.nodes[at].flags.set(NodeFlags::DRAIN),
                Some(NodeChange::Fail) => self.nodes[at].flags.set(NodeFlags::FAIL),
                Some(NodeChange::Future) => self.nodes[at].base = NodeBase::Future,
                Some(NodeChange::NoRespond) => {
                    self.nodes[at].flags.set(NodeFlags::NO_RESPOND);
                    self.ping_silent();
                }
                Some(NodeChange::Undrain) => {
                    self.nodes[at].flags.clear(NodeFlags::DRAIN);
                    if self.nodes[at].base == NodeBase::Up {
                        self.nodes[at].reason = None;
                    }
                }
                Some(NodeChange::Resume) => {
                    let node = &mut self.nodes[at];
                    let nothing = node.base == NodeBase::Up
                        && ![NodeFlags::DRAIN, NodeFlags::FAIL, NodeFlags::NO_RESPOND]
                            .iter()
                            .any(|flag| node.flags.has(*flag));
                    if nothing {
                        return Err(SlurmError::InvalidNodeState);
                    }
                    node.flags.clear(NodeFlags::DRAIN);
                    node.flags.clear(NodeFlags::FAIL);
                    node.flags.clear(NodeFlags::NO_RESPOND);
                    if node.base == NodeBase::Down || node.base == NodeBase::Future {
                        node.base = NodeBase::Up;
                    }
                    node.reason = None;
                    self.ask_schedule();
                }
            }
        }
        self.touch();
        Ok(())
    }

    /// Changes what `slurm.conf` says of nodes, until it is read again.
    ///
    /// # Errors
    ///
    /// A node that there is not.
    pub fn update_node_fields(
        &mut self,
        names: &[String],
        weight: Option<u32>,
        features: Option<&[String]>,
    ) -> Result<(), SlurmError> {
        if weight.is_none() && features.is_none() {
            return Ok(());
        }
        for name in names {
            let at = self.node(name).ok_or(SlurmError::InvalidNodeName)?;
            let node = &mut self.nodes[at];
            node.weight = weight.unwrap_or(node.weight);
            if let Some(features) = features {
                node.features = features.to_vec();
            }
        }
        self.forget_what_fits();
        self.ask_schedule();
        Ok(())
    }

    /// Changes a partition.
    pub fn update_partition(&mut self, at: usize, new: Partition) {
        if let Some(partition) = self.partitions.get_mut(at) {
            *partition = new;
            self.forget_what_fits();
            self.ask_schedule();
        }
    }

    /// The number of the next reservation, for names that the controller makes up.
    pub fn next_reservation_id(&self) -> u32 {
        self.next_reservation
    }

    /// Finds the nodes of a new reservation: those named, or so many of those that are free of others then.
    ///
    /// # Errors
    ///
    /// A node that there is not; nodes that another reservation has then.
    pub fn choose_reserved(
        &self,
        made: &mut Reservation,
        named: Option<(&str, Option<Vec<String>>)>,
        count: Option<usize>,
    ) -> Result<(), SlurmError> {
        let mut taken = Bits::new();
        for other in &self.reservations {
            if other.id != made.id
                && other.start < made.end
                && made.start < other.end
                && !(made.flags.overlap || made.flags.maint || other.flags.maint || other.flags.overlap)
            {
                taken.union(&other.nodes);
            }
        }
        if let Some((text, names)) = named {
            made.nodes = if text.eq_ignore_ascii_case("all") {
                made.flags.all_nodes = true;
                Bits::first(self.nodes.len())
            } else {
                let names = names.ok_or(SlurmError::InvalidNodeName)?;
                names
                    .iter()
                    .map(|name| self.node(name).ok_or(SlurmError::InvalidNodeName))
                    .collect::<Result<_, _>>()?
            };
            made.flags.spec_nodes = true;
            if made.nodes.overlaps(&taken) {
                return Err(SlurmError::ReservationOverlap);
            }
            return Ok(());
        }
        let part = match &made.partition {
            Some(name) => self.partition(name).ok_or(SlurmError::InvalidPartition)?,
            None => {
                self.partitions.iter().position(|part| part.default).ok_or(SlurmError::InvalidPartition)?
            }
        };
        made.partition = Some(self.partitions[part].name.clone());
        let mut free = self.partitions[part].nodes.clone();
        free.subtract(&taken);
        let wanted = count.unwrap_or(usize::MAX);
        let wanted = if made.flags.part_nodes { usize::MAX } else { wanted };
        // Nodes that are idle then come first; more than there are is as many as there are (observed).
        let busy = |node: &usize| self.usage[*node].running > 0 && !made.flags.ignore_jobs;
        let mut order: Vec<usize> = free.iter().collect();
        order.sort_by_key(busy);
        made.nodes = order.into_iter().take(wanted).collect();
        if made.nodes.is_empty() {
            return Err(SlurmError::NodesBusy);
        }
        Ok(())
    }

    /// Puts a reservation in the place of the one of its name.
    pub fn change_reservation(&mut self, made: Reservation) {
        for at in [made.start, made.end] {
            let at = self.instant(at).max(self.now);
            self.agenda.push(at, Event::Reservation);
        }
        if let Some(old) = self.reservations.iter_mut().find(|other| other.name == made.name) {
            *old = made;
        }
        self.reservations_changed();
    }

    /// Takes a reservation away.
    ///
    /// # Errors
    ///
    /// There is none of that name; a job runs in it.
    pub fn delete_reservation(&mut self, name: &str) -> Result<(), SlurmError> {
        let at = self
            .reservations
            .iter()
            .position(|other| other.name == name)
            .ok_or(SlurmError::ReservationInvalid)?;
        let id = self.reservations[at].id;
        if self.jobs.active().any(|job| job.reservation == Some(id) && !job.state.is_finished()) {
            return Err(SlurmError::ReservationBusy);
        }
        self.reservations.remove(at);
        let waiting: Vec<JobId> =
            self.jobs.pending().filter(|job| job.reservation == Some(id)).map(|job| job.id).collect();
        for id in waiting {
            if let Some(job) = self.jobs.get_mut(id) {
                job.priority = 0;
                set_reason(job, Reason::RESERVATION_DELETED);
            }
        }
        self.reservations_changed();
        Ok(())
    }
}
