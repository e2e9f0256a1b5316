//! `PodTopologySpread`: pods that belong together are spread over zones, nodes or any other domain.

mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::TopologySpreadConstraint;
use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{
    Cluster, Labels, NodeId, NodeInfo, PodInfo, Selector, SpreadConstraint, Symbol, WhenUnsatisfiable,
    first_untolerated,
};
use super::super::framework::{
    Context, CycleState, Filter, MAX_NODE_SCORE, Plugin, PreFilter, PreFilterResult, PreScore, Prepare,
    Score, Status,
};
use super::super::queue::{ClusterChange, EventKinds, Hint};
use super::arguments;
use tally::{Domains, Tallies};

pub(super) const NAME: &str = "PodTopologySpread";

/// `PodTopologySpreadArgs`
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    defaulting_type: DefaultingType,
    default_constraints: Vec<TopologySpreadConstraint>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
enum DefaultingType {
    /// The constraints that kube-scheduler brings along.
    #[default]
    System,
    /// Those of the arguments.
    List,
}

#[derive(Clone, Debug)]
struct PodTopologySpread {
    /// Constraints of pods that have none of their own; their selector comes from the pod's owner.
    defaults: Vec<SpreadConstraint>,
    system_defaults: bool,
    hostname: Symbol,
    /// Pods per domain, from one cycle to the next.
    tallies: Tallies,
}

pub(super) fn new(args: &Value, cluster: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    let system_defaults = args.defaulting_type == DefaultingType::System;
    if system_defaults && !args.default_constraints.is_empty() {
        return Err("when .defaultingType is System, .defaultConstraints must be empty".to_owned());
    }
    if args.default_constraints.iter().any(|constraint| constraint.label_selector.is_some()) {
        return Err("defaultConstraints[].labelSelector: Forbidden: constraint must not define a selector, \
                    as they deduced for each pod"
            .to_owned());
    }
    let constraint = |key: &str, max_skew| TopologySpreadConstraint {
        topology_key: key.to_owned(),
        max_skew,
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        ..TopologySpreadConstraint::default()
    };
    let constraints = if system_defaults {
        vec![constraint("kubernetes.io/hostname", 3), constraint("topology.kubernetes.io/zone", 5)]
    } else {
        args.default_constraints
    };
    let symbols = &mut cluster.symbols;
    Ok(Box::new(PodTopologySpread {
        defaults: constraints.iter().map(|c| SpreadConstraint::new(c, &Labels::default(), symbols)).collect(),
        system_defaults,
        hostname: symbols.intern("kubernetes.io/hostname"),
        tallies: Tallies::default(),
    }))
}

/// What the filter looks at: per hard constraint, pods per domain.
#[derive(Clone, Debug)]
struct Hard {
    constraints: Arc<[SpreadConstraint]>,
    domains: Arc<Vec<Domains>>,
}

impl Hard {
    /// Counts the pods of every node.
    fn count(constraints: &[SpreadConstraint], context: &Context<'_>) -> Self {
        let mut domains = vec![Domains::default(); constraints.len()];
        for node in context.cluster.nodes().iter().map(|id| context.cluster.node(*id)) {
            if !has_all_keys(node, constraints) {
                continue;
            }
            for (constraint, domains) in constraints.iter().zip(&mut domains) {
                if let Some(value) = node
                    .labels
                    .get(constraint.topology_key)
                    .filter(|_| counts_node(constraint, context, node))
                {
                    domains.add(value, matching_pods(constraint, context, node));
                }
            }
        }
        Self { constraints: constraints.into(), domains: Arc::new(domains) }
    }

    /// How many pods the emptiest domain of a constraint has; with too few domains, none.
    fn minimum(constraint: &SpreadConstraint, domains: &Domains) -> i64 {
        let few = (domains.len() as i64) < i64::from(constraint.min_domains);
        if few { 0 } else { domains.emptiest().unwrap_or(0) }
    }

    fn update(&mut self, context: &Context<'_>, other: &PodInfo, node: &NodeInfo, amount: i64) {
        if other.namespace != context.pod.namespace || !has_all_keys(node, &self.constraints) {
            return;
        }
        for (index, constraint) in self.constraints.iter().enumerate() {
            if counts_node(constraint, context, node)
                && constraint.selector.matches(&other.labels, &context.cluster.symbols)
                && let Some(value) = node.labels.get(constraint.topology_key)
            {
                Arc::make_mut(&mut self.domains)[index].add(value, amount);
            }
        }
    }
}

/// What the score looks at: per soft constraint, pods per domain.
#[derive(Clone, Debug)]
struct Soft {
    constraints: Vec<SpreadConstraint>,
    /// Domains of the feasible nodes; nodes without the label are a domain of their own.
    domains: Vec<BTreeMap<Option<Symbol>, i64>>,
    /// Feasible nodes that lack a label.
    ignored: BTreeSet<NodeId>,
    /// What a pod weighs; more if there are more domains.
    weights: Vec<f64>,
}

