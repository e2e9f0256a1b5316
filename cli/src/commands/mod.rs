//! The commands, one file each: its arguments, and `run`, which answers the exit code.

mod bench;
mod check;
mod conform;
mod exercises;
mod grade;
mod nvml;
mod replay;
mod run;
mod shell;
mod simulate;

use clap::Subcommand;

/// What `clusterlab` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Shell(shell::Shell),
    Run(run::Run),
    Grade(grade::Grade),
    Exercises(exercises::Exercises),
    Check(check::Check),
    Conform(conform::Conform),
    Replay(replay::Replay),
    Simulate(simulate::Simulate),
    Bench(bench::Bench),
    Nvml(nvml::Nvml),
}

impl Command {
    /// Does it; answers the exit code.
    pub fn run(self) -> anyhow::Result<u8> {
        match self {
            Self::Shell(command) => command.run(),
            Self::Run(command) => command.run(),
            Self::Grade(command) => command.run(),
            Self::Exercises(command) => command.run(),
            Self::Check(command) => command.run(),
            Self::Conform(command) => command.run(),
            Self::Replay(command) => command.run(),
            Self::Simulate(command) => command.run(),
            Self::Bench(command) => command.run(),
            Self::Nvml(command) => command.run(),
        }
    }
}
