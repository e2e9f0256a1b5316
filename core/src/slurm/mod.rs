//! Slurm: batch scheduling.
//!
//! [`swf`] reads logs of real machines, and [`textbook`] replays them under the policies of the literature, against which
//! Slurm's own main loop and backfill are measured.

pub mod swf;
pub mod textbook;
