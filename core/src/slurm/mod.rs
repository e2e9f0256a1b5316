//! Slurm: the controller that knows jobs and resources, and what stands around it.
//!
//! [`controller`] is slurmctld, [`cluster`] a whole cluster whose nodes run scripts, [`commands`] what users type;
//! [`swf`] reads logs of real machines, and [`textbook`] replays them under the policies of the literature.
//!
//! A cluster, a job, and what becomes of it:
//!
//! ```
//! use clusterlab::sim::{Epoch, SimTime};
//! use clusterlab::slurm::cluster::SlurmCluster;
//! use clusterlab::slurm::commands::{Session, sbatch, squeue};
//! use clusterlab::slurm::controller::{ClusterSpec, Users};
//!
//! let conf = ["ClusterName=lab", "SelectType=select/cons_tres", "SelectTypeParameters=CR_Core",
//!     "NodeName=n[1-2] CPUs=16", "PartitionName=main Nodes=ALL Default=YES"];
//! let spec = ClusterSpec::from_lines(&conf, &[], &[], Users::named(&["alice"]))?;
//! let epoch = Epoch::new("2026-01-01T00:00:00Z".parse()?);
//! let mut cluster = SlurmCluster::new(spec, epoch, SimTime::ZERO);
//! let env = std::collections::BTreeMap::new();
//! let alice = Session { uid: 1001, gid: 1001, env: &env, cwd: "/tmp", host: "login", sid: 1, stdin: "", read_file: &|_| None };
//! let args = ["-n4", "-t1", "--wrap", "sleep 30; hostname"].map(str::to_owned);
//! let (answer, _) = sbatch(&mut cluster.controller, &alice, &args);
//! assert_eq!(answer.stdout, "Submitted batch job 1\n");
//! cluster.advance(SimTime::from_secs(10));
//! let queue = squeue(&cluster.controller, &alice, &["-h".into(), "-o".into(), "%i %t %R".into()]);
//! assert_eq!(queue.stdout, "1 R n1\n");
//! cluster.advance(SimTime::from_secs(60));
//! assert_eq!(cluster.files.read("/tmp/slurm-1.out")?, b"n1\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The reference is Slurm 22.05. Rules come from its manual pages and from what the real programs answered
//! (`tests/fixtures/slurm`); where a rule is an observation the comment says so.

#![allow(
    clippy::option_option,
    reason = "a limit that was not given and one that was given as UNLIMITED are two things"
)]
#![allow(
    clippy::needless_for_each,
    clippy::type_complexity,
    reason = "tables of setters and of keys read best so"
)]

pub mod accounting;
pub mod cluster;
pub mod commands;
pub mod config;
pub mod conform;
pub mod containers;
pub mod controller;
pub mod error;
pub mod hostlist;
pub mod model;
pub mod runner;
pub mod select;
pub mod simulate;
pub mod swf;
pub mod textbook;
pub mod units;
pub mod whole_log;

/// Seconds since 1970-01-01T00:00:00Z, as slurmctld stores every time; 0 is "not set".
pub type Time = i64;
