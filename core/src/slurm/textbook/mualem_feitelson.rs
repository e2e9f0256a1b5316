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
                self.profile.give(now, self.starts[rank] + job.estimate, job.processors);
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
    fn compress(&mut self) {
        let mut next = self.waiting.first();
        while let Some(rank) = next {
            let Job { processors, estimate, .. } = self.jobs[rank];
            let reserved = self.starts[rank];
            if let Some(start) = self.profile.earlier(self.now, reserved, processors, estimate) {
                self.profile.give(reserved, reserved + estimate, processors);
                self.reserve(rank, start);
            }
            next = self.waiting.next(rank + 1);
        }
    }

    fn reserve(&mut self, rank: usize, start: i64) {
        let Job { processors, estimate, .. } = self.jobs[rank];
        self.profile.take(start, start + estimate, processors);
        self.starts[rank] = start;
        self.due.push(start, rank);
    }
}
