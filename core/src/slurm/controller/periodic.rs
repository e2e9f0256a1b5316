//! What happens by the clock: passes, time limits, priorities.
//!
//! slurmctld's threads sleep and look again; here each look is an event at the instant at which the thread would look.
//! Phases are observed: the background thread ticks at full seconds, backfill half a second later; time limits are
//! looked at every 30 s counted from one second after the start, the whole queue every `sched_interval` from the start.

use std::time::Duration;

use super::{Action, Controller, Event};
use crate::sim::SimTime;
use crate::slurm::Time;
use crate::slurm::model::{JobBase, JobId, NodeBase, Reason};

/// Time between looks at time limits (`PERIODIC_TIMEOUT`).
const TIME_LIMIT_INTERVAL: Time = 30;

impl Controller {
    pub(super) fn start_clocks(&mut self) {
        let boot = self.boot;
        self.last_schedule = boot - self.params.scheduler.batch_sched_delay;
        let at = self.tick_of(boot + self.params.scheduler.sched_interval);
        self.agenda.push(at, Event::FullSchedule);
        let at = self.tick_of(boot + 1 + TIME_LIMIT_INTERVAL);
        self.agenda.push(at, Event::TimeLimits);
        if let Some(params) = &self.params.multifactor {
            let at = self.instant(boot + 1 + params.calc_period.max(1));
            self.agenda.push(at, Event::Priorities);
        }
        if self.params.gang {
            let at = self.instant(boot + self.params.time_slice.max(1));
            self.agenda.push(at, Event::Slice);
        }
        self.first_ping();
    }

    /// The main scheduler had passed over the queue at an instant of the past, the background thread ticks that far into
    /// each second, and so many seconds late it passes over the whole queue (its second sleeps are a little longer than
    /// seconds): a recording of a controller that had been running.
    pub(crate) fn had_been_running(&mut self, last_pass: Time, tick: Duration, full_late: Time) {
        self.last_schedule = last_pass;
        self.tick = tick;
        self.full_late = full_late;
    }

    /// The tick of the background thread in a second.
    pub(super) fn tick_of(&self, second: Time) -> SimTime {
        self.instant(second) + self.tick
    }

    /// The next tick of the background thread.
    pub(super) fn next_tick(&self) -> SimTime {
        let next = self.tick_of(self.time());
        if next >= self.now { next } else { self.tick_of(self.time() + 1) }
    }

    /// Half a second into a second.
    pub(super) fn half_past(&self, second: Time) -> SimTime {
        self.instant(second) + Duration::from_millis(500)
    }

    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Schedule => {
                self.schedule_asked = false;
                self.last_schedule = self.time();
                self.schedule_pass(self.params.scheduler.default_queue_depth);
            }
            Event::EpilogSchedule => {
                self.epilog_pass = false;
                self.schedule_pass(self.params.scheduler.default_queue_depth);
            }
            Event::FullSchedule if self.full_late > 0 => {
                let late = std::mem::take(&mut self.full_late);
                self.agenda.push(self.tick_of(self.time() + late), Event::FullSchedule);
            }
            Event::FullSchedule => {
                self.last_schedule = self.time();
                let next = self.time() + self.params.scheduler.sched_interval.max(1);
                self.agenda.push(self.tick_of(next), Event::FullSchedule);
                if !self.jobs.pending.is_empty() {
                    self.schedule_pass(usize::MAX);
                }
            }
            Event::Backfill => self.backfill_due_now(),
            Event::BackfillAgain => {
                self.changed = true;
                self.backfill_due_now();
            }
            Event::TimeLimits => {
                let next = self.time() + TIME_LIMIT_INTERVAL;
                self.agenda.push(self.tick_of(next), Event::TimeLimits);
                self.check_time_limits();
            }
            Event::Priorities => {
                let period = self.params.multifactor.as_ref().map_or(300, |params| params.calc_period.max(1));
                let next = self.time() + period;
                self.agenda.push(self.instant(next), Event::Priorities);
                self.recalculate();
            }
            Event::Epilog(job, run) => self.epilogs_done(job, run),
            Event::KillWait(job, run) => self.kill_wait_over(job, run),
            Event::Purge => self.purge(),
            Event::Slice => {
                let next = self.time() + self.params.time_slice.max(1);
                self.agenda.push(self.instant(next), Event::Slice);
                self.next_slice();
            }
            Event::Ping => self.ping_nodes(),
            Event::PingsAnswered => self.pings_answered(),
            Event::Reservation => self.reservations_changed(),
            Event::Return(node) => self.heard_from(node),
            Event::Reboots => self.issue_reboots(),
            Event::RebootLate(node) => self.reboot_late(node),
        }
    }

    /// Ends jobs that are over their limit; warns those that asked for a signal before it.
    fn check_time_limits(&mut self) {
        let now = self.time();
        let over_time = i64::from(self.params.over_time_limit) * 60;
        let ids: Vec<JobId> = self.jobs.active.iter().copied().collect();
        for id in ids {
            let Some(job) = self.jobs.get_mut(id) else { continue };
            if job.state.is_completing() || job.state.base != JobBase::Running || job.end == 0 {
                continue;
            }
            if let Some((signal, before, batch)) = job.request.signal
                && !job.warned
                && now + i64::from(before) >= job.end
            {
                job.warned = true;
                let run = job.run;
                self.actions.push_back(if batch {
                    Action::SignalBatch { job: id, run, signal }
                } else {
                    Action::Signal { job: id, run, signal, batch: false }
                });
            }
            let Some(job) = self.jobs.get(id) else { continue };
            if job.preempt_time != 0 {
                if now >= job.end {
                    let again = job.preempt_requeue.then_some((false, false));
                    self.end_active(id, JobBase::Preempted, Reason::NONE, again);
                }
                continue;
            }
            let extra = self.partitions[job.partition]
                .over_time_limit
                .map_or(over_time, |minutes| i64::from(minutes) * 60);
            if now >= job.end.saturating_add(extra) {
                self.end_active(id, JobBase::Timeout, Reason::TIME_LIMIT, None);
            }
        }
        let waiting: Vec<JobId> = self.jobs.pending.iter().copied().collect();
        for id in waiting {
            self.deadline_holds(id);
        }
    }

    /// Marks a node down and takes its jobs from it.
    pub(super) fn set_down(&mut self, node: usize, reason: &str, uid: u32) {
        let now = self.time();
        let record = &mut self.nodes[node];
        record.base = NodeBase::Down;
        if record.reason.is_none() || uid != 0 {
            record.reason = Some(crate::slurm::model::NodeReason { text: reason.to_owned(), uid, time: now });
        }
        self.lose_node(node);
        self.touch();
    }
}
