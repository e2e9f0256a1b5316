//! `DefaultPreemption`: when no node will do, find one where less important pods can go.

use std::cmp::Reverse;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{Cluster, NodeId, NodeInfo, PodInfo, Symbols};
use super::super::framework::{
    Code, CycleState, NodeStatuses, Nomination, Plugin, PluginId, PostFilter, PostFilterContext,
    PostFilterResult, Status,
};
use super::super::message::fit_error;
use super::super::preemption::{Budget, Candidate as Report, NotCandidate, Preemption};
use super::super::queue::EventKinds;
use super::arguments;

pub(super) const NAME: &str = "DefaultPreemption";

/// `DefaultPreemptionArgs`
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct DefaultPreemption {
    /// How many per cent of the nodes are tried at least.
    min_candidate_nodes_percentage: usize,
    /// How many nodes are tried at least.
    min_candidate_nodes_absolute: usize,
}

impl Default for DefaultPreemption {
    fn default() -> Self {
        Self { min_candidate_nodes_percentage: 10, min_candidate_nodes_absolute: 100 }
    }
}

pub(super) fn new(args: &Value, _: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let plugin: DefaultPreemption = arguments(args)?;
    if plugin.min_candidate_nodes_percentage > 100 {
        return Err(format!(
            "minCandidateNodesPercentage: Invalid value: {}: not in valid range [0, 100]",
            plugin.min_candidate_nodes_percentage
        ));
    }
    if plugin.min_candidate_nodes_percentage == 0 && plugin.min_candidate_nodes_absolute == 0 {
        return Err("minCandidateNodesPercentage: Invalid value: 0: cannot be zero at the same time as \
             minCandidateNodesAbsolute"
            .to_owned());
    }
    Ok(Box::new(plugin))
}

impl Plugin for DefaultPreemption {
    fn name(&self) -> &str {
        NAME
    }

    fn post_filter(&self) -> Option<&dyn PostFilter> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::NONE
    }
}

/// A node on which the pod would fit without the victims.
struct Candidate {
    node: NodeId,
    /// Most important first.
    victims: Vec<Arc<PodInfo>>,
    pdb_violations: i64,
}

impl PostFilter for DefaultPreemption {
    fn post_filter(
        &self,
        cx: &PostFilterContext<'_>,
        state: &CycleState,
        statuses: &NodeStatuses,
    ) -> PostFilterResult {
        if let Some(message) = why_not_eligible(cx, statuses) {
            return PostFilterResult {
                status: Status::unschedulable(format!("preemption: {message}")),
                ..PostFilterResult::default()
            };
        }
        let (candidates, refused) = self.find_candidates(cx, state, statuses);
        let cluster = cx.context.cluster;
        let best = pick(&candidates);
        let mut report = Preemption::default();
        let told = candidates
            .iter()
            .filter(|candidate| cx.explain || best.is_some_and(|best| best.node == candidate.node));
        for candidate in told {
            let name = |pod: &Arc<PodInfo>| {
                format!("{}/{}", cluster.symbols.name(pod.namespace), cluster.symbols.name(pod.name))
            };
            report.candidates.insert(
                Arc::clone(cluster.node_name(candidate.node)),
                Report {
                    victims: candidate.victims.iter().map(name).collect(),
                    pdb_violations: candidate.pdb_violations,
                },
            );
        }
        for rejection in refused.iter().filter(|_| cx.explain) {
            report.not_candidates.insert(
                Arc::clone(cluster.node_name(rejection.node)),
                NotCandidate { code: rejection.status.code, reasons: rejection.status.reasons.to_vec() },
            );
        }
        let Some(best) = best else {
            let message = fit_error(cluster.nodes().len(), "", &refused, "");
            return PostFilterResult {
                status: Status::unschedulable(format!("preemption: {message}")),
                nomination: Nomination::Clear,
                preemption: Some(report),
                deallocate: None,
            };
        };
        report.target = Some(Arc::clone(cluster.node_name(best.node)));
        PostFilterResult {
            status: Status::success(),
            nomination: Nomination::Node(best.node),
            preemption: Some(report),
            deallocate: None,
        }
    }
}