fn has_all_keys(node: &NodeInfo, constraints: &[SpreadConstraint]) -> bool {
    constraints.iter().all(|constraint| node.labels.get(constraint.topology_key).is_some())
}

/// Whether a constraint counts the pods of a node at all.
fn counts_node(constraint: &SpreadConstraint, context: &Context<'_>, node: &NodeInfo) -> bool {
    let pod = context.pod;
    (!constraint.honor_affinity || pod.node_affinity.allows(node, &context.cluster.symbols))
        && (!constraint.honor_taints || first_untolerated(&node.taints, &pod.tolerations).is_none())
}

/// Pods of a node that a constraint counts.
fn matching_pods(constraint: &SpreadConstraint, context: &Context<'_>, node: &NodeInfo) -> i64 {
    // A selector that selects everything counts nothing: so does upstream.
    if constraint.selector.is_everything() {
        return 0;
    }
    let counted = |other: &&Arc<PodInfo>| {
        !other.terminating
            && other.namespace == context.pod.namespace
            && constraint.selector.matches(&other.labels, &context.cluster.symbols)
    };
    node.pods.iter().filter(counted).count() as i64
}

impl PodTopologySpread {
    /// The pod's constraints of that kind, or the default ones if it has none at all.
    fn constraints(&self, context: &Context<'_>, kind: WhenUnsatisfiable) -> Vec<SpreadConstraint> {
        let of_kind = |list: &[SpreadConstraint]| -> Vec<SpreadConstraint> {
            list.iter().filter(|constraint| constraint.when_unsatisfiable == kind).cloned().collect()
        };
        if !context.pod.spread.is_empty() {
            return of_kind(&context.pod.spread);
        }
        let mut constraints = of_kind(&self.defaults);
        if constraints.is_empty() {
            return constraints;
        }
        let selector: Selector = context.cluster.default_selector(context.pod);
        if selector.is_everything() {
            return Vec::new();
        }
        for constraint in &mut constraints {
            constraint.selector = selector.clone();
        }
        constraints
    }
}

impl Plugin for PodTopologySpread {
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
            | EventKinds::POD_UPDATE_TOLERATION
            | EventKinds::NODE_ADD
            | EventKinds::NODE_DELETE
            | EventKinds::NODE_UPDATE_LABEL
            | EventKinds::NODE_UPDATE_TAINT
    }

    fn queueing_hint(&self, context: &Context<'_>, change: &ClusterChange<'_>) -> Hint {
        let constraints = self.constraints(context, WhenUnsatisfiable::DoNotSchedule);
        let symbols = &context.cluster.symbols;
        let counted = |other: &PodInfo| {
            other.namespace == context.pod.namespace
                && constraints.iter().any(|constraint| constraint.selector.matches(&other.labels, symbols))
        };
        let worth = match change {
            ClusterChange::AssignedPodAdded(pod) | ClusterChange::AssignedPodDeleted(pod) => counted(pod),
            ClusterChange::AssignedPodUpdated { old, new } | ClusterChange::PodUpdated { old, new } => {
                new.namespace == context.pod.namespace
                    && constraints.iter().any(|constraint| {
                        constraint.selector.matches(&old.labels, symbols)
                            != constraint.selector.matches(&new.labels, symbols)
                    })
            }
            ClusterChange::NodeAdded(new) => has_all_keys(new, &constraints),
            ClusterChange::NodeUpdated { old, new } => {
                let value = |node: &NodeInfo, c: &SpreadConstraint| node.labels.get(c.topology_key);
                let (before, after) = (has_all_keys(old, &constraints), has_all_keys(new, &constraints));
                before != after
                    || (after
                        && constraints.iter().any(|c| {
                            value(old, c) != value(new, c) || (c.honor_taints && old.taints != new.taints)
                        }))
            }
            _ => true,
        };
        if worth { Hint::Queue } else { Hint::Skip }
    }
}

impl Prepare for PodTopologySpread {
    fn prepare(&mut self, context: &Context<'_>, state: &mut CycleState) {
        // In a part of the cluster only the pods of that part count.
        if context.pod.spread.is_empty() && self.system_defaults || context.cluster.is_placement() {
            return;
        }
        let constraints = self.constraints(context, WhenUnsatisfiable::DoNotSchedule);
        if constraints.is_empty() {
            return;
        }
        if let Some(hard) = self.tallies.of(context, &constraints) {
            state.write(hard);
        }
    }
}

impl PreFilter for PodTopologySpread {
    fn pre_filter(&self, context: &Context<'_>, state: &mut CycleState) -> PreFilterResult {
        if let Some(hard) = state.read::<Hard>() {
            // Made ready before the cycle. The same as if all were counted now.
            debug_assert_eq!(hard.domains, Hard::count(&hard.constraints, context).domains);
            return Status::success().into();
        }
        let constraints = self.constraints(context, WhenUnsatisfiable::DoNotSchedule);
        if constraints.is_empty() {
            return Status::skip().into();
        }
        state.write(Hard::count(&constraints, context));
        Status::success().into()
    }

