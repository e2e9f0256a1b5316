//! Backfill: jobs of lower priority start now if no job ahead of them is expected to start later for it.
//!
//! Every cycle plans the queue in order. A job that cannot start gets a reservation of whole nodes at the time at
//! which enough running jobs will have reached their limits; a job behind it may use those nodes only when it is gone
//! by then, or after.

use super::queue::Queued;
use super::{Controller, Event};
use crate::slurm::Time;
use crate::slurm::model::{Bits, Job, JobId, NodeFlags, NodeIdx, NodeShare, Scheduler, UsageTable};
use crate::slurm::select::{Ask, Machines, Outline, Selection, can_outline, most_cpus, outline};

/// Minutes of a year: the limit of a job that has none, as backfill plans it.
const YEAR_MINUTES: u32 = 365 * 24 * 60;

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

    /// The nodes of `nodes` that are free of plans from `begin` to `end`, and when it is worth to look again: at the
    /// end of the first slot after which other nodes than those looked at are free.
    fn free(&self, begin: Time, end: Time, nodes: &Bits) -> (Bits, Option<Time>) {
        let mut free = nodes.clone();
        let mut later = None;
        // Slots follow each other without gaps.
        let first = self.slots.partition_point(|slot| slot.end <= begin);
        for (at, slot) in self.slots.iter().enumerate().skip(first) {
            if let Some(next) = self.slots.get(at + 1).filter(|_| later.is_none())
                && nodes.gains(&next.free, &free, &slot.free)
            {
                later = Some(slot.end);
            }
            if slot.begin > end {
                break;
            }
            free.intersect(&slot.free);
            if later.is_some() && free.is_empty() {
                break;
            }
        }
        (free, later)
    }

    /// Whether nodes are reserved by somebody within a span.
    fn conflicts(&self, begin: Time, end: Time, nodes: &Bits) -> bool {
        let first = self.slots.partition_point(|slot| slot.end <= begin);
        let mut within = self.slots[first..].iter().take_while(|slot| slot.begin < end);
        within.any(|slot| !nodes.is_subset(&slot.free))
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

/// What will be free when jobs have ended: a copy of what is given away, in which they can be let end.
struct Imagined {
    usage: UsageTable,
    /// Nodes on which it differs from what is.
    touched: Vec<NodeIdx>,
    /// Nodes of which only the figures differ.
    sketched: Vec<NodeIdx>,
    /// When the jobs that run are expected to end, in that order.
    ends: Vec<(Time, JobId)>,
    /// Nodes of each partition to which jobs may go; asked for once a cycle.
    usable: Vec<Option<Bits>>,
}

impl Imagined {
    fn new(controller: &Controller) -> Self {
        let now = controller.time();
        let running = controller.jobs.active().filter(|job| !job.state.is_completing());
        let mut ends: Vec<(Time, JobId)> = running.map(|job| (expected_end(job, now), job.id)).collect();
        ends.sort_unstable();
        Self {
            usage: controller.usage.clone(),
            touched: Vec::new(),
            sketched: Vec::new(),
            ends,
            usable: vec![None; controller.partitions.len()],
        }
    }

    /// What a job has is free.
    fn give_back(&mut self, controller: &Controller, job: &Job) {
        let held = if job.state.is_completing() { &job.completing_nodes } else { &job.nodes };
        for share in job.shares_of_nodes.iter().filter(|share| held.has(share.node)) {
            self.usage.release(&controller.nodes[share.node], share, job.request.uid);
            self.touched.push(share.node);
        }
    }

    /// The cores of a job that runs are free, in the figures alone.
    fn sketch(&mut self, job: &Job) {
        for share in &job.shares_of_nodes {
            self.usage.sketch_release(share);
            self.sketched.push(share.node);
        }
    }

    /// All is as it is again.
    fn restore(&mut self, controller: &Controller) {
        self.usage.restore(&controller.usage, self.touched.drain(..), self.sketched.drain(..));
    }

    /// A job has started meanwhile.
    fn started(&mut self, controller: &Controller, id: JobId) {
        let Some(job) = controller.jobs.get(id) else { return };
        self.touched.extend(job.nodes.iter());
        self.restore(controller);
        let end = (expected_end(job, controller.time()), id);
        let at = self.ends.binary_search(&end).unwrap_or_else(|at| at);
        self.ends.insert(at, end);
    }
}

/// When a job could start, with what.
struct Expected {
    start: Time,
    nodes: Bits,
    cpus: u32,
    /// What it would get; not worked out for a start to come when only the nodes are asked for.
    selection: Option<Selection>,
}

impl Expected {
    fn with(start: Time, selection: Selection) -> Self {
        Self {
            start,
            nodes: selection.shares.iter().map(|share| share.node).collect(),
            cpus: selection.shares.iter().map(|share| share.cpus).sum(),
            selection: Some(selection),
        }
    }
}

impl Controller {
    /// One backfill cycle.
    pub(super) fn backfill_cycle(&mut self) {
        let now = self.time();
        let params = self.params.scheduler.clone();
        // A plan that changes something keeps backfill at work: it sees its own change and looks again.
        let mut restless = false;
        for node in &mut self.nodes {
            restless |= node.flags.has(NodeFlags::PLANNED);
            node.flags.clear(NodeFlags::PLANNED);
        }
        if self.jobs.pending.is_empty() {
            return;
        }
        self.statistics.backfill_cycles += 1;
        self.statistics.backfill_last_cycle_at = now;
        let queue = self.build_queue();
        for queued in &queue {
            if let Some(job) = self.jobs.get_mut(queued.job) {
                job.start = 0;
            }
        }
        let grain = params.bf_resolution.max(1);
        let floor = |time: Time| time.div_euclid(grain) * grain;
        let mut space = NodeSpace::new(floor(now), floor(now + params.bf_window), self.nodes.len());
        let mut imagined = Imagined::new(self);
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
                match self.plan(queued, &mut space, &mut imagined, now, &mut restless) {
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
        let planned =
            |node: usize| self.nodes[node].flags.has(NodeFlags::PLANNED) && self.usage[node].running == 0;
        restless |= (0..self.nodes.len()).any(planned);
        if restless {
            self.wake_for_begin(now);
        }
        self.statistics.backfilled_jobs += started as u64;
        self.statistics.backfilled_jobs_since_cycle += started as u64;
        self.statistics.backfill_last_depth = queue.len().min(tried) as u64;
        self.statistics.backfill_last_depth_try = tried as u64;
        self.statistics.backfill_depth_sum += queue.len() as u64;
        self.statistics.backfill_depth_try_sum += tried as u64;
        self.statistics.backfill_table_size = space.slots.len() as u64;
    }

    /// Backfill that keeps looking notices at its next turn that the begin time of a job has come.
    fn wake_for_begin(&mut self, now: Time) {
        let begin = self.jobs.pending().map(|job| job.begin).filter(|begin| *begin > now).min();
        if let Some(begin) = begin {
            let interval = self.params.scheduler.bf_interval.max(1);
            let turns = (begin - self.boot + interval - 1).div_euclid(interval);
            let at = self.half_past(self.boot + turns * interval);
            self.agenda.push(at, Event::BackfillAgain);
        }
    }

    /// Plans one job (or one task of an array) as backfill does: at the first instant at which it finds nodes that no
    /// job before it is planned to use.
    fn plan(
        &mut self,
        queued: &Queued,
        space: &mut NodeSpace,
        imagined: &mut Imagined,
        now: Time,
        restless: &mut bool,
    ) -> Planned {
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
        // A job with --time-min is tested, and started, with that limit.
        let least = job.request.time_min.filter(|least| full.is_none_or(|full| *least < full));
        let length = i64::from(least.or(full).unwrap_or(YEAR_MINUTES)) * 60;
        let min_nodes = job.min_nodes.max(part.min_nodes);
        let no_reserve = queued.priority < params.bf_min_prio_reserve
            || (params.bf_min_age_reserve > 0
                && job.eligible != 0
                && now - job.eligible < params.bf_min_age_reserve);
        let window_end = now + params.bf_window;
        let grain = params.bf_resolution.max(1);
        let floor = |time: Time| time.div_euclid(grain) * grain;
        // What another of its partitions has promised it in this cycle.
        let promised = Some(job.start).filter(|start| *start != 0);
        let usable =
            imagined.usable[queued.partition].get_or_insert_with(|| self.usable_of(queued.partition)).clone();
        let cleaning = self.cleaning();
        let mut later = Some(now);
        let mut rounds = 0;
        while let Some(tried) = later.take().filter(|tried| *tried <= window_end && rounds < 1000) {
            rounds += 1;
            let mut nodes = usable.clone();
            let Ok(window) = self.reserved_for(job, queued.partition, tried, length, &mut nodes) else {
                return Planned::Nothing;
            };
            let earliest = window.when;
            let (mut free, next) = space.free(earliest, earliest.max(now) + length, &nodes);
            later = next;
            if let Some(end) = window.overlaps.then(|| self.first_reservation_end(earliest, grain)).flatten()
            {
                let end = end + 1;
                if end < window_end && later.is_none_or(|later| end < later) {
                    later = Some(end);
                }
            }
            free.subtract(&job.excluded_nodes);
            let expected = (free.count() as u32 >= min_nodes && job.required_nodes.is_subset(&free))
                .then(|| self.will_run(imagined, job, queued.partition, &free, false))
                .flatten();
            let Some(expected) = expected else {
                if no_reserve {
                    return Planned::Nothing;
                }
                continue;
            };
            let mut start = expected.start;
            if earliest > start {
                start = earliest;
                *restless = true;
            }
            let nodes = expected.nodes;
            if start <= now && nodes.overlaps(&cleaning) {
                // It waits for the end of the cleaning.
                start = now + 1;
                later = None;
            }
            if start <= now
                && let Some(selection) = expected.selection
            {
                // A job that asked for no limit gets the one that it was planned with: its partition's, or a year.
                let unasked = job.request.time_limit.is_none() && job.time_limit.is_none();
                let limit = least.or(unasked.then(|| full.unwrap_or(YEAR_MINUTES))).map(Some);
                let id = self.split_task(id);
                if let Some(job) = self.jobs.get_mut(id) {
                    job.planned_nodes = Bits::new();
                }
                self.start(id, queued.partition, selection, Scheduler::Backfill, limit);
                imagined.started(self, id);
                return Planned::Started;
            }
            if no_reserve {
                return Planned::Nothing;
            }
            if later.is_some_and(|later| start > later) {
                continue;
            }
            if start > window_end {
                // Too far away to keep nodes for, but the estimate stays.
                if let Some(job) = self.jobs.get_mut(id) {
                    job.start = promised.map_or(start, |promised| promised.min(start));
                }
                return Planned::Nothing;
            }
            let (begin, end) = (floor(start), floor(start + length));
            if space.conflicts(begin, end, &nodes) {
                later = Some(start);
                continue;
            }
            space.reserve(begin, end.max(begin + grain), &nodes);
            let first = promised.is_none_or(|promised| start < promised);
            for node in nodes.iter().filter(|_| first) {
                self.nodes[node].flags.set(NodeFlags::PLANNED);
            }
            if let Some(job) = self.jobs.get_mut(id) {
                job.tested_cpus = Some(expected.cpus);
                job.start = promised.map_or(start, |promised| promised.min(start));
                if first {
                    job.planned_nodes = nodes;
                }
            }
            return Planned::Reserved;
        }
        Planned::Nothing
    }

    /// When the job could start on `nodes` if running jobs end at their limits. `in_full`: with what it would get then,
    /// down to cores and devices, however far away that is.
    fn will_run(
        &self,
        imagined: &mut Imagined,
        job: &Job,
        partition: usize,
        nodes: &Bits,
        in_full: bool,
    ) -> Option<Expected> {
        let ask = self.ask(job, partition);
        let least = u64::from(ask.min_cpus);
        // Nodes that would not do if they were empty need not be emptied.
        let figures = self.usage.figures();
        let mut cpus = 0;
        let suffices = |node: NodeIdx| {
            cpus += u64::from(figures[node].cpus);
            cpus >= least
        };
        if least > 0 && !nodes.iter().any(suffices) {
            return None;
        }
        let expected = self.after_ends(imagined, job, (&ask, partition), nodes, in_full);
        imagined.restore(self);
        expected
    }

    /// Lets jobs end one after the other until the job finds a place.
    fn after_ends(
        &self,
        imagined: &mut Imagined,
        job: &Job,
        (ask, partition): (&Ask<'_>, usize),
        nodes: &Bits,
        in_full: bool,
    ) -> Option<Expected> {
        let least = u64::from(ask.min_cpus);
        // What a job that is being cleaned up had counts as free already; whoever plans to start there waits.
        let completing = self.jobs.active().filter(|other| other.state.is_completing());
        for other in completing.filter(|other| other.completing_nodes.overlaps(nodes)) {
            imagined.give_back(self, other);
        }
        let machines = Machines { usage: &imagined.usage, ..self.machines() };
        let plain = job.request.constraint.is_none() && can_outline(&machines, ask);
        // Before there are as many CPUs as it needs, where they are does not matter.
        let mut most = if ask.rows <= 1 { most_cpus(&machines, nodes, least) } else { u64::MAX };
        if most >= least
            && let Some(selection) = self.find_in(&machines, job, partition, nodes)
        {
            return Some(Expected::with(self.time(), selection));
        }
        let ends = std::mem::take(&mut imagined.ends);
        let holds = |(end, id): &(Time, JobId)| {
            let other = self.jobs.get(*id).filter(|other| !other.state.is_completing())?;
            other.shares_of_nodes.iter().any(|share| nodes.has(share.node)).then_some((*end, other))
        };
        let mut running = ends.iter().filter_map(holds).peekable();
        let mut window: Time = 30;
        // Those that are gone, and of whom that does not yet stand in what is imagined.
        let mut gone: Vec<&Job> = Vec::new();
        let mut expected = None;
        while let Some((end, _)) = running.peek() {
            // All that end up to the end of a window, which grows, are taken away together.
            let until = end.div_euclid(window) * window + window;
            let mut last = *end;
            while let Some((end, other)) = running.next_if(|(end, _)| *end < until) {
                let freed = |share: &NodeShare| {
                    let of = &self.usage.figures()[share.node];
                    u64::from((share.cores.count() as u32 * of.cpus_per_core).min(of.cpus))
                };
                let freed = other.shares_of_nodes.iter().filter(|share| nodes.has(share.node)).map(freed);
                most = most.saturating_add(freed.sum());
                gone.push(other);
                last = end;
            }
            window *= 2;
            if most < least {
                continue;
            }
            for other in gone.drain(..) {
                if plain && !in_full { imagined.sketch(other) } else { imagined.give_back(self, other) }
            }
            let machines = Machines { usage: &imagined.usage, ..self.machines() };
            expected = if plain && !in_full {
                outline(&machines, ask, nodes).map(|Outline { nodes, cpus }| Expected {
                    start: last,
                    nodes,
                    cpus,
                    selection: None,
                })
            } else {
                self.find_in(&machines, job, partition, nodes).map(|found| Expected::with(last, found))
            };
            if expected.is_some() {
                break;
            }
        }
        imagined.ends = ends;
        expected
    }

    /// When and with what a job could first start on `nodes`.
    pub(super) fn first_fit(
        &self,
        job: &Job,
        partition: usize,
        nodes: &Bits,
        earliest: Time,
    ) -> Option<(Time, Selection)> {
        let expected = self.will_run(&mut Imagined::new(self), job, partition, nodes, true)?;
        Some((expected.start.max(earliest), expected.selection?))
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
