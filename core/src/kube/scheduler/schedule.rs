//! One pod's cycle: from the queue through search, reservation and permission to its binding.

use std::sync::Arc;

use super::cluster::devices::{Chosen, Consumer};
use super::cluster::{NodeId, PodInfo};
use super::cycle::{choose, find_nodes, post_filter, score_nodes};
use super::decision::{Attempt, Decision, Outcome, Recording, record_filters, record_scores};
use super::engine::{Scheduler, notify};
use super::framework::{
    Binder, Code, Context, CycleState, NodeStatuses, Nomination, PluginId, PluginSet, PodAnnotations, Point,
    Profile, Status,
};
use super::message::fit_error;
use super::permit::WaitingPod;
use super::queue::{ClusterChange, PodId};
use crate::order::Collected;
use crate::sim::SimTime;

/// Binds nothing but in the scheduler's own memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBinder;

impl Binder for NoBinder {
    fn bind(&mut self, _: &PodInfo, _: &str) -> Result<(), String> {
        Ok(())
    }
}

/// Permit plugins that want a pod to wait, until when, and what they said.
pub(super) type Pending = std::collections::BTreeMap<PluginId, (SimTime, Status)>;

/// How a cycle ended without a binding.
pub(super) struct Failure {
    pub message: String,
    pub rejectors: PluginSet,
    pub pending: PluginSet,
    pub nomination: Nomination,
    /// Refused, and not by an error.
    pub rejected: bool,
}

impl Failure {
    pub fn error(message: String) -> Self {
        Self {
            message,
            rejectors: PluginSet::default(),
            pending: PluginSet::default(),
            nomination: Nomination::Clear,
            rejected: false,
        }
    }
}

impl Scheduler {
    /// Lets time pass: back-offs end, and pods that waited too long for permission are refused.
    ///
    /// Those are answered as decisions, as their conditions have to be written.
    pub fn advance(&mut self, now: SimTime) -> Vec<Decision> {
        self.queue.advance(now, &self.profiles);
        let due: Vec<_> = self
            .waiting
            .iter()
            .filter(|(_, waiting)| waiting.deadline() <= now)
            .filter_map(|(id, waiting)| {
                let plugin = waiting.pending.iter().min_by_key(|(_, until)| **until)?.0;
                Some((*id, *plugin))
            })
            .collect();
        due.into_iter()
            .filter_map(|(id, plugin)| {
                let name = self.profiles[self.waiting.get(&id)?.profile].plugin(plugin).name().to_owned();
                let text = format!("rejected due to timeout after waiting at plugin {name}");
                self.refuse_waiting(id, plugin, &text, now)
            })
            .collect()
    }

    /// Tries the next pod, and binds it in the scheduler's memory only. None if no pod is to be tried now.
    pub fn schedule_one(&mut self, now: SimTime) -> Option<Decision> {
        self.schedule_one_with(now, &mut NoBinder)
    }

    /// Tries the next pod, and binds it through `binder`. None if no pod is to be tried now.
    ///
    /// Victims of a preemption are named in the decision; it is for the caller to
    /// delete them, and to tell the scheduler when they are gone.
    pub fn schedule_one_with(&mut self, now: SimTime, binder: &mut dyn Binder) -> Option<Decision> {
        if let Some(decision) = self.outbox.pop_front() {
            return Some(decision);
        }
        self.queue.advance(now, &self.profiles);
        let id = self.queue.pop(&self.profiles)?;
        let info = Arc::clone(&self.record(id)?.info);
        if let Some(group) = info.group_key() {
            return self.schedule_group(id, group, now, binder);
        }
        let queued = self.queue.get(id)?;
        let (profile, number) = (queued.profile, queued.attempts);
        let mut attempt = self.new_attempt(now, number, profile);
        if info.terminating {
            self.queue.remove(id, &self.profiles);
            let names = self.names(&info);
            attempt.message = format!("skip schedule deleting pod: {}/{}", names.0, names.1);
            return Some(self.conclude(id, &info, attempt, None));
        }
        let mut state = CycleState::default();
        let failure = match self.search(&info, profile, &mut state, &mut attempt) {
            Ok(node) => match self.reserve(id, &info, profile, &mut state, node, now) {
                Ok(true) => {
                    attempt.outcome = Outcome::Waiting { node: Arc::clone(self.cluster.node_name(node)) };
                    let waiting = self.waiting.get_mut(&id);
                    if let Some(waiting) = waiting {
                        waiting.state = state;
                    }
                    return Some(self.conclude(id, &info, attempt, None));
                }
                Ok(false) => match self.bind(id, &info, profile, &mut state, node, binder) {
                    Ok(()) => {
                        attempt.outcome =
                            Outcome::Scheduled { node: Arc::clone(self.cluster.node_name(node)) };
                        return Some(self.conclude(id, &info, attempt, None));
                    }
                    Err(failure) => failure,
                },
                Err(failure) => failure,
            },
            Err(failure) => failure,
        };
        Some(self.fail(id, &info, attempt, failure))
    }

