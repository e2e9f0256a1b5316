//! Backfill: jobs of lower priority start now if no job ahead of them is expected to start later for it.
//!
//! Every cycle plans the queue in order. A job that cannot start gets a reservation of whole nodes at the time at
//! which enough running jobs will have reached their limits; a job behind it may use those nodes only when it is gone
//! by then, or after.

use super::queue::Queued;
use super::schedule::Blocked;
use super::{Controller, Event};
use crate::slurm::Time;
use crate::slurm::model::{Bits, Job, JobId, NodeFlags, NodeUsage, Scheduler};
use crate::slurm::select::{Machines, Selection};

/// A span of time and the nodes that are not reserved in it.
#[derive(Clone, Debug)]
struct Slot {
    begin: Time,
    end: Time,
    free: Bits,
}

/// The plan of a cycle.
#[derive(Clone, Debug)]
pub(super) struct NodeSpace {
    slots: Vec<Slot>,
}

impl NodeSpace {
    fn new(begin: Time, end: Time, nodes: usize) -> Self {
        Self { slots: vec![Slot { begin, end, free: Bits::first(nodes) }] }
    }

    /// Nodes free of reservations over the whole of a span, and the end of the first slot that overlaps it.
    fn free(&self, begin: Time, end: Time, nodes: &Bits) -> (Bits, Option<Time>) {
        let mut free = nodes.clone();
        let mut later = None;
        for slot in &self.slots {
            if slot.end > begin && slot.begin < end {
                free.intersect(&slot.free);
                if later.is_none() && slot.end < self.slots.last().map_or(0, |slot| slot.end) {
                    later = Some(slot.end);
                }
            }
        }
        (free, later)
    }

    /// Whether nodes are reserved by somebody within a span.
    fn conflicts(&self, begin: Time, end: Time, nodes: &Bits) -> bool {
        self.slots.iter().any(|slot| slot.end > begin && slot.begin < end && !nodes.is_subset(&slot.free))
    }

    /// Reserves nodes over a span.
    fn reserve(&mut self, begin: Time, end: Time, nodes: &Bits) {
        self.split(begin);
        self.split(end);
        for slot in self.slots.iter_mut().filter(|slot| slot.begin >= begin && slot.end <= end) {
            slot.free.subtract(nodes);
        }
    }

    fn split(&mut self, at: Time) {
        if let Some(index) = self.slots.iter().position(|slot| slot.begin < at && at < slot.end) {
            let mut second = self.slots[index].clone();
            second.begin = at;
            self.slots[index].end = at;
            self.slots.insert(index + 1, second);
        }
    }
}

/// When a job could start, with what.
struct Expected {
    start: Time,
    selection: Selection,
}

impl Controller {
    /// One backfill cycle.
    pub(super) fn backfill_cycle(&mut self) {
        let now = self.time();
        let params = self.params.scheduler.clone();
        for node in &mut self.nodes {
            node.flags.clear(NodeFlags::PLANNED);
        }
        if self.jobs.pending.is_empty() {
            return;
        }
        self.statistics.backfill_cycles += 1;
        self.statistics.backfill_last_cycle_at = now;
        let queue = self.build_queue();
        let grain = params.bf_resolution.max(1);
        let floor = |time: Time| time.div_euclid(grain) * grain;
        let mut space = NodeSpace::new(floor(now), floor(now + params.bf_window), self.nodes.len());
        let mut per_user: Vec<(u32, usize)> = Vec::new();
        let mut per_part: Vec<(usize, usize)> = Vec::new();
        let mut started = 0;
        let mut tried = 0;
        self.statistics.backfill_last_queue_length = queue.len() as u64;
        self.statistics.backfill_queue_length_sum += queue.len() as u64;
        for queued in &queue {
            if tried >= params.bf_max_job_test {
                break;
            }
            if params.bf_max_job_start > 0 && started >= params.bf_max_job_start {
                break;
            }
            if !self.jobs.pending.contains(&queued.job) {
                continue;
            }
            let Some(job) = self.jobs.get(queued.job) else { continue };
            let uid = job.request.uid;
            if over(&mut per_part, queued.partition, params.bf_max_job_part)
                || over(&mut per_user, uid, params.bf_max_job_user)
            {
                continue;
            }
            tried += 1;
            let tasks = job.pending_tasks.as_ref().map_or(1, |pending| pending.tasks.len());
            let mut reserved_tasks = 0;
            for _ in 0..tasks {
                match self.plan(queued, &mut space, now) {
                    Planned::Started => started += 1,
                    Planned::Reserved => {
                        reserved_tasks += 1;
                        if reserved_tasks >= params.bf_max_job_array_resv {
                            break;
                        }
                    }
                    Planned::Nothing => break,
                }
                if !self.jobs.pending.contains(&queued.job) {
                    break;
                }
            }
        }
        self.statistics.backfilled_jobs += started as u64;
        self.statistics.backfilled_jobs_since_cycle += started as u64;
        self.statistics.backfill_last_depth = queue.len().min(tried) as u64;
        self.statistics.backfill_last_depth_try = tried as u64;
        self.statistics.backfill_depth_sum += queue.len() as u64;
        self.statistics.backfill_depth_try_sum += tried as u64;
        self.statistics.backfill_table_size = space.slots.len() as u64;
    }

