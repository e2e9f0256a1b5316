//! A profile: the plugins that decide for one `schedulerName`, in their order, with their weights.

use super::super::cluster::{NodeId, NodeInfo, PodInfo, Symbol};
use super::super::queue::{EventKinds, QueuedPod};
use super::{Code, Context, CycleState, Plugin, Point, Points, Reason, RunFilters, Status};

/// A plugin of a profile, by its place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginId(u8);

impl PluginId {
    /// How many plugins a profile can have.
    pub const LIMIT: usize = 64;

    /// Its place.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(in super::super) const fn new(index: usize) -> Self {
        Self(index as u8)
    }
}

/// A set of plugins of one profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PluginSet(u64);

impl PluginSet {
    /// Adds a plugin.
    pub fn insert(&mut self, plugin: PluginId) {
        self.0 |= 1 << plugin.0;
    }

    /// Whether a plugin is in it.
    pub const fn contains(self, plugin: PluginId) -> bool {
        self.0 & (1 << plugin.0) != 0
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Its plugins, in the profile's order.
    pub fn iter(self) -> impl Iterator<Item = PluginId> {
        (0..Self::BITS).filter(move |bit| self.0 & (1 << bit) != 0).map(PluginId)
    }

    const BITS: u8 = PluginId::LIMIT as u8;
}

/// A node that was refused, by whom and why.
#[derive(Clone, Copy, Debug)]
pub struct Rejection<'a> {
    /// The node.
    pub node: NodeId,
    /// The plugin.
    pub plugin: PluginId,
    /// Its answer.
    pub status: &'a Status,
}

/// An answer that nodes got, by its place in [`NodeStatuses`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnswerId(u32);

/// What became of the nodes in the filters.
///
/// A thousand nodes are refused for a handful of reasons: each answer is kept once, with its nodes counted beside it.
#[derive(Clone, Debug)]
pub struct NodeStatuses {
    /// The answer for all nodes that were not looked at.
    pub absent: Status,
    /// Nodes that a filter refused, in the order in which they were looked at.
    rejected: Vec<(NodeId, AnswerId)>,
    /// What they were told, and how many of them.
    answers: Vec<(PluginId, Status, usize)>,
}

impl Default for NodeStatuses {
    fn default() -> Self {
        Self::new(Status { code: Code::UnschedulableAndUnresolvable, ..Status::default() })
    }
}

impl NodeStatuses {
    /// Among so many of the latest answers an equal one is looked for. Where each node is told something else,
    /// the search would take longer than it saves.
    const LATEST: usize = 16;

    /// No node was refused yet.
    pub const fn new(absent: Status) -> Self {
        Self { absent, rejected: Vec::new(), answers: Vec::new() }
    }

    /// A plugin refused a node.
    pub fn reject(&mut self, node: NodeId, plugin: PluginId, status: Status) {
        let answer = self.answer(plugin, status);
        self.reject_as(node, answer);
    }

    /// The place of an answer, to be given to many nodes.
    pub fn answer(&mut self, plugin: PluginId, status: Status) -> AnswerId {
        let latest = self.answers.len().saturating_sub(Self::LATEST);
        let equal = self.answers[latest..].iter().position(|known| known.0 == plugin && known.1 == status);
        let place = equal.map_or(self.answers.len(), |place| latest + place);
        if place == self.answers.len() {
            self.answers.push((plugin, status, 0));
        }
        AnswerId(place as u32)
    }

    /// A node got an answer that others got, too.
    pub fn reject_as(&mut self, node: NodeId, answer: AnswerId) {
        self.answers[answer.0 as usize].2 += 1;
        self.rejected.push((node, answer));
    }

    /// Forgets the refusals.
    pub fn clear(&mut self) {
        self.rejected.clear();
        self.answers.clear();
    }

    /// How many nodes were refused.
    pub const fn rejected(&self) -> usize {
        self.rejected.len()
    }

