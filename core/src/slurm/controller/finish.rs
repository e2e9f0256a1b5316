//! How jobs end: by themselves, by a limit, by a command, by a lost node; and how they come back to the queue.

use super::depend::set_reason;
use super::steps::ended_as;
use super::{Action, Controller, Event};
use crate::slurm::Time;
use crate::slurm::model::{
    Bits, Job, JobBase, JobFlags, JobId, JobState, NodeFlags, NodeIdx, Reason, SIG_OOM, Step, StepId,
};
use std::time::Duration;

/// Seconds until a requeued job may start: the lifetime of a munge credential and one more (observed: 121 s).
pub(super) const REQUEUE_DELAY: Time = 121;

/// From the end of a job's processes to the message that its node is clean (observed: some tenths of a second).
const EPILOG: Duration = Duration::from_millis(50);
/// How much longer that takes with several nodes.
const EPILOG_OF_SEVERAL: Duration = Duration::from_millis(300);
/// Without a batch script nothing is left on the nodes when the command says that it is done (observed: some hundredths).
const EPILOG_OF_COMMAND: Duration = Duration::from_millis(10);

impl Controller {
    /// The batch script of a job ended on its node with an exit code, or by a signal.
    ///
    /// Answers that belong to an earlier run of the job are dropped.
    pub fn batch_ended(&mut self, id: JobId, run: u32, code: u8, signal: u8) {
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id).filter(|job| job.run == run) else { return };
        let ended_before = job.state.is_completing();
        if !ended_before && !matches!(job.state.base, JobBase::Running | JobBase::Suspended) {
            return;
        }
        if let Some(step) = job.steps.iter_mut().find(|step| step.id == StepId::Batch && step.end == 0) {
            step.end = now;
            step.exit = match signal {
                // Only seven bits of the code are kept by accounting (observed: `exit 255` is recorded as 127:0).
                0 => (code & 0x7f, 0),
                signal if ended_before => (0, signal_of_kill(signal)),
                signal => (0, signal),
            };
            if ended_before {
                job.exit = if signal == 0 { (code, 0) } else { step.exit };
            }
            // A step that a signal ended is shown as cancelled, whoever sent it (recorded: exit_codes).
            step.state = JobState::new(match signal {
                _ if ended_before => JobBase::Cancelled,
                0 | SIG_OOM => ended_as(code, signal).0,
                _ => JobBase::Cancelled,
            });
        }
        if !ended_before {
            job.exit = (code, signal);
            let special = if self.params.requeue_exit_hold.contains(&code) && code != 0 {
                Some(true)
            } else if self.params.requeue_exit.contains(&code) && code != 0 {
                Some(false)
            } else {
                None
            };
            let (base, reason) = ended_as(code, signal);
            self.begin_end(id, base, reason, special.map(|hold| (hold, hold)));
            if self.has_steps(id) {
                self.kill_processes(id);
            }
        }
        if !self.has_steps(id) {
            self.epilogs(id);
        }
    }

    /// Whether steps of a job run still: its nodes are not clean before they are gone.
    fn has_steps(&self, id: JobId) -> bool {
        self.jobs.get(id).is_some_and(|job| job.steps.iter().any(|step| step.end == 0))
    }

    /// The nodes of a job run their epilogs; then they are clean.
    pub(super) fn epilogs(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(id) else { return };
        let span = match job.completing_nodes.count() {
            _ if !job.request.batch => EPILOG_OF_COMMAND,
            0 | 1 => EPILOG,
            _ => EPILOG + EPILOG_OF_SEVERAL,
        };
        self.agenda.push(self.now + span, Event::Epilog(id, job.run));
    }

    /// All epilogs of a job are done.
    pub(super) fn epilogs_done(&mut self, id: JobId, run: u32) {
        if self.jobs.get(id).is_some_and(|job| job.run == run && job.state.is_completing()) {
            self.cleaned(id);
        }
    }

    /// Ends a job that has an allocation: its state is final, its processes are told to go, its nodes are to be cleaned.
    /// `requeue`: whether it goes back to the queue, held or not, and as SPECIAL_EXIT.
    pub(super) fn begin_end(
        &mut self,
        id: JobId,
        base: JobBase,
        reason: Reason,
        requeue: Option<(bool, bool)>,
    ) {
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id) else { return };
        if job.state.base == JobBase::Suspended {
            job.suspended_for += now - job.suspended_at;
        }
        job.state = JobState::new(base);
        job.state.flags.set(JobFlags::COMPLETING);
        if let Some((held, special)) = requeue {
            job.state.flags.set(if held { JobFlags::REQUEUE_HOLD } else { JobFlags::REQUEUE });
            if special {
                job.state.flags.set(JobFlags::SPECIAL_EXIT);
            }
        }
        set_reason(job, reason);
        job.end = now;
        job.accounted_exit = (job.exit.0 & 0x7f, job.exit.1);
        job.completing_nodes = job.nodes.clone();
        if let Some(params) = self.params.multifactor.clone() {
            self.charge(id, &params);
        }
        match base {
            JobBase::Completed => self.statistics.jobs_completed += 1,
            JobBase::Cancelled => self.statistics.jobs_canceled += 1,
            _ => self.statistics.jobs_failed += 1,
        }
        let licenses = self.jobs.get(id).map(|job| job.licenses.clone()).unwrap_or_default();
        for (name, count) in licenses {
            if let Some(license) = self.licenses.iter_mut().find(|license| license.name == name) {
                license.used = license.used.saturating_sub(count);
            }
        }
        self.touch();
    }

    /// Tells the processes of a job to end: SIGTERM, and SIGKILL after KillWait.
    pub(super) fn kill_processes(&mut self, id: JobId) {
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.kill_begun = now;
        let run = job.run;
        self.actions.push_back(Action::Signal { job: id, run, signal: 18, batch: true });
        self.actions.push_back(Action::Signal { job: id, run, signal: 15, batch: true });
        // slurmd waits for five seconds at least.
        let wait = self.params.kill_wait.max(5);
        let at = self.now + Duration::from_secs(u64::try_from(wait).unwrap_or(0));
        self.agenda.push(at, Event::KillWait(id, run));
    }

    /// SIGKILL for what outlived SIGTERM.
    pub(super) fn kill_wait_over(&mut self, id: JobId, run: u32) {
        if self.jobs.get(id).is_some_and(|job| job.run == run && job.state.is_completing()) {
            self.actions.push_back(Action::Signal { job: id, run, signal: 9, batch: true });
        }
    }

    /// All processes of a job are gone on all of its nodes: its resources are free again.
    pub(super) fn cleaned(&mut self, id: JobId) {
        let nodes: Vec<NodeIdx> =
            self.jobs.get(id).map(|job| job.completing_nodes.iter().collect()).unwrap_or_default();
        for node in nodes {
            self.nodes[node].last_response = self.time();
            self.release(id, node);
        }
        self.finish(id);
    }

    /// Takes back what a job has on one node.
    fn release(&mut self, id: JobId, node: NodeIdx) {
        let now = self.time();
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.completing_nodes.clear(node);
        let uid = job.request.uid;
        // Shares have the order of the nodes.
        if let Ok(at) = job.shares_of_nodes.binary_search_by_key(&node, |share| share.node) {
            let share = &job.shares_of_nodes[at];
            self.usage.release(&self.nodes[node], share, uid);
        }
        self.nodes[node].last_busy = now;
        if self.nodes[node].flags.has(NodeFlags::REBOOT_REQUESTED) {
            self.ask_reboots();
        }
    }

    /// Closes a job whose nodes are all clean: it is finished, or back in the queue.
    fn finish(&mut self, id: JobId) {
        let now = self.time();
        let keep = self.params.min_job_age;
        let accounting = self.params.accounting;
        let Some(job) = self.jobs.get_mut(id) else { return };
        if !job.completing_nodes.is_empty() || !job.state.is_completing() {
            return;
        }
        job.state.flags.clear(JobFlags::COMPLETING);
        self.jobs.active.remove(&id);
        self.resume_free();
        let Some(job) = self.jobs.get_mut(id) else { return };
        let preempted = job.state.base == JobBase::Preempted;
        if accounting {
            let mut record = job.clone();
            record.exit = job.accounted_exit;
            record.request.script = String::new();
            record.request.environment = Vec::new();
            self.history.push(record);
        }
        if Self::will_requeue(job) {
            back_to_queue(job, now);
            self.jobs.pending.insert(id);
        } else {
            self.jobs.keep_until(id, now + keep);
            self.ask_purge();
        }
        // What was preempted makes room for a job that waits for it: no background thread is waited for (observed).
        if preempted {
            self.schedule_soon();
        }
        self.ask_schedule();
    }

    fn ask_purge(&mut self) {
        if self.params.min_job_age > 0 && !self.purge_due {
            self.purge_due = true;
            let at = self.now + Duration::from_secs(self.params.min_job_age as u64 + 1);
            self.agenda.push(at, Event::Purge);
        }
    }

    /// Forgets records that are old enough and that no dependency needs.
    pub(super) fn purge(&mut self) {
        self.purge_due = false;
        let now = self.time();
        while let Some(&(at, id)) = self.jobs.ended.first() {
            let current = self.jobs.get(id).is_some_and(|job| job.purge_at == at);
            if current && at > now {
                self.purge_due = true;
                self.agenda.push(self.instant(at + 1), Event::Purge);
                return;
            }
            self.jobs.ended.pop_first();
            if current {
                self.jobs.remove(id);
            }
        }
    }

    /// Ends a job that waits in the queue.
    pub(super) fn cancel_pending(&mut self, id: JobId, base: JobBase, reason: Reason) {
        let now = self.time();
        let keep = self.params.min_job_age;
        let accounting = self.params.accounting;
        let Some(job) = self.jobs.get_mut(id) else { return };
        job.state = JobState::new(base);
        set_reason(job, reason);
        job.start = now;
        job.end = now;
        if base == JobBase::Deadline {
            job.exit = (1, 0);
        }
        let mut record = job.clone();
        record.purge_at = now + keep;
        self.jobs.keep_until(id, now + keep);
        self.jobs.pending.remove(&id);
        if base == JobBase::Cancelled {
            self.statistics.jobs_canceled += 1;
        }
        if accounting {
            self.history.push(record);
        }
        self.ask_purge();
        self.ask_schedule();
    }

    /// `scancel`, or another end that does not come from the job itself.
    pub(super) fn end_active(
        &mut self,
        id: JobId,
        base: JobBase,
        reason: Reason,
        requeue: Option<(bool, bool)>,
    ) {
        self.begin_end(id, base, reason, requeue);
        if self.has_steps(id) || self.jobs.get(id).is_some_and(|job| job.request.batch) {
            self.kill_processes(id);
        } else {
            self.epilogs(id);
        }
    }

    /// A node is lost: its jobs end as NODE_FAIL, or go back to the queue.
    pub(super) fn lose_node(&mut self, node: NodeIdx) {
        let jobs: Vec<JobId> =
            self.jobs.active().filter(|job| job.nodes.has(node)).map(|job| job.id).collect();
        for id in jobs {
            let Some(job) = self.jobs.get(id) else { continue };
            if job.state.is_completing() {
                self.release(id, node);
                self.finish(id);
                continue;
            }
            if job.request.no_kill && job.nodes.count() > 1 {
                continue;
            }
            let again = job.requeue && job.request.batch;
            self.begin_end(id, JobBase::NodeFail, Reason::NODE_DOWN, again.then_some((false, false)));
            let first = self.jobs.get(id).and_then(|job| job.nodes.min());
            // Nothing answers from the lost node; the others are told.
            if first == Some(node) {
                let now = self.time();
                let steps = self.jobs.get_mut(id).map(|job| &mut job.steps);
                for step in steps.into_iter().flatten().filter(|step| step.end == 0) {
                    step.state = JobState::new(JobBase::Cancelled);
                    step.end = now;
                    step.exit = Step::UNREPORTED;
                }
            }
            self.kill_processes(id);
            self.release(id, node);
            if first == Some(node) || self.jobs.get(id).is_some_and(|job| job.completing_nodes.is_empty()) {
                self.cleaned(id);
            }
        }
    }
}

