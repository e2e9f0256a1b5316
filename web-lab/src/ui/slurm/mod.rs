//! Slurm on the page: the chart of nodes and time, the queue, the nodes, the tree of shares, and why a job waits.

mod gantt;
mod job;
mod lists;

pub use gantt::Gantt;
pub use job::JobDetail;
pub use lists::{Fairshare, Queue, SlurmNodes};
