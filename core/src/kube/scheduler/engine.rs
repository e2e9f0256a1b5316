//! The scheduler: what it is told, and what it is asked.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};

use super::cluster::{Cluster, NodeId, PodInfo, Symbol, is_terminal, namespace};
use super::config::{ConfigError, SchedulerConfiguration};
use super::decision::{Attempt, Decision, Recording};
use super::features::Features;
use super::framework::{Context, PluginId, Profile, Registry};
use super::gang::{GroupAttempt, GroupKey};
use super::nominator::Nominator;
use super::permit::WaitingPod;
use super::preemption::Budget;
use super::queue::{ClusterChange, Hint, PodId, Queue, QueuedPod};
use crate::sim::SimTime;

/// What the scheduler keeps of a pod.
#[derive(Clone, Debug)]
pub(super) struct PodRecord {
    pub info: Arc<PodInfo>,
    /// The node to which it is bound or for which it is assumed to be.
    pub node: Option<NodeId>,
    pub attempts: Vec<Arc<Attempt>>,
}

/// The scheduler of one cluster: kube-scheduler's decisions without its surroundings.
///
/// ```
/// use clusterlab::kube::scheduler::{Scheduler, SchedulerConfiguration};
/// use clusterlab::sim::SimTime;
/// use k8s_openapi::api::core::v1::{Node, Pod, Service};
/// use serde_json::{from_value, json};
///
/// let mut scheduler = Scheduler::new(&SchedulerConfiguration::default())?;
/// let node: Node = from_value(json!({
///     "metadata": {"name": "gpu-1"},
///     "status": {"allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110", "nvidia.com/gpu": "1"}},
/// }))?;
/// let pod: Pod = from_value(json!({
///     "metadata": {"name": "train", "namespace": "default"},
///     "spec": {"containers": [{"name": "main", "resources": {"limits": {"nvidia.com/gpu": "2"}}}]},
/// }))?;
/// scheduler.add_node(node);
/// scheduler.add_pod(pod);
/// let decision = scheduler.schedule_one(SimTime::ZERO).expect("a pod waits");
/// assert_eq!(decision.node(), None);
/// assert!(decision.attempt.message.starts_with("0/1 nodes are available: 1 Insufficient nvidia.com/gpu."));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scheduler {
    pub(super) cluster: Cluster,
    pub(super) profiles: Vec<Profile>,
    pub(super) queue: Queue,
    pub(super) nominator: Nominator,
    pub(super) pods: Vec<Option<PodRecord>>,
    // Only looked up, never iterated: its order cannot show.
    by_name: HashMap<(Symbol, Symbol), PodId>,
    free: Vec<PodId>,
    /// The attempts of pods that have ended and are still there to be asked about.
    ended: HashMap<(Symbol, Symbol), Vec<Arc<Attempt>>>,
    pub(super) waiting: BTreeMap<PodId, WaitingPod>,
    pub(super) budgets: Vec<Budget>,
    pub(super) answers: super::answers::Answers,
    pub(super) next_start_node: usize,
    pub(super) percentage_of_nodes_to_score: i32,
    pub(super) recording: Recording,
    pub(super) history: usize,
    keeps_objects: bool,
    pub(super) features: Features,
    /// Decisions of a pod group's cycle that nobody has asked for yet.
    pub(super) outbox: VecDeque<Decision>,
    pub(super) group_attempts: BTreeMap<GroupKey, Vec<Arc<GroupAttempt>>>,
    /// The placement to take among equals, where a replay has to follow what was recorded.
    pub(super) placement_among_equals: Option<Arc<str>>,
}

impl Scheduler {
    /// A scheduler with the plugins of kube-scheduler.
    ///
    /// # Errors
    ///
    /// The configuration names a plugin that does not exist, arguments that a
    /// plugin does not take, or a number out of its range.
    pub fn new(config: &SchedulerConfiguration) -> Result<Self, ConfigError> {
        Self::with_registry(config, &Registry::default())
    }

    /// A scheduler that may also use the plugins of `registry`.
    ///
    /// # Errors
    ///
    /// As [`Scheduler::new`].
    pub fn with_registry(config: &SchedulerConfiguration, registry: &Registry) -> Result<Self, ConfigError> {
        let mut cluster = Cluster::default();
        let profiles = config.build(registry, &mut cluster)?;
        let (initial, max) = config.backoff();
        Ok(Self {
            cluster,
            profiles,
            queue: Queue::new(initial, max),
            nominator: Nominator::default(),
            pods: Vec::new(),
            by_name: HashMap::new(),
            free: Vec::new(),
            ended: HashMap::new(),
            waiting: BTreeMap::new(),
            budgets: Vec::new(),
            answers: super::answers::Answers::default(),
            next_start_node: 0,
            percentage_of_nodes_to_score: config.percentage_of_nodes_to_score,
            recording: Recording::Full,
            history: 16,
            keeps_objects: true,
            features: Features::new(&config.feature_gates)?,
            outbox: VecDeque::new(),
            group_attempts: BTreeMap::new(),
            placement_among_equals: None,
        })
    }