    /// An attempt of which nothing is known yet.
    pub(super) fn new_attempt(&self, now: SimTime, number: u32, profile: usize) -> Attempt {
        Attempt {
            at: now,
            number,
            scheduler_name: self.profiles[profile].scheduler_name.as_str().into(),
            all_nodes: 0,
            evaluated: 0,
            pre_filter: None,
            filter: std::collections::BTreeMap::new(),
            feasible: Vec::new(),
            score_plugins: Vec::new(),
            scores: Vec::new(),
            preemption: None,
            outcome: Outcome::Skipped,
            message: String::new(),
        }
    }

    /// Finds the node, and writes down how.
    pub(super) fn search(
        &mut self,
        info: &Arc<PodInfo>,
        profile: usize,
        state: &mut CycleState,
        attempt: &mut Attempt,
    ) -> Result<NodeId, Failure> {
        self.cluster.refresh();
        let Self { cluster, profiles, nominator, answers, next_start_node, .. } = self;
        let context = Context { pod: info, cluster };
        profiles[profile].run_prepare(&context, state);
        let mut kept = answers.of(profile, info.class, cluster);
        let profile = &profiles[profile];
        attempt.all_nodes = cluster.nodes().len();
        if attempt.all_nodes == 0 {
            let message = "no nodes available to schedule pods".to_owned();
            return Err(Failure { rejected: true, ..Failure::error(message) });
        }
        let percentage = profile.percentage_of_nodes_to_score.unwrap_or(self.percentage_of_nodes_to_score);
        let found = find_nodes(
            profile,
            &context,
            state,
            kept.as_deref_mut(),
            nominator,
            percentage,
            self.recording,
            next_start_node,
        );
        attempt.evaluated = found.evaluated;
        if self.recording == Recording::Full {
            record_filters(attempt, &context, profile, &found);
        }
        if let Some(message) = found.error {
            return Err(Failure::error(message));
        }
        if let [only] = found.feasible[..] {
            return Ok(only);
        }
        if !found.feasible.is_empty() {
            let scores =
                score_nodes(profile, &context, state, kept, &found.feasible).map_err(Failure::error)?;
            if self.recording == Recording::Full {
                record_scores(attempt, &context, profile, &found, &scores);
            }
            if let Some(node) = choose(profile, &context, &found.feasible, &scores) {
                return Ok(node);
            }
        }
        let after = post_filter(profile, &context, state, nominator, &self.budgets, self.recording, &found);
        attempt.preemption = after.preemption;
        let pre_filter = found.pre_filter.map(|(_, status)| status.message()).unwrap_or_default();
        let message = fit_error(attempt.all_nodes, &pre_filter, &found.statuses, &after.message);
        if let Some(claim) = after.deallocate {
            self.deallocate_claim(claim);
        }
        Err(Failure {
            message,
            rejectors: found.rejectors,
            pending: found.pending,
            nomination: after.nomination,
            rejected: true,
        })
    }

    /// Assumes the pod to be on the node, reserves, and asks for permission; says whether it has to wait.
    pub(super) fn reserve(
        &mut self,
        id: PodId,
        info: &Arc<PodInfo>,
        profile: usize,
        state: &mut CycleState,
        node: NodeId,
        now: SimTime,
    ) -> Result<bool, Failure> {
        self.assume_and_reserve(id, info, profile, state, node)?;
        match self.ask_permission(info, profile, state, node, now) {
            Ok(pending) if pending.is_empty() => Ok(false),
            Ok(pending) => {
                let pending = pending.into_iter().map(|(plugin, (until, _))| (plugin, until)).into_map();
                let waiting = WaitingPod { node, profile, state: CycleState::default(), pending };
                self.waiting.insert(id, waiting);
                Ok(true)
            }
            Err((plugin, status)) => {
                self.unreserve(id, info, profile, state, node);
                Err(refused_on(node, plugin, status))
            }
        }
    }

