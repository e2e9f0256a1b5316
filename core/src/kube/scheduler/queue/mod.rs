//! The pods that wait for a node, in virtual time (`pkg/scheduler/backend/queue`).
//!
//! A pod is in one of these places:
//!
//! - **active**: to be tried next, in the order of the profile's queue-sort plugin;
//! - **back-off**: refused not long ago and woken by a change since; it comes back
//!   when its back-off (1 s, doubling up to 10 s) is over, or at once when nothing
//!   else is active;
//! - **error back-off**: failed by an error; it comes back when its back-off is over;
//! - **unschedulable**: refused; it waits for a change that one of the plugins
//!   that refused it says is worth a try, or for five minutes;
//! - **gated**: not even allowed into the queue (it has scheduling gates).

mod events;
mod groups;
mod heap;
mod queued_pod;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::cluster::PodInfo;
use super::framework::{PluginId, PluginSet, Profile, Reason};
use super::gang::GroupKey;
use super::plugins::GANG_SCHEDULING;
use crate::sim::SimTime;
pub use events::{ClusterChange, EventKinds, Hint};
use heap::Heap;
pub use queued_pod::QueuedPod;
use queued_pod::{Place, Strategy, WINDOW};

/// A pod, as an index into the scheduler's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodId(pub(super) u32);

impl PodId {
    /// Its number, for tables indexed by pod.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How long a refused pod waits at most without any change.
const MAX_UNSCHEDULABLE: Duration = Duration::from_mins(5);
/// How often that is looked at.
const FLUSH_INTERVAL: Duration = Duration::from_secs(30);

/// The queue.
#[derive(Clone, Debug)]
pub struct Queue {
    now: SimTime,
    sequence: u64,
    initial_backoff: Duration,
    max_backoff: Duration,
    pods: Vec<Option<(QueuedPod, Place)>>,
    active: Heap,
    backoff: Heap,
    error_backoff: Heap,
    unschedulable: BTreeSet<PodId>,
    /// The unschedulable pods by the plugins that refused them: whom a change concerns.
    rejected_by: BTreeMap<(usize, PluginId), BTreeSet<PodId>>,
    next_flush: SimTime,
    /// Refused pods of groups: any change is worth a try.
    waiting_for_change: BTreeSet<PodId>,
    /// Groups whose pods may not enter yet, and why.
    group_gates: BTreeMap<GroupKey, Reason>,
}

impl Queue {
    /// An empty queue.
    pub fn new(initial_backoff: Duration, max_backoff: Duration) -> Self {
        Self {
            now: SimTime::ZERO,
            sequence: 0,
            initial_backoff,
            max_backoff,
            pods: Vec::new(),
            active: Heap::default(),
            backoff: Heap::default(),
            error_backoff: Heap::default(),
            unschedulable: BTreeSet::new(),
            rejected_by: BTreeMap::new(),
            next_flush: SimTime::ZERO + FLUSH_INTERVAL,
            waiting_for_change: BTreeSet::new(),
            group_gates: BTreeMap::new(),
        }
    }

    /// The pod, if it is in the queue or in its cycle.
    pub fn get(&self, pod: PodId) -> Option<&QueuedPod> {
        self.slot(pod).map(|(pod, _)| pod)
    }

    /// How many pods are active, in back-off (errors included) and unschedulable (gated included).
    pub fn lengths(&self) -> (usize, usize, usize) {
        (self.active.len(), self.backoff.len() + self.error_backoff.len(), self.unschedulable.len())
    }

