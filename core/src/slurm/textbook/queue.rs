//! The jobs that wait.

use super::Workload;
use super::bits::Bits;
use super::min_tree::MinTree;

/// In which order jobs wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As they came: by rank.
    Arrival,
    /// The smallest estimate first, then by rank.
    ShortestFirst,
}

/// The queue: its head, and who in it fits.
///
/// A job has a *position*, its place in the order among all jobs of the workload, whether they wait or not; so nothing moves
/// when a job comes or goes. Jobs that ask for equally many processors are a *class*. For each class a tree tells the
/// first in order whose estimate is short enough, so a search costs the classes that have one, not the length of the queue.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    /// Rank of each position; none when positions are ranks.
    ranks: Option<Vec<u32>>,
    waiting: Bits,
    /// By position: class, and slot in it.
    places: Vec<(u32, u32)>,
    /// Classes by rising number of processors.
    classes: Vec<Class>,
    /// Which classes have a job that waits.
    filled: Bits,
}

#[derive(Clone, Debug)]
struct Class {
    processors: u32,
    estimates: MinTree,
    /// The position of each slot.
    positions: Vec<u32>,
}

impl Queue {
    /// An empty queue for the jobs of a workload.
    pub fn new(workload: &Workload, order: Order) -> Self {
        let jobs = &workload.jobs;
        let ranks = (order == Order::ShortestFirst).then(|| {
            // Ranks are below 2^32, as the workload says.
            let mut ranks: Vec<u32> = (0..jobs.len() as u32).collect();
            ranks.sort_by_key(|rank| jobs[*rank as usize].estimate);
            ranks
        });
        let rank_at = |position: usize| ranks.as_ref().map_or(position, |ranks| ranks[position] as usize);
        let mut widths: Vec<u32> = jobs.iter().map(|job| job.processors).collect();
        widths.sort_unstable();
        widths.dedup();
        let mut positions: Vec<Vec<u32>> = vec![Vec::new(); widths.len()];
        let mut places = Vec::with_capacity(jobs.len());
        for position in 0..jobs.len() {
            let width = jobs[rank_at(position)].processors;
            let class = widths.partition_point(|other| *other < width);
            places.push((class as u32, positions[class].len() as u32));
            positions[class].push(position as u32);
        }
        let classes = widths
            .into_iter()
            .zip(positions)
            .map(|(processors, positions)| Class {
                processors,
                estimates: MinTree::new(positions.len()),
                positions,
            })
            .collect::<Vec<_>>();
        let filled = Bits::new(classes.len());
        Self { ranks, waiting: Bits::new(jobs.len()), places, classes, filled }
    }

    /// The positions of ranks, where these are not the same.
    pub fn positions(&self) -> Option<Vec<u32>> {
        let ranks = self.ranks.as_ref()?;
        let mut positions = vec![0; ranks.len()];
        for (position, rank) in (0_u32..).zip(ranks) {
            positions[*rank as usize] = position;
        }
        Some(positions)
    }

    /// The rank of a position.
    pub fn rank(&self, position: usize) -> usize {
        self.ranks.as_ref().map_or(position, |ranks| ranks[position] as usize)
    }

    /// A job begins to wait.
    pub fn insert(&mut self, position: usize, estimate: i64) {
        let (class, slot) = self.places[position];
        self.waiting.insert(position);
        self.classes[class as usize].estimates.insert(slot as usize, estimate);
        self.filled.insert(class as usize);
    }

    /// A job waits no longer.
    pub fn remove(&mut self, position: usize) {
        let (class, slot) = self.places[position];
        self.waiting.remove(position);
        let estimates = &mut self.classes[class as usize].estimates;
        estimates.remove(slot as usize);
        if estimates.min() == i64::MAX {
            self.filled.remove(class as usize);
        }
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The position of the head.
    pub fn first(&self) -> Option<usize> {
        self.waiting.first()
    }

    /// The classes that have a job which waits, by rising number of processors up to `free`.
    pub fn classes_within(&self, free: u32) -> impl Iterator<Item = usize> {
        std::iter::successors(self.filled.first(), |class| self.filled.next(class + 1))
            .take_while(move |class| self.classes[*class].processors <= free)
    }

    /// Processors of a class.
    pub fn processors(&self, class: usize) -> u32 {
        self.classes[class].processors
    }

    /// The smallest estimate of a class.
    pub fn shortest(&self, class: usize) -> i64 {
        self.classes[class].estimates.min()
    }

    /// The position of the first job of a class whose estimate is at most `limit`.
    pub fn first_within(&self, class: usize, limit: i64) -> Option<usize> {
        let class = &self.classes[class];
        class.estimates.first_within(limit).map(|slot| class.positions[slot] as usize)
    }
}
