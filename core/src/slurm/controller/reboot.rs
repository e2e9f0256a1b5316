//! `scontrol reboot`: nodes reboot when they are idle and come back as they were, drained, or down.

use super::{Action, Controller, Event};
use crate::slurm::error::SlurmError;
use crate::slurm::model::{NextState, NodeBase, NodeFlags, NodeIdx, NodeReason, Reboot};

/// What `scontrol reboot` is told beside the nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RebootRequest {
    /// The nodes are drained at once, so that they get idle as soon as possible.
    pub asap: bool,
    /// Their state afterwards.
    pub next: Option<NextState>,
    /// Why.
    pub reason: Option<String>,
}

impl Controller {
    /// Queues reboots; nodes that reboot already are passed over.
    ///
    /// # Errors
    ///
    /// A node that there is not; somebody who is not root.
    pub fn reboot_nodes(
        &mut self,
        names: &[String],
        request: &RebootRequest,
        uid: u32,
    ) -> Result<(), SlurmError> {
        if uid != 0 {
            return Err(SlurmError::PermissionDenied);
        }
        let nodes = names
            .iter()
            .map(|name| self.node(name).ok_or(SlurmError::InvalidNodeName))
            .collect::<Result<Vec<_>, _>>()?;
        let now = self.time();
        for at in nodes {
            let node = &mut self.nodes[at];
            let busy = [NodeFlags::REBOOT_REQUESTED, NodeFlags::REBOOT_ISSUED, NodeFlags::POWERED_DOWN];
            if node.base == NodeBase::Future || busy.iter().any(|flag| node.flags.has(*flag)) {
                continue;
            }
            node.flags.set(NodeFlags::REBOOT_REQUESTED);
            let mut reboot = Reboot { next: request.next, undrain: false };
            let mut reason = request.reason.clone();
            if request.asap {
                reboot.next = reboot.next.or(Some(NextState::Resume));
                reboot.undrain = !node.flags.has(NodeFlags::DRAIN);
                node.flags.set(NodeFlags::DRAIN);
                if node.reason.is_none() && reason.is_none() {
                    reason = Some("Reboot ASAP".into());
                }
            }
            if node.reason.is_none() && reason.is_none() {
                reason = Some("reboot requested".into());
            }
            if let Some(text) = reason {
                node.reason = Some(NodeReason { text, uid, time: now });
            }
            node.reboot = Some(reboot);
        }
        self.ask_reboots();
        self.touch();
        Ok(())
    }

    /// `scontrol cancel_reboot`: a reboot that has not been issued is forgotten.
    ///
    /// # Errors
    ///
    /// A node that there is not.
    pub fn cancel_reboot(&mut self, names: &[String]) -> Result<(), SlurmError> {
        for name in names {
            let at = self.node(name).ok_or(SlurmError::InvalidNodeName)?;
            let node = &mut self.nodes[at];
            if !node.flags.has(NodeFlags::REBOOT_REQUESTED) {
                continue;
            }
            node.flags.clear(NodeFlags::REBOOT_REQUESTED);
            if node.reboot.take().is_some_and(|reboot| reboot.undrain) {
                node.flags.clear(NodeFlags::DRAIN);
                node.reason = None;
            }
        }
        self.ask_schedule();
        Ok(())
    }

    /// The background thread looks at its next tick which nodes can reboot.
    pub(super) fn ask_reboots(&mut self) {
        if self.nodes.iter().any(|node| node.flags.has(NodeFlags::REBOOT_REQUESTED)) {
            let at = self.instant(self.time() + 1);
            self.agenda.push(at, Event::Reboots);
        }
    }

    /// Nodes that are idle now are told to reboot.
    pub(super) fn issue_reboots(&mut self) {
        let wait = self.params.resume_timeout;
        for at in 0..self.nodes.len() {
            let idle = self.usage[at].running == 0;
            let node = &mut self.nodes[at];
            let ready = match node.base {
                NodeBase::Up => idle && !node.flags.has(NodeFlags::NO_RESPOND),
                NodeBase::Down => true,
                NodeBase::Unknown | NodeBase::Future => false,
            };
            if !node.flags.has(NodeFlags::REBOOT_REQUESTED) || !ready {
                continue;
            }
            node.flags.clear(NodeFlags::REBOOT_REQUESTED);
            node.flags.set(NodeFlags::REBOOT_ISSUED);
            node.base = NodeBase::Down;
            self.reboot_reason(at, "reboot issued");
            self.actions.push_back(Action::Reboot { node: at });
            let late = self.instant(self.time().saturating_add(wait).saturating_add(1));
            self.agenda.push(late, Event::RebootLate(at));
        }
        self.touch();
    }

    /// A node that rebooted registers.
    pub(super) fn rebooted(&mut self, at: NodeIdx) {
        let now = self.time();
        let node = &mut self.nodes[at];
        node.flags.clear(NodeFlags::REBOOT_ISSUED);
        let reboot = node.reboot.take().unwrap_or_default();
        if reboot.next.is_some() {
            node.flags.clear(NodeFlags::DRAIN);
        }
        node.boot_time = now;
        node.last_busy = now;
        if reboot.next == Some(NextState::Down) {
            self.reboot_reason(at, "reboot complete");
            return;
        }
        node.base = NodeBase::Up;
        if !node.flags.has(NodeFlags::DRAIN) && !node.flags.has(NodeFlags::FAIL) {
            node.reason = None;
        }
        self.ask_schedule();
    }

    /// A node did not register within ResumeTimeout.
    pub(super) fn reboot_late(&mut self, at: NodeIdx) {
        let node = &mut self.nodes[at];
        if !node.flags.has(NodeFlags::REBOOT_ISSUED) {
            return;
        }
        node.flags.clear(NodeFlags::REBOOT_ISSUED);
        node.flags.clear(NodeFlags::DRAIN);
        node.reboot = None;
        self.reboot_reason(at, "reboot timed out");
        self.touch();
    }

    /// A step of the reboot is added to the node's reason.
    fn reboot_reason(&mut self, at: NodeIdx, message: &str) {
        let now = self.time();
        let node = &mut self.nodes[at];
        let text = match &node.reason {
            Some(reason) if !reason.text.contains(message) => format!("{} : {message}", reason.text),
            _ => message.to_owned(),
        };
        node.reason = Some(NodeReason { text, uid: 0, time: now });
    }
}