fn why_not_eligible(cx: &PostFilterContext<'_>, statuses: &NodeStatuses) -> Option<&'static str> {
    let pod = cx.context.pod;
    if !pod.may_preempt {
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let group = cx.context.cluster.groups.of(pod);
    if group.is_some_and(|group| group.policy.is_some_and(|policy| policy.topology.is_some())) {
        // Each placement would evict pods of its own.
        return Some("not eligible due to placement-based pod group scheduling limitation");
    }
    let nominated = cx.nominated_node?;
    if statuses.get(nominated).code == Code::UnschedulableAndUnresolvable {
        return None;
    }
    let going =
        |victim: &&Arc<PodInfo>| victim.priority < pod.priority && is_terminating_by_preemption(victim);
    let waits = cx.context.cluster.node(nominated).pods.iter().any(|victim| going(&victim));
    waits.then_some("not eligible due to a terminating pod on the nominated node.")
}

fn is_terminating_by_preemption(pod: &PodInfo) -> bool {
    pod.terminating && pod.rest.preempted
}

impl DefaultPreemption {
    /// Tries nodes until there are enough candidates; the answer of every node that is none comes along.
    fn find_candidates(
        &self,
        cx: &PostFilterContext<'_>,
        state: &CycleState,
        statuses: &NodeStatuses,
    ) -> (Vec<Candidate>, NodeStatuses) {
        let cluster = cx.context.cluster;
        let mut refused = NodeStatuses::new(Status::unresolvable("Preemption is not helpful for scheduling"));
        let nodes: Vec<NodeId> = if statuses.absent.code == Code::Unschedulable {
            let unresolvable = |node: &NodeId| statuses.get(*node).code != Code::Unschedulable;
            cluster.nodes().iter().copied().filter(|node| !unresolvable(node)).collect()
        } else {
            let helpful = statuses.iter().filter(|r| r.status.code == Code::Unschedulable);
            helpful.map(|rejection| rejection.node).collect()
        };
        let enough = (nodes.len() * self.min_candidate_nodes_percentage / 100)
            .max(self.min_candidate_nodes_absolute)
            .min(nodes.len());
        let (mut clean, mut violating) = (Vec::new(), Vec::new());
        // Upstream begins at a random node, so that large clusters do not always try the same ones.
        for node in nodes {
            match select_victims(cx, state, cluster.node(node)) {
                Ok((victims, pdb_violations)) => {
                    let list = if pdb_violations == 0 { &mut clean } else { &mut violating };
                    list.push(Candidate { node, victims, pdb_violations });
                    if !clean.is_empty() && clean.len() + violating.len() >= enough {
                        break;
                    }
                }
                Err(status) => refused.reject(node, PluginId::new(0), status),
            }
        }
        clean.append(&mut violating);
        (clean, refused)
    }
}

/// The fewest pods that have to go from a node, and how many of them budgets protect.
fn select_victims(
    cx: &PostFilterContext<'_>,
    state: &CycleState,
    node: &NodeInfo,
) -> Result<(Vec<Arc<PodInfo>>, i64), Status> {
    let context = &cx.context;
    let lower = node.pods.iter().filter(|pod| pod.priority < context.pod.priority);
    let mut potential: Vec<Arc<PodInfo>> = lower.cloned().collect();
    if potential.is_empty() {
        return Err(Status::unresolvable("No preemption victims found for incoming pod"));
    }
    let (mut node, mut state) = (node.clone(), state.clone());
    for pod in &potential {
        node.remove_pod(pod);
        cx.filters.run_remove_pod(context, &mut state, pod, &node);
    }
    let status = cx.filters.run_filters(context, &state, &node);
    if !status.is_success() {
        return Err(status);
    }
    potential.sort_by_key(importance);
    let (violating, others) = split_by_budget(potential, cx.budgets, &context.cluster.symbols);
    let both = !violating.is_empty() && !others.is_empty();
    let protected = violating.len();
    let mut victims = Vec::new();
    let mut pdb_violations = 0;
    // The protected ones come back first, then the others, in each group the important ones first.
    for (index, pod) in violating.into_iter().chain(others).enumerate() {
        node.add_pod(&pod);
        cx.filters.run_add_pod(context, &mut state, &pod, &node);
        if !cx.filters.run_filters(context, &state, &node).is_success() {
            node.remove_pod(&pod);
            cx.filters.run_remove_pod(context, &mut state, &pod, &node);
            victims.push(pod);
            pdb_violations += i64::from(index < protected);
        }
    }
    if both {
        victims.sort_by_key(importance);
    }
    if victims.is_empty() {
        // Only a plugin that contradicts itself refuses a pod with these there and accepts it with them back.
        return Err(Status::new(Code::Error, "expected at least one victim pod on the node"));
    }
    Ok((victims, pdb_violations))
}

/// Sorts the more important pod first: higher priority, then longer running (`MoreImportantPod`).
fn importance(pod: &Arc<PodInfo>) -> (Reverse<i32>, Timestamp) {
    // A pod that has not started counts as started just now.
    (Reverse(pod.priority), pod.start_time.unwrap_or(Timestamp::MAX))
}

/// Splits pods into those whose disruption a budget forbids and the others, in their order.
fn split_by_budget(
    pods: Vec<Arc<PodInfo>>,
    budgets: &[Budget],
    symbols: &Symbols,
) -> (Vec<Arc<PodInfo>>, Vec<Arc<PodInfo>>) {
    let mut allowed: Vec<i64> = budgets.iter().map(|budget| i64::from(budget.disruptions_allowed)).collect();
    pods.into_iter().partition(|pod| {
        let mut violates = false;
        for (budget, allowed) in budgets.iter().zip(&mut allowed) {
            if budget.protects(pod, symbols) {
                *allowed -= 1;
                violates |= *allowed < 0;
            }
        }
        violates
    })
}

/// The candidate that hurts least.
fn pick(candidates: &[Candidate]) -> Option<&Candidate> {
    // The first of equals; upstream takes any.
    candidates.iter().min_by_key(|candidate| {
        let highest = candidate.victims.first().map_or(i32::MIN, |pod| pod.priority);
        // Shifted so that many pods of negative priority do not count as less than few.
        let sum: i64 = candidate.victims.iter().map(|pod| i64::from(pod.priority) + (1 << 31)).sum();
        let most_important = candidate.victims.iter().filter(|pod| pod.priority == highest);
        let earliest = most_important.map(|pod| pod.start_time.unwrap_or(Timestamp::MAX)).min();
        (candidate.pdb_violations, highest, sum, candidate.victims.len(), Reverse(earliest))
    })
}
