//! `clusterlab replay`: traces and logs of real machines through an engine, without a lab around it.

mod against;
pub(super) mod log;
mod openb;
pub(super) mod plot;
mod swf;

use clap::{Args, Subcommand};

/// Replay a trace or a log of real machines through an engine and print what came of it
#[derive(Debug, Args)]
pub struct Replay {
    #[command(subcommand)]
    trace: Trace,
}

/// What can be replayed.
#[derive(Debug, Subcommand)]
enum Trace {
    Openb(openb::Openb),
    Swf(swf::Swf),
}

impl Replay {
    /// Replays it.
    pub fn run(self) -> anyhow::Result<u8> {
        match self.trace {
            Trace::Openb(command) => command.run(),
            Trace::Swf(command) => command.run(),
        }
    }
}
