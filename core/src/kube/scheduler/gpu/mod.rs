//! GPU policies beside kube-scheduler's own plugins: whole and shared GPUs, packed or spread.
//!
//! `Open-Gpu-Share` lets pods ask for a part of a GPU, in thousandths, and says which device each pod gets. Beside it
//! stands one plugin per policy, all of them those of Weng et al., *Beware of Fragmentation: Scheduling GPU-Sharing
//! Workloads with Fragmentation Gradient Descent* (USENIX ATC 2023), by the names and with the arguments that their
//! simulator uses, and deciding as it does:
//!
//! | plugin | prefers the node on which |
//! | --- | --- |
//! | `FGDScore` | [fragmentation](Fragmentation) grows least, or shrinks most |
//! | `BestFitScore` | the least CPU and GPU remain |
//! | `DotProductScore` | what remains is least in line with what is asked for |
//! | `GpuPackingScore` | shared GPUs, then used nodes, then idle ones can take the pod |
//! | `GpuClusteringScore` | pods of the same size are already |
//! | `RandomScore` | chance falls |
//! | `GpuMostAllocatedScore` | the largest share of the GPUs is then taken (ours: `MostAllocated` for shares of GPUs) |
//!
//! A profile enables `Open-Gpu-Share` first, and after it the policy. Whole GPUs that are asked for by
//! `nvidia.com/gpu` count too, so that the policies also work where nothing is shared.
//!
//! ```
//! use clusterlab::kube::scheduler::{Scheduler, SchedulerConfiguration};
//! use clusterlab::sim::SimTime;
//! use k8s_openapi::api::core::v1::{Node, Pod};
//! use serde_json::{from_value, json};
//!
//! let config: SchedulerConfiguration = from_value(json!({
//!     "profiles": [{
//!         "plugins": {
//!             "multiPoint": {"enabled": [{"name": "Open-Gpu-Share"}, {"name": "BestFitScore", "weight": 1000}]},
//!         },
//!     }],
//! }))?;
//! let mut scheduler = Scheduler::new(&config)?;
//! for (name, gpus) in [("large", "8"), ("small", "2")] {
//!     let resources = json!({"cpu": "64", "memory": "256Gi", "pods": "110", "alibabacloud.com/gpu-count": gpus});
//!     let node = json!({"metadata": {"name": name}, "status": {"allocatable": resources}});
//!     scheduler.add_node(from_value::<Node>(node)?);
//! }
//! let pod: Pod = from_value(json!({
//!     "metadata": {"name": "half", "annotations": {
//!         "alibabacloud.com/gpu-milli": "500", "alibabacloud.com/gpu-count": "1",
//!     }},
//!     "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "4"}}}]},
//! }))?;
//! scheduler.add_pod(pod);
//! let decision = scheduler.schedule_one(SimTime::ZERO).expect("a pod waits");
//! assert_eq!(decision.node().map(|node| &**node), Some("small"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod best_fit;
mod clustering;
mod device_choice;
mod devices;
mod dot_product;
mod fgd;
mod fragmentation;
mod most_allocated;
mod node_name_order;
mod packing;
mod random;
mod request;
mod share;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_kept;
mod typical;

use super::framework::Factory;

pub use device_choice::{DeviceChoice, DeviceChoosers};
pub use devices::{DeviceList, GpuView, MAX_DEVICES, NodeGpus};
pub use fragmentation::{Fragmentation, FragmentationAmounts};
pub use request::{GPU_CARD_MODEL, GPU_COUNT, GPU_INDEX, GPU_MILLI, GpuRequest, MILLI};
pub use typical::{TypicalPod, TypicalPodsConfig, WorkloadPod, typical_pods};

/// The plugins of this module, which no default profile has.
pub(super) const PLUGINS: &[(&str, Factory)] = &[
    (share::NAME, share::new),
    (fgd::NAME, fgd::new),
    (best_fit::NAME, best_fit::new),
    (dot_product::NAME, dot_product::new),
    (packing::NAME, packing::new),
    (clustering::NAME, clustering::new),
    (random::NAME, random::new),
    (most_allocated::NAME, most_allocated::new),
    (node_name_order::NAME, node_name_order::new),
];

/// What a policy says when it finds no [`GpuView`].
const NEEDS_SHARE: &str = "Open-Gpu-Share has to be enabled, and before this plugin";
