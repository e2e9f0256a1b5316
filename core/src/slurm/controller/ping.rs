//! Whether nodes answer.
//!
//! Rounds of pings, as slurmctld's background thread starts them: the first a few seconds after its start, then every
//! SlurmdTimeout/3, and none before the last one is over. A daemon that refuses is tried again every second for ten
//! seconds, so that a round with one that is gone takes that long; nodes that did answer count from its end. A node
//! that has not answered since SlurmdTimeout before the previous round is down.

use std::time::Duration;

use super::{Controller, Event};
use crate::sim::SimTime;
use crate::slurm::Time;
use crate::slurm::model::{Node, NodeBase, NodeFlags, NodeIdx};

/// From a controller's start to its first round (`MIN_CHECKIN_TIME`).
const FIRST_ROUND: Time = 3;
/// Seconds for which a daemon that refuses is tried again, unless MessageTimeout is less.
const RETRIES: u32 = 10;
/// Until the answers are counted: the agent looks every half second.
const AGENT: Duration = Duration::from_millis(500);

/// Rounds of pings.
#[derive(Clone, Debug, Default)]
pub(super) struct Pings {
    /// When the last round began; 0 before the first.
    began: Time,
    /// Nodes that were asked in the round that is under way.
    asked: Option<Vec<NodeIdx>>,
    /// Whether that round waits for one that refuses.
    waits: bool,
}

impl Controller {
    /// The first round after a start.
    pub(super) fn first_ping(&mut self) {
        self.pings = Pings::default();
        if self.wants_pings() {
            self.agenda.push(self.instant(self.boot + FIRST_ROUND), Event::Ping);
        }
    }

    /// With SlurmdTimeout=0 only nodes are asked that are not known or do not respond.
    fn wants_pings(&self) -> bool {
        let wanted = |node: &Node| node.base == NodeBase::Unknown || node.flags.has(NodeFlags::NO_RESPOND);
        self.params.slurmd_timeout > 0 || self.nodes.iter().any(wanted)
    }

    /// A node was said not to respond: somebody asks it.
    pub(super) fn ping_silent(&mut self) {
        if self.params.slurmd_timeout == 0 {
            self.agenda.retain(|event| *event != Event::Ping);
            let at = self.instant(self.time() + self.ping_interval());
            self.agenda.push(at, Event::Ping);
        }
    }

    /// The first round began at an instant of the past, when no node had answered yet: a recording of a controller
    /// that had been running.
    pub(crate) fn first_ping_was_at(&mut self, began: Time) {
        for node in &mut self.nodes {
            node.last_response = if node.responds { began } else { 0 };
        }
        let asked: Vec<NodeIdx> = (0..self.nodes.len()).collect();
        self.pings = Pings { began, asked: None, waits: false };
        let end = self.round_ends(self.instant(began), &asked);
        if end > self.now {
            self.pings.asked = Some(asked);
            self.agenda.push(end, Event::PingsAnswered);
        }
        self.agenda.retain(|event| !matches!(event, Event::Ping));
        let mut next = began + self.ping_interval();
        while self.instant(next) < self.now {
            next += self.ping_interval();
        }
        self.agenda.push(self.instant(next), Event::Ping);
    }

    fn ping_interval(&self) -> Time {
        if self.params.slurmd_timeout > 0 { (self.params.slurmd_timeout / 3).max(1) } else { 100 }
    }

    fn round_ends(&mut self, began: SimTime, asked: &[NodeIdx]) -> SimTime {
        self.pings.waits = asked.iter().any(|node| !self.nodes[*node].responds);
        let retries = if self.pings.waits { RETRIES.min(self.params.message_timeout) } else { 0 };
        began + Duration::from_secs(u64::from(retries)) + AGENT
    }