    /// The nodes that were refused, in the order in which they were looked at.
    pub fn iter(&self) -> impl Iterator<Item = Rejection<'_>> {
        self.rejected.iter().map(|(node, answer)| {
            let (plugin, status, _) = &self.answers[answer.0 as usize];
            Rejection { node: *node, plugin: *plugin, status }
        })
    }

    /// The different answers, and how many nodes got each.
    pub fn counted(&self) -> impl Iterator<Item = (&Status, usize)> {
        self.answers.iter().map(|(_, status, nodes)| (status, *nodes))
    }

    /// The answer for one node.
    pub fn get(&self, node: NodeId) -> &Status {
        self.iter()
            .find(|rejection| rejection.node == node)
            .map_or(&self.absent, |rejection| rejection.status)
    }
}

/// What all pre-filters together found.
#[derive(Clone, Debug, Default)]
pub struct PreFilterOutcome {
    /// The rejection of the pod as a whole, and by whom.
    pub rejection: Option<(PluginId, Status)>,
    /// Names of the only nodes that come into question; none leaves all.
    pub node_names: Option<Vec<Symbol>>,
    /// Plugins that limited the nodes.
    pub limited_by: PluginSet,
    /// Plugins whose filters need not run.
    pub skipped: PluginSet,
}

/// The plugins of one `schedulerName`.
#[derive(Clone, Debug)]
pub struct Profile {
    /// `default-scheduler`
    pub scheduler_name: String,
    /// Its own `percentageOfNodesToScore`, if it has one.
    pub percentage_of_nodes_to_score: Option<i32>,
    pub(in super::super) plugins: Vec<Box<dyn Plugin>>,
    /// What the normalised scores are multiplied by, by plugin.
    pub(in super::super) weights: Vec<i64>,
    /// Who takes part at which extension point.
    pub(in super::super) points: Points,
    /// For each kind of event, the plugins that want to know of it.
    interested: Vec<PluginSet>,
    queue_sort: Option<PluginId>,
}

impl Profile {
    /// Puts plugins together; `weights` are those of their scores.
    pub(in super::super) fn new(
        scheduler_name: String,
        percentage_of_nodes_to_score: Option<i32>,
        plugins: Vec<Box<dyn Plugin>>,
        weights: Vec<i64>,
        points: Points,
    ) -> Self {
        let mut interested = vec![PluginSet::default(); EventKinds::BITS];
        for (index, plugin) in plugins.iter().enumerate() {
            for bit in plugin.events().bits() {
                interested[bit].insert(PluginId::new(index));
            }
        }
        let queue_sort = points.at(Point::QueueSort).first().copied();
        Self {
            scheduler_name,
            percentage_of_nodes_to_score,
            plugins,
            weights,
            points,
            interested,
            queue_sort,
        }
    }

    /// A plugin by its place.
    pub fn plugin(&self, id: PluginId) -> &dyn Plugin {
        &*self.plugins[id.index()]
    }

    /// The plugin of that name, if it is enabled.
    pub fn plugin_named(&self, name: &str) -> Option<PluginId> {
        self.plugins.iter().position(|plugin| plugin.name() == name).map(PluginId::new)
    }

    /// All plugins in their order.
    pub fn plugins(&self) -> impl Iterator<Item = (PluginId, &dyn Plugin)> {
        self.plugins.iter().enumerate().map(|(index, plugin)| (PluginId::new(index), &**plugin))
    }

    /// The plugins of an extension point in their order.
    pub fn at(&self, point: Point) -> impl Iterator<Item = (PluginId, &dyn Plugin)> {
        self.points.at(point).iter().map(|id| (*id, self.plugin(*id)))
    }

    /// Plugins that want to know of a change of one of those kinds.
    pub fn interested_in(&self, kinds: EventKinds) -> PluginSet {
        kinds.bits().fold(PluginSet::default(), |set, bit| set.union(self.interested[bit]))
    }

    /// Whether `a` goes before `b`.
    pub fn less(&self, a: &QueuedPod, b: &QueuedPod) -> bool {
        let sort = self.queue_sort.and_then(|id| self.plugin(id).queue_sort());
        match sort {
            Some(sort) => sort.less(a, b),
            None => (a.timestamp, a.sequence) < (b.timestamp, b.sequence),
        }
    }