    /// The instant at which the queue has something to give, if nothing changes until then.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        if self.active.len() > 0 || self.backoff.len() > 0 {
            return Some(self.now);
        }
        let error = self
            .error_backoff
            .peek()
            .and_then(|pod| self.get(pod))
            .map(|pod| pod.backoff_expiration.unwrap_or_default() + WINDOW);
        let waiting = self.unschedulable.iter().filter_map(|pod| self.get(*pod));
        let oldest = waiting.filter(|pod| pod.gated_by.is_none()).map(|pod| pod.timestamp).min();
        let flush = oldest.map(|oldest| {
            // The first look at which it is older than the limit.
            let due = (oldest + MAX_UNSCHEDULABLE).as_nanos() + 1;
            let interval = FLUSH_INTERVAL.as_nanos() as u64;
            SimTime::from_nanos(due.div_ceil(interval).saturating_mul(interval)).max(self.next_flush)
        });
        error.into_iter().chain(flush).min()
    }

    /// Lets time pass: pods whose back-off or patience is over become active.
    pub fn advance(&mut self, now: SimTime, profiles: &[Profile]) {
        self.now = self.now.max(now);
        for place in [Place::Backoff, Place::ErrorBackoff] {
            while let Some(pod) = self.heap(place).peek().filter(|pod| !self.is_backing_off(*pod)) {
                self.take(pod, profiles);
                self.make_active(pod, profiles);
            }
        }
        if self.now >= self.next_flush {
            let interval = FLUSH_INTERVAL.as_nanos() as u64;
            self.next_flush = SimTime::from_nanos((self.now.as_nanos() / interval + 1) * interval);
            let due: Vec<_> = self
                .unschedulable
                .iter()
                .copied()
                .filter(|pod| {
                    let pod = self.get(*pod);
                    pod.is_some_and(|p| {
                        p.gated_by.is_none() && self.now.since(p.timestamp) > MAX_UNSCHEDULABLE
                    })
                })
                .collect();
            for pod in due {
                self.requeue(pod, Strategy::AfterBackoff, profiles);
            }
        }
    }

    /// A pod comes.
    pub fn add(&mut self, pod: PodId, info: Arc<PodInfo>, profile: usize, profiles: &[Profile]) {
        self.sequence += 1;
        let queued = QueuedPod::new(info, profile, self.now, self.sequence);
        if self.pods.len() <= pod.index() {
            self.pods.resize(pod.index() + 1, None);
        }
        self.pods[pod.index()] = Some((queued, Place::InFlight));
        self.make_active(pod, profiles);
    }

    /// A pod that waits has changed.
    pub fn update(
        &mut self,
        pod: PodId,
        info: Arc<PodInfo>,
        profiles: &[Profile],
        hints: &dyn Fn(&QueuedPod, PluginId) -> Hint,
        kinds: EventKinds,
    ) {
        let Some((queued, place)) = self.slot_mut(pod) else { return };
        queued.info = info;
        match *place {
            Place::InFlight => {}
            Place::Active | Place::Backoff | Place::ErrorBackoff => {
                let place = *place;
                let mut heap = std::mem::take(self.heap_mut(place));
                heap.push(pod, &|a, b| self.less(place, a, b, profiles));
                *self.heap_mut(place) = heap;
            }
            Place::Unschedulable => {
                let strategy = if self.waiting_for_change.contains(&pod) && !kinds.is_empty() {
                    Strategy::Immediately
                } else {
                    self.worth(pod, kinds, profiles, hints)
                };
                if strategy != Strategy::Skip {
                    self.requeue(pod, strategy, profiles);
                }
            }
        }
    }

    /// A pod goes.
    pub fn remove(&mut self, pod: PodId, profiles: &[Profile]) {
        if self.slot(pod).is_some() {
            self.take(pod, profiles);
            self.pods[pod.index()] = None;
        }
    }

    /// The next pod to try; it is in its cycle then, until it is removed or comes back.
    pub fn pop(&mut self, profiles: &[Profile]) -> Option<PodId> {
        let pod = self.active.peek().or_else(|| self.backoff.peek())?;
        self.begin(pod, profiles).then_some(pod)
    }

    /// Takes a pod into its cycle.
    fn begin(&mut self, pod: PodId, profiles: &[Profile]) -> bool {
        self.take(pod, profiles);
        self.sequence += 1;
        let first = (self.now, self.sequence);
        let Some((queued, _)) = self.slot_mut(pod) else { return false };
        queued.initial_attempt.get_or_insert(first);
        queued.attempts += 1;
        queued.backoff_expiration = None;
        queued.unschedulable_plugins = PluginSet::default();
        queued.pending_plugins = PluginSet::default();
        queued.gated_by = None;
        true
    }

    /// A pod comes back from its cycle without a node, refused by those plugins, or by an error if there are none.
    pub fn add_unschedulable(
        &mut self,
        pod: PodId,
        rejected: PluginSet,
        pending: PluginSet,
        profiles: &[Profile],
    ) {
        let now = self.now;
        self.sequence += 1;
        let sequence = self.sequence;
        let Some((queued, _)) = self.slot_mut(pod) else { return };
        queued.unschedulable_plugins = rejected;
        queued.pending_plugins = pending;
        queued.timestamp = now;
        queued.sequence = sequence;
        if rejected.is_empty() && pending.is_empty() {
            queued.error_count += 1;
            self.requeue(pod, Strategy::AfterBackoff, profiles);
        } else {
            queued.error_count = 0;
            queued.unschedulable_count += 1;
            self.make_unschedulable(pod);
        }
    }

    /// A pod comes back from its cycle and waits without any plugin that an event could wake.
    pub fn park(&mut self, pod: PodId) {
        let now = self.now;
        if let Some((queued, _)) = self.slot_mut(pod) {
            queued.timestamp = now;
            self.make_unschedulable(pod);
        }
    }

    /// Something happened: pods that it may help become active or go into back-off.
    pub fn move_all(
        &mut self,
        kinds: EventKinds,
        profiles: &[Profile],
        hints: &dyn Fn(&QueuedPod, PluginId) -> Hint,
    ) {
        if self.unschedulable.is_empty() || kinds.is_empty() {
            return;
        }
        for pod in std::mem::take(&mut self.waiting_for_change) {
            self.requeue(pod, Strategy::Immediately, profiles);
        }
        let mut concerned = BTreeSet::new();
        for (index, profile) in profiles.iter().enumerate() {
            for plugin in profile.interested_in(kinds).iter() {
                concerned.extend(self.rejected_by.get(&(index, plugin)).into_iter().flatten().copied());
            }
        }
        for pod in concerned {
            let strategy = self.worth(pod, kinds, profiles, hints);
            if strategy != Strategy::Skip {
                self.requeue(pod, strategy, profiles);
            }
        }
    }

    /// Moves a pod to the active queue at once, whatever it waits for.
    pub fn activate(&mut self, pod: PodId, profiles: &[Profile]) {
        if self.slot(pod).is_some_and(|(_, place)| *place != Place::InFlight) {
            self.take(pod, profiles);
            self.make_active(pod, profiles);
        }
    }

    fn worth(
        &self,
        pod: PodId,
        kinds: EventKinds,
        profiles: &[Profile],
        hints: &dyn Fn(&QueuedPod, PluginId) -> Hint,
    ) -> Strategy {
        let Some(queued) = self.get(pod) else { return Strategy::Skip };
        let rejectors = queued.unschedulable_plugins.union(queued.pending_plugins);
        let interested = profiles[queued.profile].interested_in(kinds);
        let mut strategy = Strategy::Skip;
        for plugin in rejectors.intersection(interested).iter() {
            if hints(queued, plugin) == Hint::Queue {
                if queued.pending_plugins.contains(plugin) {
                    return Strategy::Immediately;
                }
                strategy = Strategy::AfterBackoff;
            }
        }
        strategy
    }

    fn requeue(&mut self, pod: PodId, strategy: Strategy, profiles: &[Profile]) {
        self.take(pod, profiles);
        if strategy == Strategy::AfterBackoff && self.is_backing_off(pod) {
            let Some((queued, _)) = self.slot_mut(pod) else { return };
            let error = queued.unschedulable_plugins.is_empty() && queued.pending_plugins.is_empty();
            if self.passes_pre_enqueue(pod, profiles) {
                self.place(pod, if error { Place::ErrorBackoff } else { Place::Backoff }, profiles);
            } else {
                self.make_unschedulable(pod);
            }
        } else {
            self.make_active(pod, profiles);
        }
    }

    /// Puts a pod that is nowhere into the active queue, if the plugins let it.
    fn make_active(&mut self, pod: PodId, profiles: &[Profile]) {
        if self.passes_pre_enqueue(pod, profiles) {
            self.place(pod, Place::Active, profiles);
        } else {
            self.make_unschedulable(pod);
        }
    }

    fn passes_pre_enqueue(&mut self, pod: PodId, profiles: &[Profile]) -> bool {
        let Some((queued, _)) = self.slot_mut(pod) else { return false };
        let (profile, group) = (queued.profile, queued.info.group_key());
        let mut gate = profiles[profile].run_pre_enqueue(&queued.info);
        if gate.is_none()
            && let Some(reason) = group.and_then(|group| self.group_gates.get(&group))
        {
            gate = profiles[profile].plugin_named(GANG_SCHEDULING).map(|plugin| (plugin, reason.clone()));
        }
        let Some((queued, _)) = self.slot_mut(pod) else { return false };
        if let Some((plugin, _)) = &gate {
            queued.unschedulable_plugins.insert(*plugin);
        }
        queued.gated_by = gate;
        queued.gated_by.is_none()
    }

    fn make_unschedulable(&mut self, pod: PodId) {
        let Some((queued, place)) = self.slot_mut(pod) else { return };
        *place = Place::Unschedulable;
        let profile = queued.profile;
        let rejectors = queued.unschedulable_plugins.union(queued.pending_plugins);
        self.unschedulable.insert(pod);
        for plugin in rejectors.iter() {
            self.rejected_by.entry((profile, plugin)).or_default().insert(pod);
        }
    }

    fn place(&mut self, pod: PodId, place: Place, profiles: &[Profile]) {
        if let Some((_, slot)) = self.slot_mut(pod) {
            *slot = place;
        }
        let mut heap = std::mem::take(self.heap_mut(place));
        heap.push(pod, &|a, b| self.less(place, a, b, profiles));
        *self.heap_mut(place) = heap;
    }

    /// Takes a pod from wherever it is.
    fn take(&mut self, pod: PodId, profiles: &[Profile]) {
        let Some((queued, place)) = self.slot_mut(pod) else { return };
        let from = std::mem::replace(place, Place::InFlight);
        match from {
            Place::InFlight => {}
            Place::Unschedulable => {
                let profile = queued.profile;
                let rejectors = queued.unschedulable_plugins.union(queued.pending_plugins);
                self.unschedulable.remove(&pod);
                self.waiting_for_change.remove(&pod);
                for plugin in rejectors.iter() {
                    if let Some(pods) = self.rejected_by.get_mut(&(profile, plugin)) {
                        pods.remove(&pod);
                    }
                }
            }
            Place::Active | Place::Backoff | Place::ErrorBackoff => {
                let mut heap = std::mem::take(self.heap_mut(from));
                heap.remove(pod, &|a, b| self.less(from, a, b, profiles));
                *self.heap_mut(from) = heap;
            }
        }
    }

    fn less(&self, place: Place, a: PodId, b: PodId, profiles: &[Profile]) -> bool {
        let (Some(a), Some(b)) = (self.get(a), self.get(b)) else { return false };
        if place != Place::Active && a.backoff_expiration != b.backoff_expiration {
            return a.backoff_expiration < b.backoff_expiration;
        }
        profiles[a.profile].less(a, b)
    }

    fn is_backing_off(&mut self, pod: PodId) -> bool {
        let (now, initial, max) = (self.now, self.initial_backoff, self.max_backoff);
        self.slot_mut(pod).is_some_and(|(queued, _)| queued.is_backing_off(now, initial, max))
    }

    fn slot(&self, pod: PodId) -> Option<&(QueuedPod, Place)> {
        self.pods.get(pod.index())?.as_ref()
    }

    fn slot_mut(&mut self, pod: PodId) -> Option<&mut (QueuedPod, Place)> {
        self.pods.get_mut(pod.index())?.as_mut()
    }

    fn heap(&self, place: Place) -> &Heap {
        match place {
            Place::Backoff => &self.backoff,
            Place::ErrorBackoff => &self.error_backoff,
            _ => &self.active,
        }
    }

    fn heap_mut(&mut self, place: Place) -> &mut Heap {
        match place {
            Place::Backoff => &mut self.backoff,
            Place::ErrorBackoff => &mut self.error_backoff,
            _ => &mut self.active,
        }
    }
}
