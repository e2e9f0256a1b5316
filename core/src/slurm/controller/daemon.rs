//! Controllers that stop and start: a restart keeps what was saved, a backup takes over, commands find nobody.
//!
//! The state that every slurmctld of a cluster shares (StateSaveLocation) is the [`Controller`] itself; a daemon that is
//! in control works on it, and without one nothing happens but that time passes.

use std::time::Duration;

use super::{Controller, Event};
use crate::sim::SimTime;
use crate::slurm::model::{Bits, NodeBase, NodeFlags};

/// The slurmctld daemons of a cluster: the primary first, then the backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemons {
    alive: Vec<bool>,
    in_control: Option<usize>,
    takes_over: Option<(SimTime, usize)>,
}

impl Daemons {
    /// So many daemons, all running, the first in control.
    pub(super) fn new(count: usize) -> Self {
        Self { alive: vec![true; count.max(1)], in_control: Some(0), takes_over: None }
    }

    /// Whether each of them runs.
    pub fn alive(&self) -> &[bool] {
        &self.alive
    }

    /// Which one is in control.
    pub fn in_control(&self) -> Option<usize> {
        self.in_control
    }

    /// When a backup takes over, if one is about to.
    pub fn takes_over_at(&self) -> Option<SimTime> {
        self.takes_over.map(|(at, _)| at)
    }
}

impl Controller {
    /// Whether a daemon is in control, so that commands are answered.
    pub fn answers(&self) -> bool {
        self.daemons.in_control.is_some()
    }

    /// A daemon stops. If it was in control a backup that runs takes over after SlurmctldTimeout.
    pub fn stop_daemon(&mut self, daemon: usize) {
        let Some(alive) = self.daemons.alive.get_mut(daemon) else { return };
        *alive = false;
        if self.daemons.in_control == Some(daemon) {
            self.daemons.in_control = None;
        }
        if self.daemons.in_control.is_none() {
            let backup = (1..self.daemons.alive.len()).find(|at| self.daemons.alive[*at]);
            let wait = Duration::from_secs(u64::try_from(self.params.slurmctld_timeout).unwrap_or(0));
            self.daemons.takes_over = backup.map(|backup| (self.now + wait, backup));
        }
    }

    /// All daemons stop (`scontrol shutdown`).
    pub fn shutdown(&mut self) {
        self.daemons.alive.fill(false);
        self.daemons.in_control = None;
        self.daemons.takes_over = None;
    }

    /// A daemon starts: the primary takes control at once, a backup when nobody else runs.
    pub fn start_daemon(&mut self, daemon: usize) {
        let Some(alive) = self.daemons.alive.get_mut(daemon) else { return };
        *alive = true;
        if daemon == 0 || self.daemons.in_control.is_none() && !self.daemons.alive[0] {
            self.take_control(daemon);
        }
    }

    /// A backup is told to take over (`scontrol takeover`). Whether it runs.
    pub fn takeover(&mut self, backup: usize) -> bool {
        let runs = self.daemons.alive.get(backup).copied().unwrap_or(false);
        if runs && self.daemons.in_control != Some(backup) {
            // The one that was in control is asked to end, and does.
            if let Some(before) = self.daemons.in_control {
                self.daemons.alive[before] = false;
            }
            self.take_control(backup);
        }
        runs
    }

    pub(super) fn take_over_when_due(&mut self, now: SimTime) {
        if let Some((at, backup)) = self.daemons.takes_over.filter(|(at, _)| *at <= now) {
            self.now = self.now.max(at);
            self.take_control(backup);
        }
    }

    fn take_control(&mut self, daemon: usize) {
        self.daemons.in_control = Some(daemon);
        self.daemons.takes_over = None;
        self.recover();
    }

    /// Stops and starts the daemon that is in control.
    pub fn restart(&mut self) {
        let daemon = self.daemons.in_control.unwrap_or(0);
        self.stop_daemon(daemon);
        self.start_daemon(daemon);
        self.takeover(daemon);
    }

    /// What a controller makes of the saved state: jobs, priorities, holds, allocations and expected starts survive; the
    /// nodes that backfill planned do not. Nodes are unknown until they answer.
    fn recover(&mut self) {
        for id in self.jobs.pending.iter().copied().collect::<Vec<_>>() {
            if let Some(job) = self.jobs.get_mut(id) {
                job.planned_nodes = Bits::new();
            }
        }
        for node in &mut self.nodes {
            node.flags.clear(NodeFlags::PLANNED);
            if node.base == NodeBase::Up {
                node.base = NodeBase::Unknown;
            }
        }
        self.agenda.retain(|event| {
            matches!(
                event,
                Event::Epilog(..)
                    | Event::KillWait(..)
                    | Event::Purge
                    | Event::Return(_)
                    | Event::RebootLate(_)
                    | Event::Reservation
            )
        });
        self.schedule_asked = false;
        self.epilog_pass = false;
        self.backfill_due = false;
        self.boot = self.time();
        self.start_clocks();
        // A pass is not asked for by the start itself (observed), but does not come before batch_sched_delay is over.
        self.last_schedule = self.boot;
        self.ask_reboots();
        self.touch();
    }
}