    fn add_pod(&self, context: &Context<'_>, state: &mut CycleState, other: &PodInfo, node: &NodeInfo) {
        if let Some(hard) = state.read_mut::<Hard>() {
            hard.update(context, other, node, 1);
        }
    }

    fn remove_pod(&self, context: &Context<'_>, state: &mut CycleState, other: &PodInfo, node: &NodeInfo) {
        if let Some(hard) = state.read_mut::<Hard>() {
            hard.update(context, other, node, -1);
        }
    }
}

impl Filter for PodTopologySpread {
    fn filter(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> Status {
        let Some(hard) = state.read::<Hard>() else { return Status::success() };
        for (constraint, domains) in hard.constraints.iter().zip(&*hard.domains) {
            let Some(value) = node.labels.get(constraint.topology_key) else {
                return Status::unresolvable(
                    "node(s) didn't match pod topology spread constraints (missing required label)",
                );
            };
            let own = constraint.selector.matches(&context.pod.labels, &context.cluster.symbols);
            let there = domains.get(value).unwrap_or(0);
            if there + i64::from(own) - Hard::minimum(constraint, domains) > i64::from(constraint.max_skew) {
                return Status::unschedulable("node(s) didn't match pod topology spread constraints");
            }
        }
        Status::success()
    }
}

impl PreScore for PodTopologySpread {
    fn pre_score(&self, context: &Context<'_>, state: &mut CycleState, nodes: &[NodeId]) -> Status {
        let constraints = self.constraints(context, WhenUnsatisfiable::ScheduleAnyway);
        if constraints.is_empty() {
            return Status::skip();
        }
        // With the built-in constraints a node without a zone is still spread over by its name.
        let all_keys = !context.pod.spread.is_empty() || !self.system_defaults;
        let mut ignored = BTreeSet::new();
        let mut domains: Vec<BTreeMap<Option<Symbol>, i64>> = vec![BTreeMap::new(); constraints.len()];
        for id in nodes {
            let node = context.cluster.node(*id);
            if all_keys && !has_all_keys(node, &constraints) {
                ignored.insert(*id);
                continue;
            }
            for (constraint, domains) in constraints.iter().zip(&mut domains) {
                if constraint.topology_key != self.hostname {
                    domains.entry(node.labels.get(constraint.topology_key)).or_default();
                }
            }
        }
        let weight = |(constraint, domains): (&SpreadConstraint, &BTreeMap<_, _>)| {
            let per_node = constraint.topology_key == self.hostname;
            let size = if per_node { nodes.len() - ignored.len() } else { domains.len() };
            (size as f64 + 2.0).ln()
        };
        let weights = constraints.iter().zip(&domains).map(weight).collect();
        for node in context.cluster.nodes().iter().map(|id| context.cluster.node(*id)) {
            if all_keys && !has_all_keys(node, &constraints) {
                continue;
            }
            for (constraint, domains) in constraints.iter().zip(&mut domains) {
                // Domains without a feasible node do not matter; hosts are counted when they are scored.
                if let Some(total) = domains.get_mut(&node.labels.get(constraint.topology_key))
                    && counts_node(constraint, context, node)
                {
                    *total += matching_pods(constraint, context, node);
                }
            }
        }
        state.write(Soft { constraints, domains, ignored, weights });
        Status::success()
    }
}

impl Score for PodTopologySpread {
    /// How many pods are in the domains of the node: the fewer the better.
    fn score(&self, context: &Context<'_>, state: &CycleState, node: &NodeInfo) -> i64 {
        let Some(soft) = state.read::<Soft>() else { return 0 };
        if soft.ignored.contains(&node.id) {
            return 0;
        }
        let mut score = 0.0;
        for ((constraint, domains), weight) in soft.constraints.iter().zip(&soft.domains).zip(&soft.weights) {
            let Some(value) = node.labels.get(constraint.topology_key) else { continue };
            let count = if constraint.topology_key == self.hostname {
                matching_pods(constraint, context, node)
            } else {
                domains.get(&Some(value)).copied().unwrap_or(0)
            };
            score += count as f64 * weight + (f64::from(constraint.max_skew) - 1.0);
        }
        score.round() as i64
    }

    fn normalize(&self, _: &Context<'_>, state: &CycleState, nodes: &[NodeId], scores: &mut [i64]) {
        let Some(soft) = state.read::<Soft>() else { return };
        let valid = nodes.iter().zip(scores.iter()).filter(|(node, _)| !soft.ignored.contains(*node));
        let (mut min, mut max) = (i64::MAX, 0);
        for (_, score) in valid {
            min = min.min(*score);
            max = max.max(*score);
        }
        for (node, score) in nodes.iter().zip(scores) {
            *score = if soft.ignored.contains(node) {
                0
            } else if max == 0 {
                MAX_NODE_SCORE
            } else {
                MAX_NODE_SCORE * (max + min - *score) / max
            };
        }
    }
}