    /// The first plugin that keeps the pod out of the queue, and why.
    pub fn run_pre_enqueue(&self, pod: &PodInfo) -> Option<(PluginId, Reason)> {
        self.at(Point::PreEnqueue).find_map(|(id, plugin)| {
            let status = plugin.pre_enqueue()?.pre_enqueue(pod);
            (!status.is_success()).then(|| (id, status.message().into()))
        })
    }

    /// Lets plugins bring up to date what they keep from one cycle to the next.
    pub(in super::super) fn run_prepare(&mut self, context: &Context<'_>, state: &mut CycleState) {
        for plugin in &mut self.plugins {
            if let Some(prepare) = plugin.prepare() {
                prepare.prepare(context, state);
            }
        }
    }

    /// The plugin that decides among the best nodes, if one does.
    pub(in super::super) fn tie_break(&self) -> Option<&dyn super::TieBreak> {
        self.plugins().find_map(|(_, plugin)| plugin.tie_break())
    }

    /// Runs the pre-filters.
    pub fn run_pre_filters(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterOutcome {
        let mut outcome = PreFilterOutcome::default();
        for (id, plugin) in self.at(Point::PreFilter) {
            let Some(pre_filter) = plugin.pre_filter() else { continue };
            let result = pre_filter.pre_filter(context, state);
            match result.status.code {
                Code::Skip => outcome.skipped.insert(id),
                Code::Success => {
                    if let Some(names) = result.node_names {
                        outcome.limited_by.insert(id);
                        match &mut outcome.node_names {
                            None => outcome.node_names = Some(names),
                            Some(known) => known.retain(|name| names.contains(name)),
                        }
                        if outcome.node_names.as_ref().is_some_and(Vec::is_empty) {
                            outcome.rejection = Some((id, self.no_node_left(&outcome)));
                            return outcome;
                        }
                    }
                }
                Code::Unschedulable => {
                    // The others still run, as preemption needs their state; the last one counts.
                    outcome.rejection = Some((id, result.status));
                }
                _ => {
                    outcome.rejection = Some((id, result.status));
                    return outcome;
                }
            }
        }
        outcome
    }

    fn no_node_left(&self, outcome: &PreFilterOutcome) -> Status {
        let mut names: Vec<_> = outcome.limited_by.iter().map(|id| self.plugin(id).name()).collect();
        names.sort_unstable();
        let text = if names.len() == 1 {
            format!("node(s) didn't satisfy plugin {}", names.join(" "))
        } else {
            format!("node(s) didn't satisfy plugin(s) [{}] simultaneously", names.join(" "))
        };
        Status::unresolvable(text)
    }

    /// The filters that are not skipped, in their order.
    pub(in super::super) fn filters(&self, skipped: PluginSet) -> Filters<'_> {
        let active: Vec<_> = self
            .at(Point::Filter)
            .filter(|(id, _)| !skipped.contains(*id))
            .filter_map(|(id, plugin)| Some((id, plugin.filter()?)))
            .collect();
        let local = active.iter().position(|(_, filter)| !filter.is_local()).unwrap_or(active.len());
        Filters { profile: self, active, local, skipped }
    }
}

/// The filters of one cycle.
pub(in super::super) struct Filters<'a> {
    profile: &'a Profile,
    active: Vec<(PluginId, &'a dyn super::Filter)>,
    /// How many of them, from the first on, are [local](super::Filter::is_local).
    local: usize,
    skipped: PluginSet,
}

