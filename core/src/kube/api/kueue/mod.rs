//! The kinds of Kueue (`kueue.x-k8s.io/v1beta2`), which decides what may run before the scheduler decides where.
//!
//! They are custom resources: `k8s-openapi` has no types for them, so these are ours, with the names of
//! Kueue's API. What belongs to parts of Kueue that are not modelled (cohorts, fair sharing, admission
//! checks) is there as far as an object can name it, and refused by validation.

mod marker;
mod queues;
mod workload;

pub use marker::{
    ClusterQueueKind, GroupVersion, LocalQueueKind, ResourceFlavorKind, WorkloadKind,
    WorkloadPriorityClassKind,
};
pub use queues::{
    BorrowWithinCohort, ClusterQueue, ClusterQueuePreemption, ClusterQueueSpec, ClusterQueueStatus,
    FairSharing, FlavorQuotas, FlavorUsage, LocalQueue, LocalQueueSpec, LocalQueueStatus, ResourceFlavor,
    ResourceFlavorSpec, ResourceGroup, ResourceQuota, ResourceUsage, WorkloadPriorityClass,
};
pub use workload::{
    Admission, PodSet, PodSetAssignment, PodSetRequest, PodTemplate, PriorityClassRef, Workload,
    WorkloadSpec, WorkloadStatus,
};

/// Label and annotation: the LocalQueue that a pod is submitted to.
pub const QUEUE_NAME: &str = "kueue.x-k8s.io/queue-name";
/// Label: the group that a pod is admitted with.
pub const POD_GROUP_NAME: &str = "kueue.x-k8s.io/pod-group-name";
/// Annotation: how many pods the group has.
pub const POD_GROUP_TOTAL_COUNT: &str = "kueue.x-k8s.io/pod-group-total-count";
/// Label: the WorkloadPriorityClass.
pub const PRIORITY_CLASS: &str = "kueue.x-k8s.io/priority-class";
/// Label: `true` on every pod that Kueue manages.
pub const MANAGED: &str = "kueue.x-k8s.io/managed";
/// The scheduling gate that holds a pod until it is admitted.
pub const ADMISSION_GATE: &str = "kueue.x-k8s.io/admission";
/// Annotation: tells apart the roles within a group.
pub const ROLE_HASH: &str = "kueue.x-k8s.io/role-hash";
