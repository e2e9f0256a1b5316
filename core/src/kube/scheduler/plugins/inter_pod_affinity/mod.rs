//! `InterPodAffinity`: near some pods, away from others.

mod tally;

use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, NodeInfo, PodInfo, PodTerm, Symbol};
use super::super::framework::{
    Context, CycleState, Filter, MAX_NODE_SCORE, Plugin, PreFilter, PreFilterResult, PreScore, Prepare,
    Score, Status,
};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::arguments;
use tally::{Meaning, Sums, Tallies};

pub(super) const NAME: &str = "InterPodAffinity";

/// `InterPodAffinityArgs`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct InterPodAffinity {
    /// What a required affinity of a pod that is there counts as a preference for it.
    hard_pod_affinity_weight: i64,
    /// Whether preferences of other pods count only for pods that have some of their own.
    ignore_preferred_terms_of_existing_pods: bool,
}

impl Default for InterPodAffinity {
    fn default() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let plugin: InterPodAffinity = arguments(args)?;
    if !(0..=100).contains(&plugin.hard_pod_affinity_weight) {
        return Err(format!(
            "hardPodAffinityWeight: Invalid value: {}: not in valid range [0, 100]",
            plugin.hard_pod_affinity_weight
        ));
    }
    Ok(Box::new(WithTallies { plugin, tallies: Tallies::default() }))
}

/// The plugin, and what it keeps from one cycle to the next.
#[derive(Clone, Debug)]
struct WithTallies {
    plugin: InterPodAffinity,
    tallies: Tallies,
}

fn matches(term: &PodTerm, pod: &PodInfo, cluster: &Cluster) -> bool {
    term.matches(pod, cluster.namespace_labels(pod.namespace), &cluster.symbols)
}

/// Whether a pod is one of which all terms speak.
fn matches_all(terms: &[PodTerm], pod: &PodInfo, cluster: &Cluster) -> bool {
    !terms.is_empty() && terms.iter().all(|term| matches(term, pod, cluster))
}

/// What the filter looks at.
#[derive(Clone, Debug, Default)]
struct Required(Sums);

/// What the score looks at.
#[derive(Clone, Debug, Default)]
struct Preferred(Sums);

/// Made ready before the cycle.
#[derive(Clone, Debug)]
struct Ready(Sums);

impl Required {
    /// Counts a pod that is on a node (`amount` 1) or goes from it (-1).
    fn update(&mut self, context: &Context<'_>, other: &PodInfo, node: &NodeInfo, amount: i64) {
        require(context, other, node, &mut |meaning, domain, sum| {
            self.0.change(meaning).add(domain, sum, amount);
        });
    }
}

/// What a pod on a node means for the incoming one, as far as rules that must be kept go.
fn require(
    context: &Context<'_>,
    other: &PodInfo,
    node: &NodeInfo,
    note: &mut dyn FnMut(Meaning, (Symbol, Symbol), i64),
) {
    let (pod, cluster) = (context.pod, context.cluster);
    let mut note = |meaning, key| {
        if let Some(value) = node.labels.get(key) {
            note(meaning, (key, value), 1);
        }
    };
    for term in &other.required_anti_affinity {
        if matches(term, pod, cluster) {
            note(Meaning::Unwelcome, term.topology_key);
        }
    }
    if matches_all(&pod.required_affinity, other, cluster) {
        for term in &pod.required_affinity {
            note(Meaning::Near, term.topology_key);
        }
    }
    for term in &pod.required_anti_affinity {
        if matches(term, other, cluster) {
            note(Meaning::Away, term.topology_key);
        }
    }
}

impl Plugin for WithTallies {
    fn name(&self) -> &str {
        NAME
    }

    fn prepare(&mut self) -> Option<&mut dyn Prepare> {
        Some(self)
    }