    /// Assumes the pod to be on the node, and reserves; a failure leaves things as they were.
    pub(super) fn assume_and_reserve(
        &mut self,
        id: PodId,
        info: &Arc<PodInfo>,
        profile: usize,
        state: &mut CycleState,
        node: NodeId,
    ) -> Result<(), Failure> {
        let name = Arc::clone(self.cluster.node_name(node));
        self.cluster.add_pod(info, &name);
        self.nominator.remove(info);
        if let Some(record) = self.record_mut(id) {
            record.node = Some(node);
        }
        let mut refusal = None;
        {
            let Self { cluster, profiles, .. } = self;
            let context = Context { pod: info, cluster };
            let Profile { plugins, points, .. } = &mut profiles[profile];
            for &id in points.at(Point::Reserve) {
                if let Some(reserve) = plugins[id.index()].reserve() {
                    let status = reserve.reserve(&context, state, node);
                    if !status.is_success() {
                        refusal = Some((id, status));
                        break;
                    }
                }
            }
        }
        if let Some((plugin, status)) = refusal {
            self.unreserve(id, info, profile, state, node);
            return Err(refused_on(node, plugin, status));
        }
        if let Some(chosen) = state.read::<Chosen>() {
            self.cluster.devices.assume((info.namespace, info.name), chosen);
        }
        Ok(())
    }

    /// Asks the permit plugins: who wants the pod to wait, until when and why, or who refuses it.
    pub(super) fn ask_permission(
        &mut self,
        info: &Arc<PodInfo>,
        profile: usize,
        state: &mut CycleState,
        node: NodeId,
        now: SimTime,
    ) -> Result<Pending, (PluginId, Status)> {
        let mut pending = Pending::new();
        let Self { cluster, profiles, .. } = self;
        let context = Context { pod: info, cluster };
        let Profile { plugins, points, .. } = &mut profiles[profile];
        for &id in points.at(Point::Permit) {
            let Some(permit) = plugins[id.index()].permit() else { continue };
            let (status, patience) = permit.permit(&context, state, node);
            match status.code {
                Code::Success => {}
                Code::Wait => {
                    pending.insert(id, (now + patience, status));
                }
                _ => return Err((id, status)),
            }
        }
        Ok(pending)
    }

    /// Gives back what was reserved, and forgets that the pod was assumed to be on the node.
    pub(super) fn unreserve(
        &mut self,
        id: PodId,
        info: &Arc<PodInfo>,
        profile: usize,
        state: &mut CycleState,
        node: NodeId,
    ) {
        let Self { cluster, profiles, .. } = self;
        let context = Context { pod: info, cluster };
        let Profile { plugins, points, .. } = &mut profiles[profile];
        for id in points.at(Point::Reserve).iter().rev() {
            if let Some(reserve) = plugins[id.index()].reserve() {
                reserve.unreserve(&context, state, node);
            }
        }
        if let Some(chosen) = state.read::<Chosen>() {
            self.cluster.devices.revert((info.namespace, info.name), chosen);
        }
        self.cluster.remove_pod(info, node);
        if let Some(record) = self.record_mut(id) {
            record.node = None;
        }
    }

    pub(super) fn bind(
        &mut self,
        id: PodId,
        info: &Arc<PodInfo>,
        profile: usize,
        state: &mut CycleState,
        node: NodeId,
        binder: &mut dyn Binder,
    ) -> Result<(), Failure> {
        let result = {
            let Self { cluster, profiles, .. } = &*self;
            let context = Context { pod: info, cluster };
            run_bind(&profiles[profile], &context, state, node, binder)
        };
        match result {
            Ok(()) => {
                if let Some(chosen) = state.read::<Chosen>() {
                    let name = Arc::clone(self.cluster.symbols.name(info.name));
                    self.cluster.devices.settle(&Consumer { name, uid: info.uid().into() }, chosen);
                }
                self.queue.remove(id, &self.profiles);
                let change = ClusterChange::AssignedPodAdded(info);
                notify(&mut self.queue, &self.profiles, &self.cluster, &change);
                Ok(())
            }
            Err(message) => {
                self.unreserve(id, info, profile, state, node);
                // The room that it had taken is free again for the others.
                let change = ClusterChange::AssignedPodDeleted(info);
                notify(&mut self.queue, &self.profiles, &self.cluster, &change);
                Err(Failure::error(message))
            }
        }
    }

