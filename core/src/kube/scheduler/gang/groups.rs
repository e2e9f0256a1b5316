//! The groups of pods that the scheduler knows, and how far each one is.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::scheduling::v1alpha2::PodGroup;

use super::super::cluster::{PodInfo, Symbol, Symbols};
use super::super::framework::Reason;
use super::super::queue::PodId;

/// A group, by its namespace and name.
pub type GroupKey = (Symbol, Symbol);

/// What a `PodGroup` asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `spec.schedulingPolicy.gang.minCount`; none for the basic policy.
    pub min_count: Option<usize>,
    /// `spec.schedulingConstraints.topology[0].key`: all pods on nodes with one value of this label.
    pub topology: Option<Symbol>,
}

/// One group: its object, if it is there, and its pods.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// What its object asks for; none while nobody has created it.
    pub policy: Option<Policy>,
    /// Its pods that have not ended.
    pub members: BTreeSet<PodId>,
    /// How many of them are bound or assumed to be on a node.
    pub scheduled: usize,
    /// How many cycles it had.
    pub attempts: u32,
}

/// All groups.
#[derive(Clone, Debug, Default)]
pub struct PodGroups {
    groups: BTreeMap<GroupKey, Group>,
}

impl PodGroups {
    /// A group of which the object or at least one pod is there.
    pub fn get(&self, key: GroupKey) -> Option<&Group> {
        self.groups.get(&key)
    }

    /// The group of a pod.
    pub fn of(&self, pod: &PodInfo) -> Option<&Group> {
        self.get(pod.group_key()?)
    }

    pub(in super::super) fn get_mut(&mut self, key: GroupKey) -> &mut Group {
        self.groups.entry(key).or_default()
    }

    /// Takes over the object; none if it went.
    pub(in super::super) fn set_policy(&mut self, key: GroupKey, policy: Option<Policy>) {
        self.get_mut(key).policy = policy;
        self.tidy(key);
    }

    pub(in super::super) fn add_member(&mut self, key: GroupKey, pod: PodId) {
        self.get_mut(key).members.insert(pod);
    }

    pub(in super::super) fn remove_member(&mut self, key: GroupKey, pod: PodId) {
        if let Some(group) = self.groups.get_mut(&key) {
            group.members.remove(&pod);
        }
        self.tidy(key);
    }

    /// A pod came onto a node or left one.
    pub(in super::super) fn note_scheduled(&mut self, pod: &PodInfo, is: bool) {
        if let Some(key) = pod.group_key() {
            let scheduled = &mut self.get_mut(key).scheduled;
            *scheduled = if is { *scheduled + 1 } else { scheduled.saturating_sub(1) };
            if !is {
                self.tidy(key);
            }
        }
    }

    /// Forgets a group of which nothing is left.
    fn tidy(&mut self, key: GroupKey) {
        let empty = self
            .groups
            .get(&key)
            .is_some_and(|group| group.policy.is_none() && group.members.is_empty() && group.scheduled == 0);
        if empty {
            self.groups.remove(&key);
        }
    }

    /// Why the pods of a group may not enter the queue yet (`PreEnqueue` of plugin `GangScheduling`).
    pub fn gate(&self, key: GroupKey, symbols: &Symbols) -> Option<Reason> {
        let Some(group) = self.get(key).filter(|group| group.policy.is_some()) else {
            let name = symbols.name(key.1);
            return Some(
                format!("waiting for pod's pod group {name:?} to appear in scheduling queue").into(),
            );
        };
        let min_count = group.policy.and_then(|policy| policy.min_count)?;
        (group.members.len() < min_count)
            .then_some(Reason::Fixed("waiting for minCount pods from a gang to appear in scheduling queue"))
    }
}

impl Policy {
    /// Reads an object.
    pub(in super::super) fn new(group: &PodGroup, symbols: &mut Symbols) -> Self {
        let gang = group.spec.scheduling_policy.gang.as_ref();
        let constraints = group.spec.scheduling_constraints.as_ref();
        // The API takes a single constraint.
        let topology = constraints.and_then(|constraints| constraints.topology.as_ref()?.first());
        Self {
            min_count: gang.map(|gang| usize::try_from(gang.min_count).unwrap_or(0)),
            topology: topology.map(|topology| symbols.intern(&topology.key)),
        }
    }
}
