//! The policies of the literature on batch scheduling, exactly as they are defined there.
//!
//! A machine has P processors and no more structure; a job asks for some of them, may run for its estimate and ends after
//! its run time, which is not known before. [`Workload::new`] makes that of a [`Log`](super::swf::Log), [`replay`] starts every job under a
//! [`Policy`], [`Metrics`] are the averages that papers print.
//!
//! At one instant the jobs that end come first, then those that are submitted, by rank, then the scheduler runs once. A job
//! started at t ends at t + run time; until then the scheduler believes that it ends at t + estimate. All numbers are integers.
//!
//! ```
//! use clusterlab::slurm::swf::Log;
//! use clusterlab::slurm::textbook::{Metrics, Policy, Workload, replay};
//!
//! // Three jobs on four processors: the second waits for all of them, the third fits in before it.
//! let log = Log::read(b"; MaxProcs: 4\n\
//!     1 0 -1 100 3 -1 -1 3 100 -1 1 1 1 1 1 1 -1 -1\n\
//!     2 1 -1  50 4 -1 -1 4  50 -1 1 1 1 1 1 1 -1 -1\n\
//!     3 2 -1  60 1 -1 -1 1  90 -1 1 1 1 1 1 1 -1 -1\n");
//! let workload = Workload::new(&log, None, None)?;
//! assert_eq!(replay(&workload, Policy::Fcfs), [0, 100, 150]);
//! assert_eq!(replay(&workload, Policy::Easy), [0, 100, 2]);
//! assert_eq!(Metrics::new(&workload, &replay(&workload, Policy::Easy)).makespan, 150);
//! # Ok::<(), clusterlab::slurm::textbook::WorkloadError>(())
//! ```

mod backlog;
mod bits;
mod conservative;
mod easy;
mod ends;
mod fcfs;
mod metrics;
mod min_tree;
mod mualem_feitelson;
mod policy;
mod profile;
mod queue;
mod releases;
mod sjf;
mod stretches;
mod timeline;
mod workload;

#[cfg(test)]
mod properties;

pub use backlog::backlog;
pub use metrics::Metrics;
pub use policy::{Policy, UnknownPolicy};
pub use profile::Profile;
pub use timeline::{Stretch, timeline};
pub use workload::{Adjusted, Dropped, Job, Rows, Workload, WorkloadError};

/// When each job starts under a policy, by rank.
pub fn replay(workload: &Workload, policy: Policy) -> Vec<i64> {
    match policy {
        Policy::Fcfs => fcfs::replay(workload),
        Policy::Sjf => sjf::replay(workload),
        Policy::Easy => easy::replay(workload, queue::Order::Arrival),
        Policy::EasySjf => easy::replay(workload, queue::Order::ShortestFirst),
        Policy::Conservative => conservative::replay(workload),
        Policy::MualemFeitelson => mualem_feitelson::replay(workload),
    }
}
