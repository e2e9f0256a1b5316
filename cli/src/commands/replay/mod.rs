//! `clusterlab replay`: logs of real machines, started again under another policy.

mod against;
pub(super) mod log;
mod swf;

use clap::{Args, Subcommand};

/// Replay a log of a real machine under a scheduling policy
#[derive(Debug, Args)]
pub struct Replay {
    #[command(subcommand)]
    format: Format,
}

/// The formats that can be replayed.
#[derive(Debug, Subcommand)]
enum Format {
    Swf(swf::Swf),
}

impl Replay {
    /// Replays the log.
    pub fn run(self) -> anyhow::Result<u8> {
        match self.format {
            Format::Swf(command) => command.run(),
        }
    }
}
