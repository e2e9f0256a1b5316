//! The table of job records: found by id in constant time, walked in the order of ids.

use std::collections::{BTreeSet, VecDeque};

use crate::slurm::model::{Job, JobId};

/// Job records by id. Ids rise, so that a ring of slots does.
#[derive(Clone, Debug, Default)]
pub struct JobTable {
    base: JobId,
    slots: VecDeque<Option<Box<Job>>>,
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
        self.slots.iter().filter(|slot| slot.is_some()).count()
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
        self.slots[at] = Some(Box::new(job));
    }

    /// Forgets a record.
    pub(super) fn remove(&mut self, id: JobId) {
        self.pending.remove(&id);
        self.active.remove(&id);
        if let Some(slot) = id.checked_sub(self.base).and_then(|at| self.slots.get_mut(at as usize)) {
            *slot = None;
        }
        while self.slots.front().is_some_and(Option::is_none) {
            self.slots.pop_front();
            self.base += 1;
        }
    }
}