    /// Sets how much of each attempt is kept, and how many attempts of each pod (the latest ones).
    pub fn set_recording(&mut self, recording: Recording, attempts_per_pod: usize) {
        self.recording = recording;
        self.history = attempts_per_pod;
    }

    /// Whether [`PodInfo::object`] is kept of pods that come from now on, as it is by default. No plugin of this crate
    /// reads it; without, a pod takes a tenth of the memory.
    pub fn set_objects_kept(&mut self, kept: bool) {
        self.keeps_objects = kept;
    }

    /// Whether what equal pods were told of a node is kept until the node changes, as it is by default. The decisions are
    /// the same without; only slower, to compare.
    pub fn set_answers_kept(&mut self, kept: bool) {
        self.answers = super::answers::Answers::default();
        self.answers.off = !kept;
    }

    /// What the scheduler knows of the cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The profiles, in the order of the configuration.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// How many pods are active, in back-off, and unschedulable or gated.
    pub fn queue_lengths(&self) -> (usize, usize, usize) {
        self.queue.lengths()
    }

    /// A node came.
    pub fn add_node(&mut self, node: impl Into<Arc<Node>>) {
        self.update_node(node);
    }

    /// A node changed (or came).
    pub fn update_node(&mut self, node: impl Into<Arc<Node>>) {
        let (id, old) = self.cluster.set_node(node.into());
        let new = self.cluster.node(id);
        let change = match &old {
            Some(old) => ClusterChange::NodeUpdated { old, new },
            None => ClusterChange::NodeAdded(new),
        };
        notify(&mut self.queue, &self.profiles, &self.cluster, &change);
    }

    /// A node went. Its pods stay known until they go, too.
    pub fn remove_node(&mut self, name: &str) {
        if self.cluster.remove_node(name).is_some() {
            notify(&mut self.queue, &self.profiles, &self.cluster, &ClusterChange::NodeDeleted);
        }
    }

    /// A pod came: to wait for a node, or with one already.
    pub fn add_pod(&mut self, pod: impl Into<Arc<Pod>>) {
        self.update_pod(pod);
    }

    /// A pod changed (or came).
    pub fn update_pod(&mut self, pod: impl Into<Arc<Pod>>) {
        let pod: Arc<Pod> = pod.into();
        let known = self.find(namespace(&pod), pod.metadata.name.as_deref().unwrap_or_default());
        if is_terminal(&pod) {
            if let Some(id) = known {
                let record = self.record_mut(id);
                let (key, attempts) = record.map_or_else(Default::default, |record| {
                    (Some((record.info.namespace, record.info.name)), std::mem::take(&mut record.attempts))
                });
                self.forget(id);
                if let Some(key) = key.filter(|_| !attempts.is_empty()) {
                    self.ended.insert(key, attempts);
                }
            }
            return;
        }
        if let Some(id) = known.filter(|id| self.is_another(*id, &pod)) {
            // Deleted and created again under the same name.
            self.forget(id);
        }
        let mut info = self.cluster.convert_pod(&pod);
        info.object = self.keeps_objects.then(|| Arc::clone(&pod));
        if !self.features.generic_workload {
            // The gate that is off drops the field.
            info.group = None;
        }
        let info = Arc::new(info);
        match known.filter(|id| self.record(*id).is_some()) {
            None => self.accept(info),
            Some(id) => self.renew(id, &info),
        }
    }

    /// A pod went.
    pub fn remove_pod(&mut self, namespace: &str, name: &str) {
        if let Some(id) = self.find(namespace, name) {
            self.forget(id);
        }
        if let Some(key) = self.key(namespace, name) {
            self.ended.remove(&key);
        }
    }

