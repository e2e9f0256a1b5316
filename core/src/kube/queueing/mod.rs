//! Who may run: Kueue's queues with quota, above the scheduler, which decides where.
//!
//! A pod that names a LocalQueue (label `kueue.x-k8s.io/queue-name`) is created with a scheduling gate. It, or the
//! group of pods that it belongs to (label `kueue.x-k8s.io/pod-group-name`), becomes a [`Workload`] that asks a
//! ClusterQueue for quota as a whole. Workloads wait in the order of their priority, then of their age; one that fits is
//! admitted: quota of a ResourceFlavor is reserved for all its pods, the flavor's node labels become
//! their node selector, and their gates go. One that does not fit says how much is missing, and by the queue's
//! policy may have lower ones evicted.
//!
//! The parts: [`quota`] counts, [`assign`] finds flavors for one workload, [`cycle`] decides for all
//! that wait; these three are pure. [`QueueController`] brings the decisions into the API server, and
//! `pods` is Kueue's integration of plain pods and groups of pods. Rules, reasons and messages are those of
//! Kueue v0.19.
//!
//! Deliberately absent: cohorts and fair sharing (a ClusterQueue that names them is refused), admission
//! checks, topologies of Kueue, partial admission, `waitForPodsReady`, other jobs than pods.
//!
//! [`Workload`]: crate::kube::api::kueue::Workload

pub mod assign;
pub mod cycle;
pub mod quota;

mod conditions;
mod controller;
mod objects;
mod pods;
mod status;
#[cfg(test)]
mod tests;

pub use controller::QueueController;
