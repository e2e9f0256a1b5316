//! Conservative backfilling after Mu'alem and Feitelson.

use super::bits::Bits;
use super::ends::Ends;
use super::profile::Profile;
use super::{Job, Workload};

/// Gives each job a reservation when it comes, at the earliest time that is free; when a job ends before its estimate, what it had still
/// reserved comes free, and each waiting job, in order of arrival, moves to the earliest time that is free now.
pub(super) fn replay(workload: &Workload) -> Vec<i64> {
    let mut machine = MualemFeitelson::new(workload);
    while machine.step() {}
    machine.starts
}

struct MualemFeitelson<'a> {
    jobs: &'a [Job],
    /// Ranks of those that wait.
    waiting: Bits,
    /// By rank: when the job is to start, or did.
    starts: Vec<i64>,
    /// Reservations as (time, rank), of which those that were moved are stale.
    due: Ends,
    profile: Profile,
    /// The end of all that was freed since each waiting job was last asked whether it can move.
    freed: i64,
    /// The same of what was freed by jobs that ended at this instant.
    freed_by_ends: i64,
    /// At least as many as are free at any time of what was freed.
    most_freed: u32,
    ends: Ends,
    now: i64,
    arrived: usize,
}

impl<'a> MualemFeitelson<'a> {
    fn new(workload: &'a Workload) -> Self {
        Self {
            jobs: &workload.jobs,
            waiting: Bits::new(workload.jobs.len()),
            starts: vec![i64::MAX; workload.jobs.len()],
            due: Ends::default(),
            profile: Profile::new(0, workload.processors),
            freed: 0,
            freed_by_ends: 0,
            most_freed: 0,
            ends: Ends::default(),
            now: 0,
            arrived: 0,
        }
    }

    /// Goes to the next event; answers whether there was one.
    fn step(&mut self) -> bool {
        let next = self.jobs.get(self.arrived).map(|job| job.submit);
        let next = [self.ends.next(), self.due.next(), next].into_iter().flatten().min();
        let Some(now) = next else { return false };
        self.now = now;
        self.profile.advance(now);
        let mut early = false;
        while let Some(rank) = self.ends.pop(now) {
            let job = &self.jobs[rank];
            if job.run < job.estimate {
                let believed = self.starts[rank] + job.estimate;
                self.profile.give(now, believed, job.processors);
                self.freed = self.freed.max(believed);
                self.freed_by_ends = self.freed_by_ends.max(believed);
                early = true;
            }
        }
        if early {
            self.compress();
        }
        while let Some(job) = self.jobs.get(self.arrived).filter(|job| job.submit == now) {
            let start = self.profile.earliest(now, job.processors, job.estimate);
            self.waiting.insert(self.arrived);
            self.reserve(self.arrived, start);
            self.arrived += 1;
        }
        while let Some(rank) = self.due.pop(now) {
            let stale = self.starts[rank] != now;
            // One that was moved and moved back would be here twice.
            if !stale && self.waiting.remove_if_there(rank) {
                self.ends.push(now + self.jobs[rank].run, rank);
            }
        }
        true
    }

    /// Moves each waiting job to the earliest time that is free.
    ///
    /// A job that could not move when it was last asked can only move now into a place that touches what was freed since: by jobs that ended
    /// now, and by those that moved, now or the last time.
    fn compress(&mut self) {
        let (mut freed_now, mut most_now) = (self.now, 0);
        self.most_freed = self.most_freed.max(self.profile.most(self.now, self.freed_by_ends));
        let mut next = self.waiting.first();
        while let Some(rank) = next {
            next = self.waiting.next(rank + 1);
            let Job { processors, estimate, .. } = self.jobs[rank];
            if processors > self.most_freed {
                continue;
            }
            let reserved = self.starts[rank];
            let Some(start) = self.profile.earlier(self.now, reserved, self.freed, processors, estimate)
            else {
                continue;
            };
            let until = reserved + estimate;
            self.profile.give(reserved, until, processors);
            self.reserve(rank, start);
            freed_now = freed_now.max(until);
            self.freed = self.freed.max(until);
            most_now = most_now.max(self.profile.most(reserved, until));
            self.most_freed = self.most_freed.max(most_now);
        }
        (self.freed, self.most_freed) = (freed_now, most_now);
        self.freed_by_ends = self.now;
    }

    fn reserve(&mut self, rank: usize, start: i64) {
        let Job { processors, estimate, .. } = self.jobs[rank];
        self.profile.take(start, start + estimate, processors);
        self.starts[rank] = start;
        self.due.push(start, rank);
    }
}
