//! `clusterlab simulate`: an engine under random workloads and random faults.

mod slurm;

use clap::{Args, Subcommand};

/// Run an engine under random workloads and random faults, and check after every event what must hold
#[derive(Debug, Args)]
pub struct Simulate {
    #[command(subcommand)]
    engine: Engine,
}

/// The engines that can be put to the test.
#[derive(Debug, Subcommand)]
enum Engine {
    Slurm(slurm::Slurm),
}

impl Simulate {
    /// Runs the simulations.
    pub fn run(self) -> anyhow::Result<u8> {
        match self.engine {
            Engine::Slurm(command) => command.run(),
        }
    }
}