    /// Plans one job (or one task of an array).
    fn plan(&mut self, queued: &Queued, space: &mut NodeSpace, now: Time) -> Planned {
        let id = queued.job;
        let params = self.params.scheduler.clone();
        if !self.deadline_holds(id) || !self.is_independent(id) {
            return Planned::Nothing;
        }
        if let Some(blocked) = self.array_limit(id) {
            self.set_blocked(id, blocked);
            return Planned::Nothing;
        }
        if let Err(blocked) = self.may_start(id, queued.partition) {
            self.set_blocked(id, blocked);
            return Planned::Nothing;
        }
        let Some(job) = self.jobs.get(id) else { return Planned::Nothing };
        let part = &self.partitions[queued.partition];
        let full = job.time_limit.or(part.default_time).or(part.max_time);
        let seconds = |minutes: Option<u32>| minutes.map_or(365 * 86_400, |minutes| i64::from(minutes) * 60);
        let tested =
            job.request.time_min.filter(|least| full.is_none_or(|full| *least < full)).map_or(full, Some);
        let length = seconds(tested);
        let window_end = now + params.bf_window;
        let mut later: Option<Time>;
        let mut start = now;
        let mut rounds = 0;
        loop {
            rounds += 1;
            if rounds > 200 || start > window_end {
                return Planned::Nothing;
            }
            let avail = match self.usable_nodes(job, queued.partition, None, &Bits::new()) {
                Ok(avail) => avail,
                Err(blocked) => {
                    if !matches!(blocked, Blocked::Busy) {
                        self.set_blocked(id, blocked);
                    }
                    return Planned::Nothing;
                }
            };
            let (free, next) = space.free(start, start + length, &avail);
            later = next.filter(|next| *next > start);
            let expected = (free.count() as u32 >= job.min_nodes && job.required_nodes.is_subset(&free))
                .then(|| self.will_run(job, queued.partition, &free, start))
                .flatten();
            let Some(expected) = expected else {
                match later {
                    Some(next) => {
                        start = next;
                        continue;
                    }
                    None => return Planned::Nothing,
                }
            };
            let cpus: u32 = expected.selection.shares.iter().map(|share| share.cpus).sum();
            if expected.start <= now {
                let limit = Self::stretched_limit(job, &expected.selection, space, now, tested, full);
                let id = self.split_task(id);
                if let Some(job) = self.jobs.get_mut(id) {
                    job.planned_nodes = Bits::new();
                }
                self.start(id, queued.partition, expected.selection, Scheduler::Backfill, limit.map(Some));
                return Planned::Started;
            }
            if let Some(next) = later
                && expected.start > next
            {
                start = next;
                continue;
            }
            if expected.start > window_end {
                return Planned::Nothing;
            }
            let nodes: Bits = expected.selection.shares.iter().map(|share| share.node).collect();
            let grain = params.bf_resolution.max(1);
            let floor = |time: Time| time.div_euclid(grain) * grain;
            let (begin, end) =
                (floor(expected.start), floor(expected.start + length).max(floor(expected.start) + grain));
            if space.conflicts(expected.start, expected.start + length, &nodes) {
                start = later.unwrap_or(expected.start).max(start + 1);
                continue;
            }
            if let Some(job) = self.jobs.get_mut(id) {
                job.tested_cpus = Some(cpus);
            }
            let Some(job) = self.jobs.get(id) else { return Planned::Nothing };
            let too_young = params.bf_min_age_reserve > 0 && now - job.submit < params.bf_min_age_reserve;
            if too_young || queued.priority < params.bf_min_prio_reserve {
                return Planned::Nothing;
            }
            space.reserve(begin, end, &nodes);
            for node in nodes.iter() {
                self.nodes[node].flags.set(NodeFlags::PLANNED);
            }
            if let Some(job) = self.jobs.get_mut(id) {
                job.start = expected.start;
                job.planned_nodes = nodes;
            }
            return Planned::Reserved;
        }
    }

