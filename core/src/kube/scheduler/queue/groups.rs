//! What the queue does with pods that belong to groups.

use std::collections::BTreeSet;

use super::super::framework::{Profile, Reason};
use super::super::gang::GroupKey;
use super::super::plugins::GANG_SCHEDULING;
use super::queued_pod::{Place, Strategy};
use super::{PodId, Queue};
use crate::sim::SimTime;

impl Queue {
    /// Whether a pod is in the queue and could be tried: not gated, not in its cycle.
    pub fn is_waiting(&self, pod: PodId) -> bool {
        self.slot(pod).is_some_and(|(queued, place)| *place != Place::InFlight && queued.gated_by.is_none())
    }

    /// Takes a pod out of its turn, as its group is tried; says whether it was there.
    pub fn pop_specific(&mut self, pod: PodId, profiles: &[Profile]) -> bool {
        self.is_waiting(pod) && self.begin(pod, profiles)
    }

    /// A pod of a group comes back from its cycle without a node, and waits for any change.
    pub fn wait_for_change(&mut self, pod: PodId) {
        let now = self.now;
        self.sequence += 1;
        let sequence = self.sequence;
        if let Some((queued, _)) = self.slot_mut(pod) {
            queued.timestamp = now;
            queued.sequence = sequence;
            queued.error_count = 0;
            self.make_unschedulable(pod);
            self.waiting_for_change.insert(pod);
        }
    }

    /// As if a pod had been tried first at that instant: a replay follows the recorded order.
    pub(in super::super) fn set_initial_attempt(&mut self, pod: PodId, first: (SimTime, u64)) {
        if let Some((queued, _)) = self.slot_mut(pod) {
            queued.initial_attempt = Some(first);
        }
    }

    /// Why the pods of a group may not enter the queue; none lets them.
    pub fn set_group_gate(&mut self, group: GroupKey, gate: Option<Reason>) {
        match gate {
            Some(reason) => self.group_gates.insert(group, reason),
            None => self.group_gates.remove(&group),
        };
    }

    /// A group changed: its pods that were kept out or had been refused are looked at again.
    pub fn move_group(&mut self, members: &BTreeSet<PodId>, profiles: &[Profile]) {
        for pod in members {
            let Some((queued, Place::Unschedulable)) = self.slot(*pod) else { continue };
            let gang = profiles[queued.profile].plugin_named(GANG_SCHEDULING);
            let gated = queued.gated_by.as_ref().is_some_and(|(plugin, _)| Some(*plugin) == gang);
            if gated || self.waiting_for_change.contains(pod) {
                self.requeue(*pod, Strategy::Immediately, profiles);
            }
        }
    }
}