    /// The attempts to place a pod, the latest last; none for a pod that is gone.
    pub fn attempts(&self, namespace: &str, name: &str) -> &[Arc<Attempt>] {
        if let Some(record) = self.find(namespace, name).and_then(|id| self.record(id)) {
            return &record.attempts;
        }
        self.key(namespace, name).and_then(|key| self.ended.get(&key)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The node of a pod.
    pub fn node_of(&self, namespace: &str, name: &str) -> Option<&Arc<str>> {
        let node = self.record(self.find(namespace, name)?)?.node?;
        Some(self.cluster.node_name(node))
    }

    /// The priority of a pod.
    pub fn priority_of(&self, namespace: &str, name: &str) -> Option<i32> {
        Some(self.record(self.find(namespace, name)?)?.info.priority)
    }

    /// The plugin that keeps a pod out of the queue, and why.
    pub fn gated_by(&self, namespace: &str, name: &str) -> Option<(&str, &str)> {
        let queued = self.queue.get(self.find(namespace, name)?)?;
        let (plugin, reason) = queued.gated_by.as_ref()?;
        Some((self.profiles[queued.profile].plugin(*plugin).name(), reason.as_str()))
    }

    /// The node to which a pod is nominated after a preemption.
    pub fn nominated_node(&self, namespace: &str, name: &str) -> Option<&Arc<str>> {
        let record = self.record(self.find(namespace, name)?)?;
        self.nominator.node_of(&record.info).map(|node| self.cluster.node_name(node))
    }

    /// The names of all nodes.
    pub(super) fn known_nodes(&mut self) -> Vec<Arc<str>> {
        self.cluster.refresh();
        self.cluster.nodes().iter().map(|id| Arc::clone(self.cluster.node_name(*id))).collect()
    }

    /// Namespaces and names of all pods.
    pub(super) fn known_pods(&self) -> Vec<(Arc<str>, Arc<str>)> {
        let symbols = &self.cluster.symbols;
        let name = |symbol| Arc::clone(symbols.name(symbol));
        self.pods.iter().flatten().map(|r| (name(r.info.namespace), name(r.info.name))).collect()
    }

    /// The instant at which the scheduler has something to do, if nothing happens until then.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        let permit = self.waiting.values().map(WaitingPod::deadline).min();
        self.queue.next_wakeup().into_iter().chain(permit).min()
    }

    pub(super) fn record(&self, id: PodId) -> Option<&PodRecord> {
        self.pods.get(id.index())?.as_ref()
    }

    pub(super) fn record_mut(&mut self, id: PodId) -> Option<&mut PodRecord> {
        self.pods.get_mut(id.index())?.as_mut()
    }

    pub(super) fn key(&self, namespace: &str, name: &str) -> Option<(Symbol, Symbol)> {
        Some((self.cluster.symbols.get(namespace)?, self.cluster.symbols.get(name)?))
    }

    pub(super) fn find(&self, namespace: &str, name: &str) -> Option<PodId> {
        self.by_name.get(&self.key(namespace, name)?).copied()
    }

    /// Whether the record is of an earlier pod of the same name.
    fn is_another(&self, id: PodId, pod: &Pod) -> bool {
        let old = self.record(id).map(|record| record.info.uid().to_owned()).unwrap_or_default();
        pod.metadata.uid.as_deref().is_some_and(|uid| !old.is_empty() && uid != old)
    }

    /// Takes up a pod that is not known yet.
    fn accept(&mut self, info: Arc<PodInfo>) {
        let id = self.free.pop().unwrap_or_else(|| {
            self.pods.push(None);
            PodId((self.pods.len() - 1) as u32)
        });
        self.by_name.insert((info.namespace, info.name), id);
        let record = PodRecord { info: Arc::clone(&info), node: None, attempts: Vec::new() };
        self.pods[id.index()] = Some(record);
        if let Some(key) = info.group_key() {
            self.cluster.groups.add_member(key, id);
            self.regate(key);
        }
        if let Some(node) = info.rest.node_name.map(|name| self.cluster.symbols.name(name).to_string()) {
            self.assign(id, &info, &node);
        } else {
            self.nominate_from_status(&info);
            if let Some(profile) = self.profile_of(&info) {
                self.queue.add(id, info, profile, &self.profiles);
            }
        }
    }

    /// Takes over the new state of a known pod.
    fn renew(&mut self, id: PodId, info: &Arc<PodInfo>) {
        let Some(record) = self.record_mut(id) else { return };
        let old = std::mem::replace(&mut record.info, Arc::clone(info));
        let node = record.node;
        let target = info.rest.node_name.map(|name| self.cluster.symbols.name(name).to_string());
        match (node, target) {
            (Some(node), target) => {
                self.cluster.remove_pod(&old, node);
                // Its own word counts, should somebody else have bound it to another node than assumed.
                let name = target.unwrap_or_else(|| self.cluster.node_name(node).to_string());
                let node = self.cluster.add_pod(info, &name);
                if let Some(record) = self.record_mut(id) {
                    record.node = Some(node);
                }
                let change = ClusterChange::AssignedPodUpdated { old: &old, new: info };
                notify(&mut self.queue, &self.profiles, &self.cluster, &change);
            }
            (None, Some(target)) => {
                // Bound by somebody else.
                self.queue.remove(id, &self.profiles);
                self.nominator.remove(info);
                self.assign(id, info, &target);
            }
            (None, None) => {
                if old.nominated_node_name() != info.nominated_node_name()
                    || self.nominator.node_of(&old).is_some()
                {
                    self.renew_nomination(&old, info);
                }
                let change = ClusterChange::PodUpdated { old: &old, new: info };
                let Self { queue, profiles, cluster, .. } = self;
                let hints = hints(profiles, cluster, &change);
                queue.update(id, Arc::clone(info), profiles, &hints, change.kinds());
            }
        }
    }

    fn assign(&mut self, id: PodId, info: &Arc<PodInfo>, node: &str) {
        let node = self.cluster.add_pod(info, node);
        if let Some(record) = self.record_mut(id) {
            record.node = Some(node);
        }
        let change = ClusterChange::AssignedPodAdded(info);
        notify(&mut self.queue, &self.profiles, &self.cluster, &change);
    }

    /// Drops everything that is known of a pod.
    fn forget(&mut self, id: PodId) {
        if let Some(WaitingPod { node, profile, mut state, .. }) = self.waiting.remove(&id)
            && let Some(info) = self.record(id).map(|record| Arc::clone(&record.info))
        {
            self.unreserve(id, &info, profile, &mut state, node);
            let change = ClusterChange::AssignedPodDeleted(&info);
            notify(&mut self.queue, &self.profiles, &self.cluster, &change);
        }
        let Some(record) = self.pods.get_mut(id.index()).and_then(Option::take) else { return };
        let PodRecord { info, node, .. } = record;
        self.by_name.remove(&(info.namespace, info.name));
        self.cluster.devices.release((info.namespace, info.name));
        if let Some(key) = info.group_key() {
            self.cluster.groups.remove_member(key, id);
            self.regate(key);
        }
        self.free.push(id);
        self.queue.remove(id, &self.profiles);
        let nominated = self.nominator.remove(&info).is_some();
        if let Some(node) = node {
            self.cluster.remove_pod(&info, node);
        }
        if node.is_some() || nominated {
            let change = ClusterChange::AssignedPodDeleted(&info);
            notify(&mut self.queue, &self.profiles, &self.cluster, &change);
        }
    }

    /// The profile that the pod's `schedulerName` means; none if it is another scheduler's pod.
    pub(super) fn profile_of(&self, info: &PodInfo) -> Option<usize> {
        let name = info.rest.scheduler_name;
        let name = name.map_or("default-scheduler", |name| self.cluster.symbols.name(name));
        self.profiles.iter().position(|profile| profile.scheduler_name == name)
    }

    fn nominate_from_status(&mut self, info: &Arc<PodInfo>) {
        if let Some(node) = info.nominated_node_name().and_then(|name| self.cluster.node_by_symbol(name)) {
            let id = node.id;
            self.nominator.set(info, id);
        }
    }

    /// Follows a change of `status.nominatedNodeName`; without one, the scheduler's own knowledge stays.
    fn renew_nomination(&mut self, old: &Arc<PodInfo>, new: &Arc<PodInfo>) {
        let known = self.nominator.remove(old);
        match (old.nominated_node_name(), new.nominated_node_name()) {
            (before, after) if before == after => {
                if let Some(node) = known {
                    self.nominator.set(new, node);
                }
            }
            _ => self.nominate_from_status(new),
        }
    }
}

/// Tells the queue of a change.
pub(super) fn notify(queue: &mut Queue, profiles: &[Profile], cluster: &Cluster, change: &ClusterChange<'_>) {
    queue.move_all(change.kinds(), profiles, &hints(profiles, cluster, change));
}

fn hints<'a>(
    profiles: &'a [Profile],
    cluster: &'a Cluster,
    change: &'a ClusterChange<'a>,
) -> impl Fn(&QueuedPod, PluginId) -> Hint + 'a {
    move |queued, plugin| {
        let context = Context { pod: &queued.info, cluster };
        profiles[queued.profile].plugin(plugin).queueing_hint(&context, change)
    }
}