    fn pre_filter(&self) -> Option<&dyn PreFilter> {
        Some(self)
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn pre_score(&self) -> Option<&dyn PreScore> {
        Some(self)
    }

    fn score(&self) -> Option<&dyn Score> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::ASSIGNED_POD_ADD
            | EventKinds::ASSIGNED_POD_UPDATE_LABEL
            | EventKinds::ASSIGNED_POD_DELETE
            | EventKinds::POD_UPDATE_LABEL
            | EventKinds::NODE_ADD
            | EventKinds::NODE_UPDATE_LABEL
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let (pod, cluster) = (context.pod, context.cluster);
        let near = |other: &PodInfo| matches_all(&pod.required_affinity, other, cluster);
        let away =
            |other: &PodInfo| pod.required_anti_affinity.iter().any(|term| matches(term, other, cluster));
        let unwelcome =
            |other: &PodInfo| other.required_anti_affinity.iter().any(|term| matches(term, pod, cluster));
        let worth = match change {
            ClusterChange::AssignedPodAdded(new) => near(new),
            ClusterChange::AssignedPodUpdated { old, new } => {
                (!near(old) && near(new)) || (away(old) && !away(new))
            }
            ClusterChange::AssignedPodDeleted(gone) => away(gone) || unwelcome(gone),
            ClusterChange::NodeAdded(_) | ClusterChange::NodeUpdated { .. } => {
                let Some((old, new)) = change.node() else { return Hint::Skip };
                let moved = |term: &PodTerm| {
                    let before = old.and_then(|old| old.labels.get(term.topology_key));
                    before != new.labels.get(term.topology_key)
                };
                let affinity = pod
                    .required_affinity
                    .iter()
                    .any(|term| moved(term) && new.labels.get(term.topology_key).is_some());
                affinity
                    || (old.is_none() && pod.required_affinity.is_empty())
                    || pod.required_anti_affinity.iter().any(moved)
            }
            // Its own labels have changed: pods that did not want it near may mean others now.
            ClusterChange::PodUpdated { .. } => true,
            _ => false,
        };
        if worth { Hint::Queue } else { Hint::Skip }
    }
}

impl Prepare for WithTallies {
    fn prepare(&mut self, context: &Context<'_>, state: &mut CycleState) {
        let cluster = context.cluster;
        // In a part of the cluster not all pods count; and where nobody has terms there is nothing to count.
        let none = !context.pod.has_pod_affinity() && cluster.nodes_with_affinity().next().is_none();
        if !none && !cluster.is_placement() {
            state.write(Ready(self.tallies.of(self.plugin, context)));
        }
    }
}

impl PreFilter for WithTallies {
    fn pre_filter(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterResult {
        let pod = context.pod;
        let required = match state.read::<Ready>() {
            Some(Ready(sums)) => {
                let required = Required(sums.clone());
                debug_assert!(
                    required.agrees_with(&count_required(context)),
                    "kept sums are those of a count"
                );
                required
            }
            None => count_required(context),
        };
        let own = !(pod.required_affinity.is_empty() && pod.required_anti_affinity.is_empty());
        if !own && required.0.of(Meaning::Unwelcome).is_empty() {
            return Status::skip().into();
        }
        state.write(required);
        Status::success().into()
    }

    fn add_pod(&self, context: &Context<'_>, state: &mut CycleState, other: &PodInfo, node: &NodeInfo) {
        if let Some(required) = state.read_mut::<Required>() {
            required.update(context, other, node, 1);
        }
    }

    fn remove_pod(&self, context: &Context<'_>, state: &mut CycleState, other: &PodInfo, node: &NodeInfo) {
        if let Some(required) = state.read_mut::<Required>() {
            required.update(context, other, node, -1);
        }
    }
}

/// Counts the pods of all nodes.
fn count_required(context: &Context<'_>) -> Required {
    let (pod, cluster) = (context.pod, context.cluster);
    let mut required = Required::default();
    if pod.required_affinity.is_empty() && pod.required_anti_affinity.is_empty() {
        for node in cluster.nodes_with_required_anti_affinity() {
            for other in &node.pods_with_required_anti_affinity {
                required.update(context, other, node, 1);
            }
        }
    } else {
        for node in cluster.nodes().iter().map(|id| cluster.node(*id)) {
            for other in &node.pods {
                required.update(context, other, node, 1);
            }
        }
    }
    required
}

impl Required {
    fn agrees_with(&self, other: &Self) -> bool {
        [Meaning::Unwelcome, Meaning::Near, Meaning::Away]
            .into_iter()
            .all(|meaning| self.0.of(meaning) == other.0.of(meaning))
    }
}

impl Filter for WithTallies {
    fn filter(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status {
        let Some(required) = state.read::<Required>() else { return Status::success() };
        let pod = context.pod;
        let Required(sums) = required;
        let there = |meaning: Meaning, key: Symbol| {
            node.labels.get(key).is_some_and(|value| sums.of(meaning).get((key, value)) > 0)
        };
        let mut near = true;
        for term in &pod.required_affinity {
            if node.labels.get(term.topology_key).is_none() {
                return refused_by_affinity();
            }
            near &= there(Meaning::Near, term.topology_key);
        }
        // The first of a group that wants to be near itself may go anywhere.
        let first =
            || sums.of(Meaning::Near).is_empty() && matches_all(&pod.required_affinity, pod, context.cluster);
        if !near && !first() {
            return refused_by_affinity();
        }
        if pod.required_anti_affinity.iter().any(|term| there(Meaning::Away, term.topology_key)) {
            return Status::unschedulable("node(s) didn't match pod anti-affinity rules");
        }
        let unwelcome = sums.of(Meaning::Unwelcome);
        if !unwelcome.is_empty() && node.labels.iter().any(|domain| unwelcome.get(domain) > 0) {
            return Status::unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
        }
        Status::success()
    }
}

fn refused_by_affinity() -> Status {
    Status::unresolvable("node(s) didn't match pod affinity rules")
}

impl InterPodAffinity {
    /// What a pod on a node means for the incoming one.
    fn mean(
        self,
        context: &Context<'_>,
        other: &PodInfo,
        node: &NodeInfo,
        note: &mut dyn FnMut(Meaning, (Symbol, Symbol), i64),
    ) {
        require(context, other, node, note);
        let pod = context.pod;
        let own = !pod.preferred_affinity.is_empty() || !pod.preferred_anti_affinity.is_empty();
        if own || !self.ignore_preferred_terms_of_existing_pods {
            self.prefer(context, other, node, note);
        }
    }

