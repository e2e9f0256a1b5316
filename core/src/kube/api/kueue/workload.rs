//! What waits for quota as a whole: a pod, or a group of pods.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::PodSpec;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use serde::{Deserialize, Serialize};

use super::marker::{GroupVersion, WorkloadKind};

/// Something that is admitted as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Workload {
    /// `kueue.x-k8s.io/v1beta2`
    pub api_version: GroupVersion,
    /// `Workload`
    pub kind: WorkloadKind,
    /// Standard metadata.
    pub metadata: ObjectMeta,
    /// What it asks for.
    pub spec: WorkloadSpec,
    /// How far it is.
    pub status: WorkloadStatus,
}

/// What a workload asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadSpec {
    /// Pods that are alike, with their number.
    pub pod_sets: Vec<PodSet>,
    /// The LocalQueue, of the same namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub queue_name: String,
    /// Where the priority comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority_class_ref: Option<PriorityClassRef>,
    /// Higher goes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// An inactive one is evicted and does not wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

/// Where a workload's priority comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PriorityClassRef {
    /// `scheduling.k8s.io` or `kueue.x-k8s.io`.
    pub group: String,
    /// `PriorityClass` or `WorkloadPriorityClass`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// Pods that are alike.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSet {
    /// `main` for a single pod.
    pub name: String,
    /// What each of them is like.
    pub template: PodTemplate,
    /// How many.
    pub count: i32,
}

/// The pod of a pod set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodTemplate {
    /// Labels and annotations.
    pub metadata: ObjectMeta,
    /// As the pod has it.
    pub spec: PodSpec,
}

/// How far a workload is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WorkloadStatus {
    /// `QuotaReserved`, `Admitted`, `Evicted`, `Preempted`, `Finished`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What was assigned to it, while it has quota.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admission: Option<Admission>,
    /// What it asks for in all, while it has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_requests: Vec<PodSetRequest>,
}

/// What was assigned to a workload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Admission {
    /// Whose quota.
    pub cluster_queue: String,
    /// By pod set.
    pub pod_set_assignments: Vec<PodSetAssignment>,
}

/// What was assigned to a pod set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSetAssignment {
    /// The pod set.
    pub name: String,
    /// By resource, the flavor.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub flavors: BTreeMap<String, String>,
    /// By resource, how much for all its pods.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resource_usage: BTreeMap<String, Quantity>,
    /// How many pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i32>,
}

/// What a pod set asks for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PodSetRequest {
    /// The pod set.
    pub name: String,
    /// By resource, how much for all its pods.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resources: BTreeMap<String, Quantity>,
}
