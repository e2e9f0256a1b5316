//! The controller's records: jobs, nodes, partitions, and what they ask for and have.
//!
//! Data only; the rules are in the modules beside this one. Everything is dense: nodes and partitions are
//! indices, sets are [`Bits`], and a job's grant names cores and GPUs by number.

mod bits;
mod gres;
mod job;
mod node;
mod request;
mod state;
mod step;
mod usage;

pub use bits::Bits;
pub use gres::{GresAsk, GresGrant, GresKind, GresNames, GresUsage, NodeGres};
pub use job::{Job, JobId, PendingTasks, PriorityFactors, Scheduler, TresCount};
pub use node::{
    Memory, NextState, Node, NodeIdx, NodeReason, NodeShare, OverSubscribe, PartIdx, Partition,
    PartitionState, PreemptMode, Reboot,
};
pub use request::{
    ArraySpec, Dependency, DependencyKind, DependencyState, DependencyTarget, JobRequest, Sharing,
};
pub use state::{JobBase, JobFlags, JobState, NodeBase, NodeFlags, Reason, SIG_OOM};
pub use step::{Distribution, Step, StepId, StepRequest, StepShare};
pub use usage::{NodeFigures, NodeUsage, UsageTable};