    /// What a pod on a node means for the incoming one, as far as preferences go.
    fn prefer(
        self,
        context: &Context<'_>,
        other: &PodInfo,
        node: &NodeInfo,
        note: &mut dyn FnMut(Meaning, (Symbol, Symbol), i64),
    ) {
        let (pod, cluster) = (context.pod, context.cluster);
        let mut add = |term: &PodTerm, about: &PodInfo, weight: i64| {
            if matches(term, about, cluster)
                && let Some(value) = node.labels.get(term.topology_key)
            {
                note(Meaning::Preferred, (term.topology_key, value), weight);
            }
        };
        for (weight, term) in &pod.preferred_affinity {
            add(term, other, *weight);
        }
        for (weight, term) in &pod.preferred_anti_affinity {
            add(term, other, -weight);
        }
        if self.hard_pod_affinity_weight > 0 {
            for term in &other.required_affinity {
                add(term, pod, self.hard_pod_affinity_weight);
            }
        }
        for (weight, term) in &other.preferred_affinity {
            add(term, pod, *weight);
        }
        for (weight, term) in &other.preferred_anti_affinity {
            add(term, pod, -weight);
        }
    }

    /// Counts the preferences of and about the pods of all nodes.
    fn count_preferred(self, context: &Context<'_>) -> Sums {
        let (pod, cluster) = (context.pod, context.cluster);
        let own = !pod.preferred_affinity.is_empty() || !pod.preferred_anti_affinity.is_empty();
        let mut sums = Sums::default();
        let mut note = |meaning, domain, amount| sums.change(meaning).add(domain, amount, 1);
        if own {
            for node in cluster.nodes().iter().map(|id| cluster.node(*id)) {
                for other in &node.pods {
                    self.prefer(context, other, node, &mut note);
                }
            }
        } else if !self.ignore_preferred_terms_of_existing_pods {
            for node in cluster.nodes_with_affinity() {
                for other in &node.pods_with_affinity {
                    self.prefer(context, other, node, &mut note);
                }
            }
        }
        sums
    }
}

impl PreScore for WithTallies {
    fn pre_score(&self, context: &Context<'_>, state: &mut CycleState, _: &[NodeId]) -> Status {
        let sums = match state.read::<Ready>() {
            Some(Ready(sums)) => {
                debug_assert_eq!(
                    sums.of(Meaning::Preferred),
                    self.plugin.count_preferred(context).of(Meaning::Preferred)
                );
                sums.clone()
            }
            None => self.plugin.count_preferred(context),
        };
        if sums.of(Meaning::Preferred).is_empty() {
            return Status::skip();
        }
        state.write(Preferred(sums));
        Status::success()
    }
}

impl Score for WithTallies {
    /// The preferences of all domains in which the node is.
    fn score(&self, _: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        let Some(Preferred(sums)) = state.read() else { return 0 };
        node.labels.iter().map(|domain| sums.of(Meaning::Preferred).get(domain)).sum()
    }

    fn normalize(&self, _: &Context<'_>, _: &CycleState, _: &[NodeId], scores: &mut [i64]) {
        let (Some(&min), Some(&max)) = (scores.iter().min(), scores.iter().max()) else { return };
        for score in scores {
            *score = if max > min {
                (MAX_NODE_SCORE as f64 * ((*score - min) as f64 / (max - min) as f64)) as i64
            } else {
                0
            };
        }
    }
}
