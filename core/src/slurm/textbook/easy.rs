//! EASY backfilling.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::ends::Ends;
use super::queue::{Order, Queue};
use super::releases::Releases;
use super::{Job, Workload};

/// Starts the head when it fits, and others that do not delay it.
pub(super) fn replay(workload: &Workload, order: Order) -> Vec<i64> {
    let mut easy = Easy::new(workload, order);
    while easy.step() {}
    easy.starts
}

/// What the head waits for.
#[derive(Clone, Copy, Debug)]
struct Reservation {
    /// When it can start, if every running job takes as long as was estimated.
    shadow: i64,
    /// Processors that will be free then beside those that it takes.
    extra: u32,
}

struct Easy<'a> {
    jobs: &'a [Job],
    queue: Queue,
    /// Position of each rank, where these are not the same.
    positions: Option<Vec<u32>>,
    ends: Ends,
    releases: Releases,
    free: u32,
    now: i64,
    arrived: usize,
    starts: Vec<i64>,
    /// The head's, if it is known. It holds as long as the head is the same and no job ends: a job that passes takes either nothing of
    /// what the head needs, or some of the extra processors, which is taken off here.
    reservation: Option<Reservation>,
    /// Kept for its memory: the next of each class that may pass, the first in order on top.
    candidates: BinaryHeap<Reverse<(usize, usize)>>,
    /// Kept for its memory: positions of those that came at this instant.
    newcomers: Vec<usize>,
}

impl<'a> Easy<'a> {
    fn new(workload: &'a Workload, order: Order) -> Self {
        let queue = Queue::new(workload, order);
        Self {
            jobs: &workload.jobs,
            positions: queue.positions(),
            queue,
            ends: Ends::default(),
            releases: Releases::default(),
            free: workload.processors,
            now: 0,
            arrived: 0,
            starts: vec![0; workload.jobs.len()],
            reservation: None,
            candidates: BinaryHeap::new(),
            newcomers: Vec::new(),
        }
    }

    /// Goes to the next event; answers whether there was one.
    fn step(&mut self) -> bool {
        let next = self.jobs.get(self.arrived).map(|job| job.submit);
        let Some(now) = self.ends.next_event(next) else { return false };
        self.now = now;
        let mut ended = false;
        while let Some(rank) = self.ends.pop(now) {
            let job = &self.jobs[rank];
            self.free += job.processors;
            self.releases.remove(self.starts[rank] + job.estimate, job.processors);
            ended = true;
        }
        self.newcomers.clear();
        while self.jobs.get(self.arrived).is_some_and(|job| job.submit == now) {
            let rank = self.arrived;
            self.newcomers.push(self.positions.as_ref().map_or(rank, |positions| positions[rank] as usize));
            self.arrived += 1;
        }
        if self.positions.is_some() {
            self.newcomers.sort_unstable();
        }
        let head = self.queue.first();
        if !ended && head.is_some() && self.newcomers.first().copied() > head {
            self.try_newcomers();
            return true;
        }
        for at in 0..self.newcomers.len() {
            let position = self.newcomers[at];
            // Nobody waits before it, so it need not be put in the queue to be taken out of it.
            if self.queue.is_empty() && self.jobs[self.queue.rank(position)].processors <= self.free {
                self.start(self.queue.rank(position));
            } else {
                self.wait(position);
            }
        }
        if !self.queue.is_empty() {
            self.pass();
        }
        true
    }

    /// The head waits as before, and who waits behind it could not pass and still cannot: only those who came now are looked at.
    fn try_newcomers(&mut self) {
        for at in 0..self.newcomers.len() {
            let position = self.newcomers[at];
            let rank = self.queue.rank(position);
            if !self.try_to_pass(rank) {
                self.wait(position);
            }
        }
    }

    /// The whole queue is looked at.
    fn pass(&mut self) {
        self.reservation = None;
        while let Some(head) = self.queue.first() {
            let rank = self.queue.rank(head);
            if self.jobs[rank].processors > self.free {
                self.backfill();
                return;
            }
            self.queue.remove(head);
            self.start(rank);
        }
    }

    /// Starts those behind the head that do not delay it, in order.
    ///
    /// The head itself is none of them, as it asks for more than is free. A class whose first candidate was refused for want of
    /// processors is over for this pass, as these only become fewer.
    fn backfill(&mut self) {
        if self.free == 0 || self.queue.classes_within(self.free).next().is_none() {
            return;
        }
        let Some(Reservation { shadow, extra }) = self.reservation() else { return };
        self.candidates.clear();
        for class in self.queue.classes_within(self.free) {
            let limit = if self.queue.processors(class) <= extra { i64::MAX - 1 } else { shadow - self.now };
            if self.queue.shortest(class) <= limit
                && let Some(position) = self.queue.first_within(class, limit)
            {
                self.candidates.push(Reverse((position, class)));
            }
        }
        while let Some(Reverse((position, class))) = self.candidates.pop() {
            let processors = self.queue.processors(class);
            if processors > self.free {
                continue;
            }
            let rank = self.queue.rank(position);
            if self.try_to_pass(rank) {
                self.queue.remove(position);
            }
            let Some(Reservation { shadow, extra }) = self.reservation() else { return };
            let limit = if processors <= extra { i64::MAX - 1 } else { shadow - self.now };
            if processors <= self.free
                && let Some(position) = self.queue.first_within(class, limit)
            {
                self.candidates.push(Reverse((position, class)));
            }
        }
    }

    /// Starts a job that is not the head, if it fits and does not delay the head.
    fn try_to_pass(&mut self, rank: usize) -> bool {
        let Job { processors, estimate, .. } = self.jobs[rank];
        if processors > self.free {
            return false;
        }
        let Some(Reservation { shadow, extra }) = self.reservation() else { return false };
        if self.now + estimate > shadow {
            if processors > extra {
                return false;
            }
            self.reservation = Some(Reservation { shadow, extra: extra - processors });
        }
        self.start(rank);
        true
    }

    /// The head's reservation; none if nobody waits.
    fn reservation(&mut self) -> Option<Reservation> {
        if self.reservation.is_none() {
            let head = self.queue.rank(self.queue.first()?);
            // It does not fit, and it is not wider than the machine: some run, and all together free enough.
            let wanted = self.jobs[head].processors.checked_sub(self.free)?;
            let (shadow, freed) = self.releases.when(wanted)?;
            self.reservation = Some(Reservation { shadow, extra: freed - wanted });
        }
        self.reservation
    }

    fn wait(&mut self, position: usize) {
        self.queue.insert(position, self.jobs[self.queue.rank(position)].estimate);
    }

    fn start(&mut self, rank: usize) {
        let job = &self.jobs[rank];
        self.free -= job.processors;
        self.releases.add(self.now + job.estimate, job.processors);
        self.ends.push(self.now + job.run, rank);
        self.starts[rank] = self.now;
    }
}
