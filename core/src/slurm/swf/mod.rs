//! Logs of parallel machines in the Standard Workload Format.
//!
//! The [Parallel Workloads Archive](https://www.cs.huji.ac.il/labs/parallel/workload/) keeps logs of real machines in
//! this format: comments that begin with `;`, among them a header of `; Key: value` lines, then a row of 18 numbers per job,
//! where -1 stands for what is not known. [`Log::read`] takes the bytes of such a file (not compressed) and keeps every
//! row: those that are well formed as [`Record`]s, the others as [`Fault`]s with their line.
//!
//! ```
//! use clusterlab::slurm::swf::Log;
//!
//! let log = Log::read(b"; MaxProcs: 128\n1 0 5 3600 16 -1 -1 16 7200 -1 1 3 1 -1 1 -1 -1 -1\n2 10 5\n");
//! assert_eq!(log.header.max_procs, Some(128));
//! assert_eq!(log.records[0].requested_time, 7200);
//! assert_eq!(log.faults[0].to_string(), "line 3: 3 fields, expected 18");
//! ```

mod fault;
mod header;
mod log;
mod number;

pub use fault::{Fault, FaultKind};
pub use header::Header;
pub use log::{FIELDS, Log, Record};
