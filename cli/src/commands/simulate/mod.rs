//! `clusterlab simulate`: workload traces through an engine, without a lab around it.

mod openb;
pub(super) mod plot;

use clap::{Args, Subcommand};

/// Replay a workload trace through an engine and print what came of it
#[derive(Debug, Args)]
pub struct Simulate {
    #[command(subcommand)]
    trace: Trace,
}

/// The traces that can be replayed.
#[derive(Debug, Subcommand)]
enum Trace {
    Openb(openb::Openb),
}

impl Simulate {
    /// Replays the trace.
    pub fn run(self) -> anyhow::Result<u8> {
        match self.trace {
            Trace::Openb(command) => command.run(),
        }
    }
}
