//! Why: every attempt to place a pod, as data.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cluster::NodeId;
use super::cycle::{Found, Scores};
use super::framework::{Code, Context, PluginId, Profile, Reason, Status};
use super::preemption::Preemption;
use crate::order::Collected;
use crate::sim::SimTime;

/// How much of each attempt is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    /// Everything: the verdict of every node and every score of every plugin.
    #[default]
    Full,
    /// Only what came of it, for runs over thousands of nodes.
    Brief,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "outcome")]
pub enum Outcome {
    /// It is bound.
    Scheduled {
        /// To that node.
        node: Arc<str>,
    },
    /// A node is reserved, and a plugin asked to wait before binding.
    Waiting {
        /// That node.
        node: Arc<str>,
    },
    /// No node will do at present.
    Unschedulable,
    /// Something went wrong; it is tried again after a back-off.
    Error,
    /// It was not tried: it is being deleted.
    Skipped,
}

/// The answer of the filters for one node that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilterResult {
    /// The first plugin that refused it.
    pub plugin: Arc<str>,
    /// Whether preemption could help.
    pub code: Code,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// A plugin that gave scores, and what they were multiplied by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScorePlugin {
    /// `NodeResourcesFit`
    pub name: Arc<str>,
    /// What its normalised score is multiplied by.
    pub weight: i64,
}

/// The scores of one feasible node, in the order of [`Attempt::score_plugins`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeScore {
    /// The node.
    pub node: Arc<str>,
    /// As each plugin gave them.
    pub raw: Vec<i64>,
    /// Brought into 0 to 100.
    pub normalized: Vec<i64>,
    /// The sum of normalised scores times weights.
    pub total: i64,
}

/// One attempt to place a pod.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// When.
    pub at: SimTime,
    /// 1 for the first.
    pub number: u32,
    /// The profile.
    pub scheduler_name: Arc<str>,
    /// How many nodes there were.
    pub all_nodes: usize,
    /// How many of them were looked at; the search stops when enough are feasible.
    pub evaluated: usize,
    /// The rejection of the pod as a whole, before any node was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_filter: Option<FilterResult>,
    /// Refused nodes.
    pub filter: BTreeMap<Arc<str>, FilterResult>,
    /// Nodes that would do, in the order in which they were found.
    pub feasible: Vec<Arc<str>>,
    /// Plugins that gave scores; none if there was at most one feasible node.
    pub score_plugins: Vec<ScorePlugin>,
    /// Scores of the feasible nodes.
    pub scores: Vec<NodeScore>,
    /// How preemption went, if it was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preemption: Option<Preemption>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The message of the pod's `PodScheduled` condition; empty if it was scheduled.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// What the scheduler decided about one pod, and what its owner has to do about it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Namespace of the pod.
    pub namespace: Arc<str>,
    /// Name of the pod.
    pub name: Arc<str>,
    /// How it came about.
    pub attempt: Arc<Attempt>,
    /// `status.nominatedNodeName` is to become this (empty: is to be cleared).
    pub nominated_node: Option<Arc<str>>,
    /// Pods that are to be evicted for it: namespace and name.
    pub victims: Vec<(Arc<str>, Arc<str>)>,
    /// Pods that lose their nomination to the same node: namespace and name.
    pub cleared_nominations: Vec<(Arc<str>, Arc<str>)>,
    /// The cycle of the pod's group, with the last decision of that cycle.
    pub group: Option<Arc<super::gang::GroupAttempt>>,
}

impl Decision {
    /// The node that was chosen.
    pub fn node(&self) -> Option<&Arc<str>> {
        match &self.attempt.outcome {
            Outcome::Scheduled { node } | Outcome::Waiting { node } => Some(node),
            _ => None,
        }
    }
}

/// Writes down what became of every node.
pub(super) fn record_filters(attempt: &mut Attempt, context: &Context<'_>, profile: &Profile, found: &Found) {
    let result = |plugin: PluginId, status: &Status| FilterResult {
        plugin: profile.plugin(plugin).name().into(),
        code: status.code,
        reasons: status.reasons.to_vec(),
    };
    attempt.pre_filter = found.pre_filter.as_ref().map(|(plugin, status)| result(*plugin, status));
    let name = |node: NodeId| Arc::clone(context.cluster.node_name(node));
    attempt.feasible = found.feasible.iter().map(|node| name(*node)).collect();
    attempt.filter = found.statuses.iter().map(|r| (name(r.node), result(r.plugin, r.status))).into_map();
}

/// Writes down every score.
pub(super) fn record_scores(
    attempt: &mut Attempt,
    context: &Context<'_>,
    profile: &Profile,
    found: &Found,
    scores: &Scores,
) {
    attempt.score_plugins = scores
        .plugins
        .iter()
        .map(|id| ScorePlugin {
            name: profile.plugin(*id).name().into(),
            weight: profile.weights[id.index()],
        })
        .collect();
    let column = |values: &[i64], node: usize| -> Vec<i64> {
        (0..scores.plugins.len()).map(|plugin| scores.row(values, plugin)[node]).collect()
    };
    attempt.scores = (0..found.feasible.len())
        .map(|node| NodeScore {
            node: Arc::clone(context.cluster.node_name(found.feasible[node])),
            raw: column(&scores.raw, node),
            normalized: column(&scores.normalized, node),
            total: scores.totals[node],
        })
        .collect();
}
