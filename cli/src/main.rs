//! `clusterlab`: the simulator from a terminal.
//!
//! One file per command under [`commands`]. Nothing here models anything: a command
//! calls the lab or the grader and prints what they return.

mod commands;
mod input;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::output::is_closed_pipe;

/// A GPU cluster in a terminal: run kubectl against a simulated cluster.
#[derive(Debug, Parser)]
#[command(name = "clusterlab", version, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  it went well: the last command of the script succeeded, every step of the exercise is done
  1  it did not: a step is not done, an exercise has a problem
  2  it could not be tried: a wrong argument, a file that is missing or has a mistake
  run and shell exit with the code of the last command that ran in the lab.";

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command.run() {
        Ok(code) => ExitCode::from(code),
        // Somebody read as much as they wanted: `clusterlab run … | head`.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}
