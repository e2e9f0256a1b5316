//! Conservative backfilling, planned anew at every event.

use super::ends::Ends;
use super::profile::Profile;
use super::queue::{Order, Queue};
use super::releases::Releases;
use super::stretches::Stretches;
use super::{Job, Workload};

/// So many jobs are planned in order before those behind them are looked at; then twice as many. Few in tests, whose queues are short.
const BATCH: usize = if cfg!(test) { 2 } else { 32 };
/// Jobs planned in order for one that is planned out of order, which takes longer.
const IN_ORDER: usize = 8;

/// Plans the whole queue at every event in order of arrival, each job at the earliest time at which it delays nobody before it, and
/// starts those whose time is now.
///
/// That is what is decided; it is not what is done. A plan is only made as far as it can matter: up to the last job that could
/// start now. And it holds until a job ends before its estimate, as until then nothing is free that was not counted on.
pub(super) fn replay(workload: &Workload) -> Vec<i64> {
    let mut conservative = Conservative::new(workload);
    while conservative.step() {}
    conservative.starts
}

struct Conservative<'a> {
    jobs: &'a [Job],
    /// Those that wait and have no place in the plan.
    queue: Queue,
    /// Places in the plan of those that wait: when they start, and who.
    planned: Vec<(i64, usize)>,
    /// What is left free by the jobs that run and the planned ones; none if it was not needed since a job ended early.
    plan: Option<Profile>,
    /// The largest estimate of all.
    longest: i64,
    /// Kept for its memory.
    stretches: Stretches,
    ends: Ends,
    releases: Releases,
    free: u32,
    now: i64,
    arrived: usize,
    starts: Vec<i64>,
}

impl<'a> Conservative<'a> {
    fn new(workload: &'a Workload) -> Self {
        Self {
            jobs: &workload.jobs,
            queue: Queue::new(workload, Order::Arrival),
            planned: Vec::new(),
            plan: None,
            longest: workload.jobs.iter().map(|job| job.estimate).max().unwrap_or(0),
            stretches: Stretches::default(),
            ends: Ends::default(),
            releases: Releases::default(),
            free: workload.processors,
            now: 0,
            arrived: 0,
            starts: vec![0; workload.jobs.len()],
        }
    }

    /// Goes to the next event; answers whether there was one.
    fn step(&mut self) -> bool {
        let next = self.jobs.get(self.arrived).map(|job| job.submit);
        let Some(now) = self.ends.next_event(next) else { return false };
        self.now = now;
        let mut early = false;
        while let Some(rank) = self.ends.pop(now) {
            let job = &self.jobs[rank];
            self.free += job.processors;
            self.releases.remove(self.starts[rank] + job.estimate, job.processors);
            early |= job.run < job.estimate;
        }
        if early {
            self.forget_the_plan();
        }
        while let Some(job) = self.jobs.get(self.arrived).filter(|job| job.submit == now) {
            self.queue.insert(self.arrived, job.estimate);
            self.arrived += 1;
        }
        self.start_those_planned_for_now();
        self.plan_as_far_as_it_matters();
        true
    }

    fn forget_the_plan(&mut self) {
        self.plan = None;
        for (_, rank) in self.planned.drain(..) {
            self.queue.insert(rank, self.jobs[rank].estimate);
        }
    }

    fn start_those_planned_for_now(&mut self) {
        let mut at = 0;
        while let Some((start, rank)) = self.planned.get(at).copied() {
            debug_assert!(start >= self.now, "nobody is planned for an instant without an event");
            if start == self.now {
                self.planned.swap_remove(at);
                self.start(rank);
            } else {
                at += 1;
            }
        }
        if let Some(plan) = &mut self.plan {
            plan.advance(self.now);
        }
    }

    /// Plans jobs in order of arrival while one that has no place yet could start now.
    ///
    /// Whether one could is asked of the shortest of each class: if what is left free does not hold it, it holds none of its class, and
    /// as planning leaves less and less free, the class need not be asked again.
    fn plan_as_far_as_it_matters(&mut self) {
        let mut class = self.queue.classes_within(self.free).next();
        let (mut planned, mut batch) = (0, BATCH);
        while let Some(asked) = class {
            let (processors, estimate) = (self.queue.processors(asked), self.queue.shortest(asked));
            let could = processors <= self.free
                && estimate < i64::MAX
                && self.plan.as_ref().is_none_or(|plan| plan.fits(self.now, processors, estimate));
            if !could {
                class = self.queue.classes_within(self.free).find(|class| *class > asked);
            } else if planned < batch {
                self.plan_next();
                planned += 1;
            } else {
                self.plan_out_of_order(batch.div_ceil(IN_ORDER));
                (planned, batch) = (0, batch * 2);
            }
        }
    }

    /// Plans those that have a place soon, past others that have not, as long as it is certain that the others are not in their way.
    ///
    /// Let the window be the time from now that any job could take which could start now. A job for which there is no place that begins
    /// in the window gets one after it. If the first job for which there is one lies in the window with its end too, then
    /// those before it cannot touch it, and its place is known without theirs; and they will find theirs as if it were not there.
    fn plan_out_of_order(&mut self, most: usize) {
        for _ in 0..most {
            let Some(plan) = &self.plan else { return };
            self.stretches.find(plan, self.now, self.now + 1, self.longest);
            let could_start = self
                .queue
                .classes_within(self.stretches.most())
                .map(|class| (self.queue.shortest(class), self.stretches.of(self.queue.processors(class))))
                .filter(|(shortest, stretch)| shortest <= stretch);
            let Some(window) = could_start.map(|(_, stretch)| stretch.min(self.longest)).max() else {
                return;
            };
            let until = self.now + window;
            self.stretches.find(plan, self.now, until, self.longest);
            let soon = self.queue.classes_within(self.stretches.most()).filter_map(|class| {
                let stretch = self.stretches.of(self.queue.processors(class));
                self.queue.first_within(class, stretch.min(self.longest))
            });
            let Some(rank) = soon.min() else { return };
            let Job { processors, estimate, .. } = self.jobs[rank];
            let start = plan.earliest(self.now, processors, estimate);
            if start + estimate > until {
                return;
            }
            self.place(rank, start);
        }
    }

    fn plan_next(&mut self) {
        let Some(rank) = self.queue.first() else { return };
        let Job { processors, estimate, .. } = self.jobs[rank];
        let plan = self
            .plan
            .get_or_insert_with(|| Profile::with_releases(self.now, self.free, self.releases.iter()));
        let start = plan.earliest(self.now, processors, estimate);
        self.place(rank, start);
    }

    fn place(&mut self, rank: usize, start: i64) {
        let Job { processors, estimate, .. } = self.jobs[rank];
        if let Some(plan) = &mut self.plan {
            plan.take(start, start + estimate, processors);
        }
        self.queue.remove(rank);
        if start == self.now {
            self.start(rank);
        } else {
            self.planned.push((start, rank));
        }
    }

    fn start(&mut self, rank: usize) {
        let job = &self.jobs[rank];
        self.free -= job.processors;
        self.releases.add(self.now + job.estimate, job.processors);
        self.ends.push(self.now + job.run, rank);
        self.starts[rank] = self.now;
    }
}
