//! What users and administrators tell the controller about jobs that are there: cancel, hold, release, requeue, suspend.

use super::depend::set_reason;
use super::{Action, Controller};
use crate::slurm::error::SlurmError;
use crate::slurm::model::{Job, JobBase, JobId, JobState, PendingTasks, Reason};

impl Controller {
    /// All records of a job id: one for a job; for an array the waiting tasks and each task that began.
    pub fn records(&self, id: JobId) -> Vec<JobId> {
        let of_array: Vec<JobId> = self
            .jobs
            .iter()
            .filter(|job| job.array.is_some_and(|(array, _)| array == id))
            .map(|job| job.id)
            .collect();
        if of_array.is_empty() && self.jobs.get(id).is_some() { vec![id] } else { of_array }
    }

    /// The record of one task, which gets one of its own if it waits among others.
    pub(super) fn task_record(&mut self, array: JobId, task: u32) -> Option<JobId> {
        let found = self
            .jobs
            .iter()
            .find(|job| job.array == Some((array, Some(task))) && job.pending_tasks.is_none())
            .map(|job| job.id);
        if found.is_some() {
            return found;
        }
        let waiting = self
            .jobs
            .iter()
            .find(|job| {
                job.array.is_some_and(|(of, _)| of == array)
                    && job.pending_tasks.as_ref().is_some_and(|pending| pending.tasks.contains(&task))
            })
            .map(|job| job.id)?;
        let job = self.jobs.get_mut(waiting)?;
        let pending = job.pending_tasks.as_mut()?;
        pending.tasks.retain(|other| *other != task);
        if pending.tasks.is_empty() {
            job.pending_tasks = None;
            job.array = Some((array, Some(task)));
            return Some(waiting);
        }
        let mut own: Job = job.clone();
        own.pending_tasks = None;
        own.array = Some((array, Some(task)));
        own.id = self.next_id;
        self.next_id += 1;
        let id = own.id;
        self.jobs.insert(own);
        self.jobs.pending.insert(id);
        Some(id)
    }

    /// The records that a command names: a job or a whole array, or some tasks of it.
    ///
    /// # Errors
    ///
    /// [`SlurmError::InvalidJobId`] when there is none.
    pub(super) fn named(&mut self, id: JobId, tasks: Option<&[u32]>) -> Result<Vec<JobId>, SlurmError> {
        let records = match tasks {
            Some(tasks) => tasks.iter().filter_map(|task| self.task_record(id, *task)).collect(),
            None => self.records(id),
        };
        if records.is_empty() { Err(SlurmError::InvalidJobId) } else { Ok(records) }
    }

    fn may_touch(job: &Job, uid: u32) -> bool {
        uid == 0 || uid == job.request.uid
    }

    /// `scancel`: ends a job, or sends its steps a signal.
    ///
    /// # Errors
    ///
    /// No such job; not the user's; already over.
    pub fn cancel(
        &mut self,
        id: JobId,
        tasks: Option<&[u32]>,
        signal: Option<u8>,
        uid: u32,
    ) -> Result<(), SlurmError> {
        let mut result = Err(SlurmError::AlreadyDone);
        for id in self.named(id, tasks)? {
            let Some(job) = self.jobs.get(id) else { continue };
            if !Self::may_touch(job, uid) {
                return Err(SlurmError::AccessDenied);
            }
            if job.state.is_finished() {
                continue;
            }
            result = Ok(());
            let run = job.run;
            match (job.state.base, signal) {
                (JobBase::Pending, None | Some(9 | 15)) => {
                    let reason = job.reason;
                    let keep = if matches!(reason, Reason::HELD_USER | Reason::HELD_ADMIN) {
                        reason
                    } else {
                        Reason::NONE
                    };
                    self.cancel_pending(id, JobBase::Cancelled, keep);
                    if let Some(job) = self.jobs.get_mut(id) {
                        job.cancelled_by = Some(uid);
                    }
                    if let Some(record) = self.history.iter_mut().rev().find(|job| job.id == id) {
                        record.cancelled_by = Some(uid);
                    }
                }
                (JobBase::Pending, Some(_)) => return Err(SlurmError::JobPending),
                (_, None) => {
                    if let Some(job) = self.jobs.get_mut(id) {
                        job.cancelled_by = Some(uid);
                    }
                    self.end_active(id, JobBase::Cancelled, Reason::NONE, None);
                }
                (_, Some(9)) => {
                    if let Some(job) = self.jobs.get_mut(id) {
                        job.cancelled_by = Some(uid);
                    }
                    self.begin_end(id, JobBase::Cancelled, Reason::NONE, None);
                    self.actions.push_back(Action::Signal { job: id, run, signal: 9, batch: true });
                }
                (_, Some(signal)) => {
                    self.actions.push_back(Action::Signal { job: id, run, signal, batch: false });
                }
            }
        }
        result
    }

    /// `scancel --signal` with `--batch` (the batch shell alone) or `--full` (the batch shell, all that it started, and
    /// the steps).
    ///
    /// # Errors
    ///
    /// No such job; not the user's; it waits; already over.
    pub fn signal_script(
        &mut self,
        id: JobId,
        tasks: Option<&[u32]>,
        signal: u8,
        full: bool,
        uid: u32,
    ) -> Result<(), SlurmError> {
        let mut result = Err(SlurmError::AlreadyDone);
        for id in self.named(id, tasks)? {
            let Some(job) = self.jobs.get(id) else { continue };
            if !Self::may_touch(job, uid) {
                return Err(SlurmError::AccessDenied);
            }
            if job.state.is_finished() {
                continue;
            }
            if job.state.base == JobBase::Pending {
                return Err(SlurmError::JobPending);
            }
            result = Ok(());
            let run = job.run;
            self.actions.push_back(if full {
                Action::Signal { job: id, run, signal, batch: true }
            } else {
                Action::SignalBatch { job: id, run, signal }
            });
        }
        result
    }

