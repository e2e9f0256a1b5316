//! `clusterlab replay`: workload traces through an engine, without a lab around it.

mod openb;
mod plot;

use clap::{Args, Subcommand};

/// Replay a workload trace through an engine and print what came of it
#[derive(Debug, Args)]
pub struct Replay {
    #[command(subcommand)]
    trace: Trace,
}

/// The traces that can be replayed.
#[derive(Debug, Subcommand)]
enum Trace {
    Openb(openb::Openb),
}

impl Replay {
    /// Replays the trace.
    pub fn run(self) -> anyhow::Result<u8> {
        match self.trace {
            Trace::Openb(command) => command.run(),
        }
    }
}