    /// A limit that was tested with `--time-min` is raised to the largest that delays no reservation, at most the full one.
    fn stretched_limit(
        job: &Job,
        selection: &Selection,
        space: &NodeSpace,
        now: Time,
        tested: Option<u32>,
        full: Option<u32>,
    ) -> Option<u32> {
        job.request.time_min?;
        let (tested, full) = (tested?, full?);
        let nodes: Bits = selection.shares.iter().map(|share| share.node).collect();
        let first = space
            .slots
            .iter()
            .filter(|slot| slot.end > now && !nodes.is_subset(&slot.free))
            .map(|slot| slot.begin)
            .min();
        let most = first
            .map_or(full, |begin| u32::try_from((begin - now).max(0) / 60).unwrap_or(u32::MAX).min(full));
        Some(most.max(tested))
    }

    /// When the job could start on `nodes`, not before `earliest`, if running jobs end at their limits.
    fn will_run(&self, job: &Job, partition: usize, nodes: &Bits, earliest: Time) -> Option<Expected> {
        let now = self.time();
        let mut clean = nodes.clone();
        clean.subtract(&self.cleaning());
        if let Some(selection) = self.find(job, partition, &clean) {
            return Some(Expected { start: now.max(earliest), selection });
        }
        let mut running: Vec<(Time, JobId)> = self
            .jobs
            .active()
            .filter(|other| other.nodes.overlaps(nodes))
            .map(|other| (expected_end(other, now), other.id))
            .collect();
        running.sort_unstable();
        let mut usage: Vec<NodeUsage> = self.usage.clone();
        let mut window: Time = 30;
        let mut at = 0;
        while at < running.len() {
            // All that end up to the end of a window, which grows, are taken away together.
            let until = running[at].0.div_euclid(window) * window + window;
            let mut last = running[at].0;
            while at < running.len() && running[at].0 < until {
                if let Some(other) = self.jobs.get(running[at].1) {
                    for share in other.shares_of_nodes.iter().filter(|share| other.nodes.has(share.node)) {
                        usage[share.node].release(&self.nodes[share.node], share, other.request.uid);
                    }
                }
                last = running[at].0;
                at += 1;
            }
            window *= 2;
            let machines = Machines { usage: &usage, ..self.machines() };
            if let Some(selection) = self.find_in(&machines, job, partition, nodes) {
                return Some(Expected { start: last.max(earliest), selection });
            }
        }
        None
    }

    /// When and with what a job could first start on `nodes`.
    pub(super) fn first_fit(
        &self,
        job: &Job,
        partition: usize,
        nodes: &Bits,
        earliest: Time,
    ) -> Option<(Time, Selection)> {
        self.will_run(job, partition, nodes, earliest).map(|expected| (expected.start, expected.selection))
    }

    /// When backfill may next run.
    pub(super) fn next_backfill(&self) -> crate::sim::SimTime {
        let interval = self.params.scheduler.bf_interval.max(1);
        let since = self.time() - self.boot;
        let next = self.boot + (since.div_euclid(interval) + 1) * interval;
        self.half_past(next)
    }

    /// Runs a cycle if something changed since the last.
    pub(super) fn backfill_due_now(&mut self) {
        self.backfill_due = false;
        if std::mem::take(&mut self.changed) {
            self.backfill_cycle();
        }
        if self.changed {
            self.backfill_due = true;
            let at = self.next_backfill();
            self.agenda.push(at, Event::Backfill);
        }
    }
}

fn expected_end(job: &Job, now: Time) -> Time {
    if job.state.is_completing() {
        return now + 1;
    }
    if job.end == 0 { now + 365 * 86_400 } else { job.end.max(now + 1) }
}

fn over<K: PartialEq + Copy>(counts: &mut Vec<(K, usize)>, key: K, limit: usize) -> bool {
    if limit == 0 {
        return false;
    }
    match counts.iter_mut().find(|(other, _)| *other == key) {
        Some((_, count)) => {
            *count += 1;
            *count > limit
        }
        None => {
            counts.push((key, 1));
            false
        }
    }
}

enum Planned {
    Started,
    Reserved,
    Nothing,
}