    /// `scontrol hold` and `uhold`.
    ///
    /// # Errors
    ///
    /// No such job; not the user's; not waiting.
    pub fn hold(
        &mut self,
        id: JobId,
        tasks: Option<&[u32]>,
        uid: u32,
        as_user: bool,
    ) -> Result<(), SlurmError> {
        for id in self.named(id, tasks)? {
            let Some(job) = self.jobs.get(id) else { continue };
            if !Self::may_touch(job, uid) {
                return Err(SlurmError::AccessDenied);
            }
            if job.state.base != JobBase::Pending {
                if job.state.is_finished() {
                    return Err(SlurmError::AlreadyDone);
                }
                return Err(SlurmError::NotPending);
            }
            let admin = uid == 0 && !as_user;
            let Some(job) = self.jobs.get_mut(id) else { continue };
            job.priority = 0;
            job.eligible = 0;
            job.accrue = 0;
            set_reason(job, if admin { Reason::HELD_ADMIN } else { Reason::HELD_USER });
        }
        self.touch();
        Ok(())
    }

    /// `scontrol release`.
    ///
    /// # Errors
    ///
    /// No such job; not the user's, or held by an administrator.
    pub fn release_hold(&mut self, id: JobId, tasks: Option<&[u32]>, uid: u32) -> Result<(), SlurmError> {
        for id in self.named(id, tasks)? {
            let Some(job) = self.jobs.get(id) else { continue };
            if !Self::may_touch(job, uid) || (uid != 0 && job.reason == Reason::HELD_ADMIN) {
                return Err(SlurmError::AccessDenied);
            }
            if job.state.is_finished() {
                return Err(SlurmError::AlreadyDone);
            }
            if job.state.base != JobBase::Pending {
                return Err(SlurmError::NotPending);
            }
            if job.priority != 0 {
                continue;
            }
            let Some(job) = self.jobs.get_mut(id) else { continue };
            job.direct_priority = false;
            job.state = JobState::new(JobBase::Pending);
            set_reason(job, Reason::NONE);
            self.set_priority(id);
            // What keeps it now, if something does.
            self.is_independent(id);
        }
        self.ask_schedule();
        Ok(())
    }

    /// `scontrol requeue`, `requeuehold`.
    ///
    /// # Errors
    ///
    /// No such job; not the user's; may not be requeued.
    pub fn requeue(
        &mut self,
        id: JobId,
        tasks: Option<&[u32]>,
        uid: u32,
        hold: bool,
    ) -> Result<(), SlurmError> {
        for id in self.named(id, tasks)? {
            let Some(job) = self.jobs.get(id) else { continue };
            if !Self::may_touch(job, uid) {
                return Err(SlurmError::AccessDenied);
            }
            if !job.request.batch || (!job.requeue && uid != 0) {
                return Err(SlurmError::Disabled);
            }
            match job.state.base {
                JobBase::Pending => return Err(SlurmError::JobPending),
                JobBase::Running | JobBase::Suspended if !job.state.is_completing() => {
                    // Its accounting record says REQUEUED; the state is kept until the nodes are clean.
                    self.end_active(id, JobBase::Completed, Reason::NONE, Some((hold, false)));
                }
                _ if job.state.is_completing() => return Err(SlurmError::AlreadyDone),
                _ => self.requeue_finished(id, hold),
            }
        }
        Ok(())
    }

    fn requeue_finished(&mut self, id: JobId, hold: bool) {
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.state.flags.set(if hold {
            crate::slurm::model::JobFlags::REQUEUE_HOLD
        } else {
            crate::slurm::model::JobFlags::REQUEUE
        });
        job.purge_at = 0;
        super::finish::back_to_queue(job, now);
        self.jobs.pending.insert(id);
        self.ask_schedule();
    }

    /// `scontrol suspend`.
    ///
    /// # Errors
    ///
    /// No such job; only root and the user's operator may; not running.
    pub fn suspend_job(&mut self, id: JobId, uid: u32) -> Result<(), SlurmError> {
        // A job that is not known is noticed before who asks (recorded: bad_inputs).
        let named = self.named(id, None)?;
        if uid != 0 {
            return Err(SlurmError::AccessDenied);
        }
        for id in named {
            let Some(job) = self.jobs.get(id) else { continue };
            match job.state.base {
                JobBase::Pending => return Err(SlurmError::JobPending),
                JobBase::Running if !job.state.is_completing() => {
                    self.suspend(id, false);
                    if let Some(job) = self.jobs.get_mut(id) {
                        // A suspended job's priority shows as 0 (observed).
                        job.priority = 0;
                    }
                }
                _ if job.state.is_finished() => return Err(SlurmError::AlreadyDone),
                _ => return Err(SlurmError::NotRunning),
            }
        }
        Ok(())
    }

    /// `scontrol resume`.
    ///
    /// # Errors
    ///
    /// No such job; only root may; not suspended.
    pub fn resume_job(&mut self, id: JobId, uid: u32) -> Result<(), SlurmError> {
        let named = self.named(id, None)?;
        if uid != 0 {
            return Err(SlurmError::AccessDenied);
        }
        for id in named {
            let Some(job) = self.jobs.get(id) else { continue };
            if job.state.base != JobBase::Suspended {
                return Err(SlurmError::NotSuspended);
            }
            self.resume(id);
            self.set_priority(id);
        }
        Ok(())
    }

    /// Waiting tasks of a record, for displays.
    pub fn waiting_tasks(job: &Job) -> Option<&PendingTasks> {
        job.pending_tasks.as_ref()
    }
}