    /// A round begins, unless the last one is not over.
    pub(super) fn ping_nodes(&mut self) {
        let now = self.time();
        if self.pings.asked.is_some() {
            self.agenda.push(self.instant(now + 1), Event::Ping);
            return;
        }
        let (timeout, interval) = (self.params.slurmd_timeout, self.ping_interval());
        let dead = if self.pings.began > 0 && timeout > 0 { self.pings.began - timeout } else { 0 };
        let mut asked = Vec::new();
        for node in 0..self.nodes.len() {
            let record = &self.nodes[node];
            let silent = record.flags.has(NodeFlags::NO_RESPOND);
            let apart = [NodeFlags::POWERED_DOWN, NodeFlags::POWERING_DOWN, NodeFlags::REBOOT_ISSUED];
            if record.base == NodeBase::Future || apart.iter().any(|flag| record.flags.has(*flag)) {
                continue;
            }
            if timeout == 0 && record.base != NodeBase::Unknown && !silent {
                continue;
            }
            if record.last_response != 0 && record.last_response <= dead && record.base != NodeBase::Down {
                self.set_down(node, "Not responding", 0);
                continue;
            }
            let heard = !silent && record.last_response >= now - interval;
            if record.base == NodeBase::Unknown || !(heard || silent && record.base == NodeBase::Down) {
                asked.push(node);
            }
        }
        self.pings.began = now;
        if self.wants_pings() {
            self.agenda.push(self.instant(now + interval), Event::Ping);
        }
        if !asked.is_empty() {
            let end = self.round_ends(self.now, &asked);
            self.agenda.push(end, Event::PingsAnswered);
            self.pings.asked = Some(asked);
        }
    }

    /// The answers of a round.
    pub(super) fn pings_answered(&mut self) {
        let began = self.pings.began;
        let asked = self.pings.asked.take().unwrap_or_default();
        // A daemon that went in the middle of the round is tried again too.
        if !self.pings.waits && asked.iter().any(|node| !self.nodes[*node].responds) {
            let end = self.round_ends(self.instant(began), &asked);
            if end > self.now {
                self.pings.asked = Some(asked);
                self.agenda.push(end, Event::PingsAnswered);
                return;
            }
        }
        for node in asked {
            if self.nodes[node].responds {
                // A node that was set down after it answered stays so until the next round (observed).
                let set_since = self.nodes[node].reason.as_ref().is_some_and(|reason| reason.time > began);
                if self.nodes[node].base == NodeBase::Down && set_since {
                    self.nodes[node].last_response = self.time();
                } else {
                    self.heard_from(node);
                }
            } else if self.nodes[node].last_response < began && self.nodes[node].base == NodeBase::Up {
                self.nodes[node].flags.set(NodeFlags::NO_RESPOND);
                self.touch();
            }
        }
    }

    /// A node's daemon answered: a node that was not known or not responding is available, one that was down is taken
    /// back as ReturnToService says.
    pub(super) fn heard_from(&mut self, node: NodeIdx) {
        let now = self.time();
        let returns = self.params.return_to_service;
        // A node that reboots is heard from when it registers.
        let heard = |node: &&mut Node| node.responds && !node.flags.has(NodeFlags::REBOOT_ISSUED);
        let Some(record) = self.nodes.get_mut(node).filter(heard) else { return };
        record.last_response = now;
        let mut available = record.flags.has(NodeFlags::NO_RESPOND);
        record.flags.clear(NodeFlags::NO_RESPOND);
        if record.base == NodeBase::Unknown {
            record.base = NodeBase::Up;
            record.last_busy = now;
            available = true;
        }
        let kept_down = record.reason.as_ref().is_some_and(|reason| reason.text.ends_with("reboot complete"));
        let by_itself = record.reason.as_ref().is_some_and(|reason| reason.text == "Not responding");
        if record.base == NodeBase::Down && !kept_down && (returns >= 2 || (returns == 1 && by_itself)) {
            record.base = NodeBase::Up;
            record.last_busy = now;
            available = true;
            if !record.flags.has(NodeFlags::DRAIN) && !record.flags.has(NodeFlags::FAIL) {
                record.reason = None;
            }
        }
        if available {
            self.ask_schedule();
        }
    }

    /// The daemon of a node stopped, or was started and registers.
    pub fn set_responding(&mut self, node: NodeIdx, responds: bool) {
        let now = self.time();
        let Some(record) = self.nodes.get_mut(node) else { return };
        record.responds = responds;
        if responds {
            record.slurmd_start = now;
            if record.flags.has(NodeFlags::REBOOT_ISSUED) {
                self.rebooted(node);
            }
            self.heard_from(node);
        }
    }

    /// A node's daemon has not been started since the controller was: its state is unknown.
    pub fn never_registered(&mut self, node: NodeIdx) {
        let Some(record) = self.nodes.get_mut(node) else { return };
        record.responds = false;
        record.last_response = 0;
        record.slurmd_start = 0;
        if record.base == NodeBase::Up {
            record.base = NodeBase::Unknown;
        }
    }
}