impl Filters<'_> {
    /// The name of a plugin.
    pub fn name(&self, plugin: PluginId) -> &str {
        self.profile.plugin(plugin).name()
    }

    /// The first refusal, if any.
    #[inline]
    pub fn run(
        &self,
        context: &Context<'_>,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Option<(PluginId, Status)> {
        first_refusal(&self.active, context, state, node)
    }

    /// Like [`Filters::run`], and as if the nominated pods were already there.
    ///
    /// The pod must fit with them and without them: it could depend on them by
    /// affinity, and they may never come (`RunFilterPluginsWithNominatedPods`).
    pub fn run_with_nominated(
        &self,
        context: &Context<'_>,
        state: &CycleState,
        node: &NodeInfo,
        nominated: &[&std::sync::Arc<PodInfo>],
    ) -> Option<(PluginId, Status)> {
        if !nominated.is_empty() {
            let (mut state, mut node) = (state.clone(), node.clone());
            for pod in nominated {
                node.add_pod(pod);
                self.add_pod(context, &mut state, pod, &node);
            }
            if let Some(refusal) = self.run(context, &state, &node) {
                return Some(refusal);
            }
        }
        self.run(context, state, node)
    }

    /// The filters from the first on that are [local](super::Filter::is_local).
    pub fn local(&self) -> &[(PluginId, &dyn super::Filter)] {
        &self.active[..self.local]
    }

    /// The filters that come after those.
    pub fn others(&self) -> &[(PluginId, &dyn super::Filter)] {
        &self.active[self.local..]
    }

    /// Tells all pre-filters that `other` is also on `node`.
    pub fn add_pod(&self, context: &Context<'_>, state: &mut CycleState, other: &PodInfo, node: &NodeInfo) {
        for (id, plugin) in self.profile.at(Point::PreFilter) {
            if let Some(pre_filter) = plugin.pre_filter().filter(|_| !self.skipped.contains(id)) {
                pre_filter.add_pod(context, state, other, node);
            }
        }
    }

    /// Tells all pre-filters that `other` is not on `node`.
    pub fn remove_pod(
        &self,
        context: &Context<'_>,
        state: &mut CycleState,
        other: &PodInfo,
        node: &NodeInfo,
    ) {
        for (id, plugin) in self.profile.at(Point::PreFilter) {
            if let Some(pre_filter) = plugin.pre_filter().filter(|_| !self.skipped.contains(id)) {
                pre_filter.remove_pod(context, state, other, node);
            }
        }
    }
}

/// The first refusal by one of those filters, if any.
#[inline]
pub(in super::super) fn first_refusal(
    filters: &[(PluginId, &dyn super::Filter)],
    context: &Context<'_>,
    state: &CycleState,
    node: &NodeInfo,
) -> Option<(PluginId, Status)> {
    for (id, filter) in filters {
        let status = filter.filter(context, state, node);
        if !status.is_success() {
            return Some((*id, status));
        }
    }
    None
}

/// The first answer of those filters that is no success, without its reasons.
#[inline]
pub(in super::super) fn first_answer(
    filters: &[(PluginId, &dyn super::Filter)],
    context: &Context<'_>,
    state: &CycleState,
    node: &NodeInfo,
) -> Code {
    let mut answers = filters.iter().map(|(_, filter)| filter.filter(context, state, node).code);
    answers.find(|code| *code != Code::Success).unwrap_or_default()
}

/// The filters of one cycle together with the pods that are nominated to nodes.
pub(in super::super) struct FiltersWithNominated<'a> {
    pub filters: &'a Filters<'a>,
    pub nominator: &'a super::super::nominator::Nominator,
}

impl FiltersWithNominated<'_> {
    pub fn refusal(
        &self,
        context: &Context<'_>,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Option<(PluginId, Status)> {
        let nominated = self.nominator.at_least_as_important(context.pod, node.id);
        self.filters.run_with_nominated(context, state, node, &nominated)
    }
}

impl RunFilters for FiltersWithNominated<'_> {
    fn run_filters(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status {
        self.refusal(context, state, node).map(|(_, status)| status).unwrap_or_default()
    }

    fn run_add_pod(&self, context: &Context<'_>, state: &mut CycleState, other: &PodInfo, node: &NodeInfo) {
        self.filters.add_pod(context, state, other, node);
    }

    fn run_remove_pod(
        &self,
        context: &Context<'_>,
        state: &mut CycleState,
        other: &PodInfo,
        node: &NodeInfo,
    ) {
        self.filters.remove_pod(context, state, other, node);
    }
}
