//! `InterPodAffinity`: near some pods, away from others.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, NodeInfo, PodInfo, PodTerm, Symbol};
use super::super::framework::{
    Context, CycleState, Filter, MAX_NODE_SCORE, Plugin, PreFilter, PreFilterResult, PreScore, Score, Status,
};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::arguments;

pub(super) const NAME: &str = "InterPodAffinity";

/// `InterPodAffinityArgs`
#[derive(Clone, Debug, Deserialize)]
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
    Ok(Box::new(plugin))
}

/// Something counted per domain: label key and value.
type PerDomain = BTreeMap<(Symbol, Symbol), i64>;

/// Adds to the domain of a node, if the node is in one.
fn count(domains: &mut PerDomain, node: &NodeInfo, key: Symbol, amount: i64) {
    let Some(value) = node.labels.get(key) else { return };
    let slot = domains.entry((key, value)).or_default();
    *slot += amount;
    if *slot == 0 {
        domains.remove(&(key, value));
    }
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
struct Required {
    /// Pods per domain that want the incoming pod away.
    unwelcome: PerDomain,
    /// Pods per domain that all affinity terms of the incoming pod speak of.
    near: PerDomain,
    /// Pods per domain that an anti-affinity term of the incoming pod speaks of.
    away: PerDomain,
}

impl Required {
    /// Counts a pod that is on a node (`amount` 1) or goes from it (-1).
    fn update(&mut self, context: &Context<'_>, other: &PodInfo, node: &NodeInfo, amount: i64) {
        let (pod, cluster) = (context.pod, context.cluster);
        for term in &other.required_anti_affinity {
            if matches(term, pod, cluster) {
                count(&mut self.unwelcome, node, term.topology_key, amount);
            }
        }
        if matches_all(&pod.required_affinity, other, cluster) {
            for term in &pod.required_affinity {
                count(&mut self.near, node, term.topology_key, amount);
            }
        }
        for term in &pod.required_anti_affinity {
            if matches(term, other, cluster) {
                count(&mut self.away, node, term.topology_key, amount);
            }
        }
    }
}

/// What the score looks at: preference per domain.
#[derive(Clone, Debug, Default)]
struct Preferred(PerDomain);

impl Plugin for InterPodAffinity {
    fn name(&self) -> &str {
        NAME
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

impl PreFilter for InterPodAffinity {
    fn pre_filter(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterResult {
        let (pod, cluster) = (context.pod, context.cluster);
        let mut required = Required::default();
        if pod.required_affinity.is_empty() && pod.required_anti_affinity.is_empty() {
            for node in cluster.nodes_with_required_anti_affinity() {
                for other in &node.pods_with_required_anti_affinity {
                    required.update(context, other, node, 1);
                }
            }
            if required.unwelcome.is_empty() {
                return Status::skip().into();
            }
        } else {
            for node in cluster.nodes().iter().map(|id| cluster.node(*id)) {
                for other in &node.pods {
                    required.update(context, other, node, 1);
                }
            }
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

impl Filter for InterPodAffinity {
    fn filter(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status {
        let Some(required) = state.read::<Required>() else { return Status::success() };
        let pod = context.pod;
        let there = |domains: &PerDomain, key: Symbol| {
            node.labels.get(key).is_some_and(|value| domains.get(&(key, value)).is_some_and(|n| *n > 0))
        };
        let mut near = true;
        for term in &pod.required_affinity {
            if node.labels.get(term.topology_key).is_none() {
                return refused_by_affinity();
            }
            near &= there(&required.near, term.topology_key);
        }
        // The first of a group that wants to be near itself may go anywhere.
        let first = || required.near.is_empty() && matches_all(&pod.required_affinity, pod, context.cluster);
        if !near && !first() {
            return refused_by_affinity();
        }
        if pod.required_anti_affinity.iter().any(|term| there(&required.away, term.topology_key)) {
            return Status::unschedulable("node(s) didn't match pod anti-affinity rules");
        }
        let unwelcome = |(key, value)| required.unwelcome.get(&(key, value)).is_some_and(|n| *n > 0);
        if !required.unwelcome.is_empty() && node.labels.iter().any(unwelcome) {
            return Status::unschedulable("node(s) didn't satisfy existing pods anti-affinity rules");
        }
        Status::success()
    }
}

fn refused_by_affinity() -> Status {
    Status::unresolvable("node(s) didn't match pod affinity rules")
}

impl InterPodAffinity {
    /// Counts what a pod on a node means for the incoming one.
    fn prefer(&self, context: &Context<'_>, domains: &mut PerDomain, other: &PodInfo, node: &NodeInfo) {
        let (pod, cluster) = (context.pod, context.cluster);
        let mut add = |term: &PodTerm, about: &PodInfo, weight: i64| {
            if matches(term, about, cluster)
                && let Some(value) = node.labels.get(term.topology_key)
            {
                *domains.entry((term.topology_key, value)).or_default() += weight;
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
}

impl PreScore for InterPodAffinity {
    fn pre_score(&self, context: &Context<'_>, state: &mut CycleState, _: &[NodeId]) -> Status {
        let (pod, cluster) = (context.pod, context.cluster);
        let own = !pod.preferred_affinity.is_empty() || !pod.preferred_anti_affinity.is_empty();
        let mut domains = PerDomain::new();
        if own {
            for node in cluster.nodes().iter().map(|id| cluster.node(*id)) {
                for other in &node.pods {
                    self.prefer(context, &mut domains, other, node);
                }
            }
        } else if !self.ignore_preferred_terms_of_existing_pods {
            for node in cluster.nodes_with_affinity() {
                for other in &node.pods_with_affinity {
                    self.prefer(context, &mut domains, other, node);
                }
            }
        }
        if domains.is_empty() {
            return Status::skip();
        }
        state.write(Preferred(domains));
        Status::success()
    }
}

impl Score for InterPodAffinity {
    /// The preferences of all domains in which the node is.
    fn score(&self, _: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        let Some(Preferred(domains)) = state.read() else { return 0 };
        node.labels.iter().filter_map(|domain| domains.get(&domain)).sum()
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
