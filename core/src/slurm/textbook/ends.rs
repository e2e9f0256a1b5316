//! When the jobs that run really end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The ends of running jobs, the earliest first. The scheduler of a policy never looks at them.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    heap: BinaryHeap<Reverse<(i64, u32)>>,
}

impl Ends {
    /// A job runs until `end`.
    pub fn push(&mut self, end: i64, rank: usize) {
        // A workload has fewer jobs than 2^32.
        self.heap.push(Reverse((end, rank as u32)));
    }

    /// The earliest end.
    pub fn next(&self) -> Option<i64> {
        self.heap.peek().map(|Reverse((end, _))| *end)
    }

    /// Takes a job that has ended by `now`.
    pub fn pop(&mut self, now: i64) -> Option<usize> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, rank))| rank as usize)
    }

    /// The next instant at which a job ends or, if there is one to come, is submitted.
    pub fn next_event(&self, next_submit: Option<i64>) -> Option<i64> {
        match (self.next(), next_submit) {
            (Some(end), Some(submit)) => Some(end.min(submit)),
            (end, submit) => end.or(submit),
        }
    }
}
