//! Slurm: the controller that knows jobs and resources, and what stands around it.
//!
//! [`controller`] is slurmctld, [`cluster`] a whole cluster whose nodes run scripts, [`commands`] what users type;
//! [`swf`] reads logs of real machines, and [`textbook`] replays them under the policies of the literature.
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
pub mod conform;
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
