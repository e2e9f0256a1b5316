//! Why a group is where it is or waits, as data.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::super::decision::Attempt;
use crate::sim::SimTime;

/// One cycle of a pod group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupAttempt {
    /// When.
    pub at: SimTime,
    /// 1 for the first.
    pub number: u32,
    /// Namespace of the group.
    pub namespace: Arc<str>,
    /// Name of the group.
    pub name: Arc<str>,
    /// The placements that were tried; one that is the whole cluster for a group without a topology.
    pub placements: Vec<PlacementAttempt>,
    /// Index of the placement that counts: the best, or the first if none would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<usize>,
    /// Status of the condition `PodGroupScheduled`.
    pub scheduled: bool,
    /// Its reason: `Scheduled`, `Unschedulable` or `SchedulerError`.
    pub reason: String,
    /// Its message.
    pub message: String,
}

/// One placement that was tried.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacementAttempt {
    /// The value of the topology label; empty for the whole cluster.
    pub name: Arc<str>,
    /// How many nodes it has.
    pub nodes: usize,
    /// Whether the group could go there, perhaps after a preemption.
    pub feasible: bool,
    /// Pods by name, in the order in which they were tried, each with what came of it. Only
    /// with [`Recording::Full`](super::super::Recording::Full).
    pub pods: Vec<(Arc<str>, Attempt)>,
    /// Scores, if there was more than one feasible placement.
    pub scores: Vec<PlacementScoreRow>,
    /// The sum of normalised scores times weights.
    pub total: i64,
}

/// The score that one plugin gave to a placement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacementScoreRow {
    /// `PodGroupPodsCount`
    pub plugin: Arc<str>,
    /// As the plugin gave it.
    pub raw: i64,
    /// Brought into 0 to 100.
    pub normalized: i64,
    /// What it is multiplied by.
    pub weight: i64,
}