    /// Puts the pod back, nominates it if preemption made room, and writes down why.
    pub(super) fn fail(
        &mut self,
        id: PodId,
        info: &Arc<PodInfo>,
        mut attempt: Attempt,
        failure: Failure,
    ) -> Decision {
        let Failure { message, rejectors, pending, nomination, rejected } = failure;
        attempt.message = message;
        attempt.outcome = if rejected { Outcome::Unschedulable } else { Outcome::Error };
        if rejected && info.group.is_some() {
            self.queue.wait_for_change(id);
        } else {
            self.queue.add_unschedulable(id, rejectors, pending, &self.profiles);
        }
        let mut cleared = Vec::new();
        let nominated = match nomination {
            Nomination::Keep => None,
            Nomination::Clear => {
                let had = self.nominator.remove(info).is_some() || info.nominated_node_name().is_some();
                had.then(|| Arc::from(""))
            }
            Nomination::Node(node) => {
                for other in self.nominator.less_important(info, node) {
                    self.nominator.remove(&other);
                    cleared.push(self.names(&other));
                }
                self.nominator.set(info, node);
                Some(Arc::clone(self.cluster.node_name(node)))
            }
        };
        let mut decision = self.conclude(id, info, attempt, nominated);
        decision.cleared_nominations = cleared;
        decision
    }

    /// Keeps the attempt, and makes the decision out of it.
    pub(super) fn conclude(
        &mut self,
        id: PodId,
        info: &PodInfo,
        attempt: Attempt,
        nominated_node: Option<Arc<str>>,
    ) -> Decision {
        let attempt = Arc::new(attempt);
        let history = self.history;
        if let Some(record) = self.record_mut(id).filter(|_| history > 0) {
            if record.attempts.len() >= history {
                record.attempts.remove(0);
            }
            record.attempts.push(Arc::clone(&attempt));
        }
        let victims = victims(&attempt);
        let (namespace, name) = self.names(info);
        Decision {
            namespace,
            name,
            attempt,
            nominated_node,
            victims,
            cleared_nominations: Vec::new(),
            group: None,
        }
    }

    pub(super) fn names(&self, info: &PodInfo) -> (Arc<str>, Arc<str>) {
        let symbols = &self.cluster.symbols;
        (Arc::clone(symbols.name(info.namespace)), Arc::clone(symbols.name(info.name)))
    }
}

/// The pods that a preemption chose to evict: namespace and name.
pub(super) fn victims(attempt: &Attempt) -> Vec<(Arc<str>, Arc<str>)> {
    let chosen = attempt.preemption.as_ref().and_then(|preemption| {
        let candidate = preemption.candidates.get(preemption.target.as_ref()?)?;
        let pods = candidate.victims.iter().filter_map(|pod| pod.split_once('/'));
        Some(pods.map(|(namespace, name)| (namespace.into(), name.into())).collect())
    });
    chosen.unwrap_or_default()
}

/// Runs pre-bind, bind and post-bind plugins.
fn run_bind(
    profile: &Profile,
    context: &Context<'_>,
    state: &mut CycleState,
    node: NodeId,
    binder: &mut dyn Binder,
) -> Result<(), String> {
    for (_, plugin) in profile.at(Point::PreBind) {
        if let Some(pre_bind) = plugin.pre_bind() {
            let status = pre_bind.pre_bind(context, state, node, binder);
            if !status.is_success() {
                return Err(format!("running PreBind plugin {:?}: {}", plugin.name(), status.message()));
            }
        }
    }
    if let Some(annotations) = state.read::<PodAnnotations>() {
        binder.annotate(context.pod, annotations)?;
    }
    let mut bound = false;
    for (_, plugin) in profile.at(Point::Bind) {
        if let Some(bind) = plugin.bind() {
            let status = bind.bind(context, node, binder);
            match status.code {
                Code::Skip => {}
                Code::Success => {
                    bound = true;
                    break;
                }
                _ => return Err(format!("running Bind plugin {:?}: {}", plugin.name(), status.message())),
            }
        }
    }
    if !bound {
        return Err("no bind plugin took the pod".to_owned());
    }
    for (_, plugin) in profile.at(Point::PostBind) {
        if let Some(post_bind) = plugin.post_bind() {
            post_bind.post_bind(context, state, node);
        }
    }
    Ok(())
}

/// The failure of a pod that had a node when a plugin refused it there.
pub(super) fn refused_on(node: NodeId, plugin: PluginId, status: Status) -> Failure {
    if !status.is_rejected() {
        return Failure::error(status.message());
    }
    let (mut rejectors, mut pending) = (PluginSet::default(), PluginSet::default());
    if status.code == Code::Pending {
        pending.insert(plugin);
    } else {
        rejectors.insert(plugin);
    }
    let mut statuses = NodeStatuses::default();
    statuses.reject(node, plugin, status);
    Failure {
        message: fit_error(1, "", &statuses, ""),
        rejectors,
        pending,
        nomination: Nomination::Clear,
        rejected: true,
    }
}
