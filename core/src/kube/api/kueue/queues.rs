//! Flavors, quotas and queues.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Taint, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, LabelSelector, ObjectMeta};
use serde::{Deserialize, Serialize};

use super::marker::{
    ClusterQueueKind, GroupVersion, LocalQueueKind, ResourceFlavorKind, WorkloadPriorityClassKind,
};

/// A kind of node that quota is counted by: on demand or spot, A100 or H100.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceFlavor {
    /// `kueue.x-k8s.io/v1beta2`
    pub api_version: GroupVersion,
    /// `ResourceFlavor`
    pub kind: ResourceFlavorKind,
    /// Standard metadata.
    pub metadata: ObjectMeta,
    /// What its nodes are like.
    pub spec: ResourceFlavorSpec,
}

/// What the nodes of a flavor are like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceFlavorSpec {
    /// Labels of the nodes; pods that are admitted with this flavor get them as node selector.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub node_labels: BTreeMap<String, String>,
    /// Taints of the nodes; pods must tolerate them to be admitted with this flavor.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub node_taints: Vec<Taint>,
    /// Tolerations that admitted pods get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topology_name: Option<String>,
}

/// A pool of quota, and who may use it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterQueue {
    /// `kueue.x-k8s.io/v1beta2`
    pub api_version: GroupVersion,
    /// `ClusterQueue`
    pub kind: ClusterQueueKind,
    /// Standard metadata.
    pub metadata: ObjectMeta,
    /// The quota.
    pub spec: ClusterQueueSpec,
    /// Its use.
    pub status: ClusterQueueStatus,
}

/// Quota and policies of a ClusterQueue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterQueueSpec {
    /// Resources that are given out together, each group with its flavors in the order in which they are tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_groups: Vec<ResourceGroup>,
    /// Not modelled: borrowing between queues.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort_name: Option<String>,
    /// `BestEffortFIFO`: a workload that does not fit lets others pass. `StrictFIFO`: it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queueing_strategy: Option<String>,
    /// Namespaces whose workloads may use the quota; none if absent, all if empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Who may be evicted for whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemption: Option<ClusterQueuePreemption>,
    /// `None`, `Hold` or `HoldAndDrain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_policy: Option<String>,
    /// Not modelled: shares between queues of a cohort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fair_sharing: Option<FairSharing>,
}

/// Resources that are given out together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceGroup {
    /// `cpu`, `memory`, `nvidia.com/gpu`
    pub covered_resources: Vec<String>,
    /// In the order in which they are tried.
    pub flavors: Vec<FlavorQuotas>,
}

/// Quota of one flavor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlavorQuotas {
    /// The ResourceFlavor.
    pub name: String,
    /// One for each covered resource, in the same order.
    pub resources: Vec<ResourceQuota>,
}

/// Quota of one resource in one flavor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceQuota {
    /// `nvidia.com/gpu`
    pub name: String,
    /// How much there is.
    pub nominal_quota: Quantity,
    /// Not modelled: how much more may be borrowed from the cohort.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub borrowing_limit: Option<Quantity>,
    /// Not modelled: how much of it the cohort may borrow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lending_limit: Option<Quantity>,
}

/// Who may be evicted for whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterQueuePreemption {
    /// `Never`; all else is not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reclaim_within_cohort: Option<String>,
    /// Policy `Never`; all else is not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub borrow_within_cohort: Option<BorrowWithinCohort>,
    /// `Never`, `LowerPriority` or `LowerOrNewerEqualPriority`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within_cluster_queue: Option<String>,
}

/// Eviction of others while borrowing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BorrowWithinCohort {
    /// `Never`; all else is not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_priority_threshold: Option<i32>,
}

/// Weight of a queue among others.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FairSharing {
    /// Not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<Quantity>,
}

/// How much of a ClusterQueue is used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterQueueStatus {
    /// `Active`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Quota that is reserved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flavors_reservation: Vec<FlavorUsage>,
    /// Quota that admitted workloads use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flavors_usage: Vec<FlavorUsage>,
    /// Workloads that wait.
    pub pending_workloads: i32,
    /// Workloads that have quota.
    pub reserving_workloads: i32,
    /// Workloads that are admitted and not finished.
    pub admitted_workloads: i32,
}

/// Use of one flavor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FlavorUsage {
    /// The flavor.
    pub name: String,
    /// By resource.
    pub resources: Vec<ResourceUsage>,
}

/// Use of one resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceUsage {
    /// `nvidia.com/gpu`
    pub name: String,
    /// How much.
    pub total: Quantity,
    /// How much of that is borrowed: 0, as cohorts are not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub borrowed: Option<Quantity>,
}

/// Where the workloads of one namespace are submitted to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalQueue {
    /// `kueue.x-k8s.io/v1beta2`
    pub api_version: GroupVersion,
    /// `LocalQueue`
    pub kind: LocalQueueKind,
    /// Standard metadata.
    pub metadata: ObjectMeta,
    /// Its ClusterQueue.
    pub spec: LocalQueueSpec,
    /// Its use.
    pub status: LocalQueueStatus,
}

/// The ClusterQueue behind a LocalQueue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalQueueSpec {
    /// Whose quota it uses.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster_queue: String,
    /// `None`, `Hold` or `HoldAndDrain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_policy: Option<String>,
    /// Not modelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fair_sharing: Option<FairSharing>,
}

/// Use of a LocalQueue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LocalQueueStatus {
    /// `Active`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Workloads that wait.
    pub pending_workloads: i32,
    /// Workloads that have quota.
    pub reserving_workloads: i32,
    /// Workloads that are admitted and not finished.
    pub admitted_workloads: i32,
    /// Quota that is reserved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flavors_reservation: Vec<FlavorUsage>,
    /// Quota that admitted workloads use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flavors_usage: Vec<FlavorUsage>,
}

/// A priority in the queue, apart from that of the pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadPriorityClass {
    /// `kueue.x-k8s.io/v1beta2`
    pub api_version: GroupVersion,
    /// `WorkloadPriorityClass`
    pub kind: WorkloadPriorityClassKind,
    /// Standard metadata.
    pub metadata: ObjectMeta,
    /// Higher goes first.
    pub value: i32,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
}
