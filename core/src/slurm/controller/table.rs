//! The table of job records: found by id in constant time, walked in the order of ids.

use std::collections::{BTreeSet, VecDeque};

use crate::slurm::Time;
use crate::slurm::model::{Job, JobId};

/// Job records by id. Ids rise, so that a ring of slots does.
#[derive(Clone, Debug, Default)]
pub struct JobTable {
    base: JobId,
    slots: VecDeque<Option<Box<Job>>>,
    /// How many slots hold a record.
    records: usize,
    /// Jobs that are over, by the time from which their records may be forgotten; one that was started again since has
    /// another time in its record, or none.
    pub(super) ended: BTreeSet<(Time, JobId)>,
    /// Jobs that wait in the queue.
    pub(super) pending: BTreeSet<JobId>,
    /// Jobs that have an allocation: running, suspended or being cleaned up.
    pub(super) active: BTreeSet<JobId>,
}

impl JobTable {
    /// The record of a job.
    pub fn get(&self, id: JobId) -> Option<&Job> {
        self.slots.get(id.checked_sub(self.base)? as usize)?.as_deref()
    }

    /// The record of a job, to change it.
    pub fn get_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.slots.get_mut(id.checked_sub(self.base)? as usize)?.as_deref_mut()
    }

    /// All records, by rising id.
    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.slots.iter().filter_map(Option::as_deref)
    }

    /// Jobs that wait in the queue.
    pub fn pending(&self) -> impl Iterator<Item = &Job> {
        self.pending.iter().filter_map(|id| self.get(*id))
    }

    /// Jobs that have an allocation.
    pub fn active(&self) -> impl Iterator<Item = &Job> {
        self.active.iter().filter_map(|id| self.get(*id))
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a record; its id is larger than all before.
    pub(super) fn insert(&mut self, job: Job) {
        if self.slots.is_empty() {
            self.base = job.id;
        }
        let at = (job.id - self.base) as usize;
        while self.slots.len() <= at {
            self.slots.push_back(None);
        }
        let before = self.slots[at].replace(Box::new(job));
        self.records += usize::from(before.is_none());
    }

    /// The record of a job that is over may be forgotten from `at` on.
    pub(super) fn keep_until(&mut self, id: JobId, at: Time) {
        if let Some(job) = self.get_mut(id) {
            job.purge_at = at;
            if at != 0 {
                self.ended.insert((at, id));
            }
        }
    }

    /// Forgets a record.
    pub(super) fn remove(&mut self, id: JobId) {
        self.pending.remove(&id);
        self.active.remove(&id);
        if let Some(slot) = id.checked_sub(self.base).and_then(|at| self.slots.get_mut(at as usize)) {
            self.records -= usize::from(slot.take().is_some());
        }
        while self.slots.front().is_some_and(Option::is_none) {
            self.slots.pop_front();
            self.base += 1;
        }
    }
}