fn signal_of_kill(signal: u8) -> u8 {
    if signal == 9 { 9 } else { 15 }
}

/// A job's record starts over: same id, one restart more, eligible when its old credential has expired.
pub(super) fn back_to_queue(job: &mut Job, now: Time) {
    let held = job.state.flags.has(JobFlags::REQUEUE_HOLD);
    let special = job.state.flags.has(JobFlags::SPECIAL_EXIT);
    job.state = JobState::new(JobBase::Pending);
    job.restarts += 1;
    job.submit = now;
    job.begin = now + REQUEUE_DELAY;
    job.eligible = job.begin;
    job.accrue = 0;
    job.start = 0;
    job.end = 0;
    job.suspended_at = 0;
    job.suspended_for = 0;
    job.preempt_time = 0;
    job.nodes = Bits::new();
    job.shares_of_nodes.clear();
    job.alloc_tres = None;
    job.exit = (0, 0);
    job.planned_nodes = Bits::new();
    job.steps.clear();
    if special {
        job.state.flags.set(JobFlags::SPECIAL_EXIT);
        job.priority = 0;
        set_reason(job, Reason::HELD_USER);
    } else if held {
        job.priority = 0;
        job.reason = Reason::NONE;
        job.state_desc = Some("job requeued in held state".into());
    } else {
        set_reason(job, Reason::BEGIN_TIME);
    }
}
