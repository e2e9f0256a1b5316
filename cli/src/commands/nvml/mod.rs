//! `clusterlab nvml`: the GPUs of this machine.

mod export;
mod exporter;
mod inventory;
mod topo;
mod watch;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::{Args, Subcommand};
use clusterlab::hardware::source::SourceError;
use clusterlab_nvml::{NvmlSource, Options};

/// Look at the real NVIDIA GPUs of this machine
#[derive(Debug, Args)]
#[command(after_help = "\
Without an NVIDIA GPU, its driver or its library, every one of these commands says in one line what is missing and
ends with exit code 2.")]
pub struct Nvml {
    /// The library file [default: libnvidia-ml.so.1, where the system finds it]
    #[arg(long, global = true, value_name = "FILE")]
    library: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

/// What can be done with them.
#[derive(Debug, Subcommand)]
enum Command {
    Inventory(inventory::Inventory),
    Topo(topo::Topo),
    Watch(watch::Watch),
    Exporter(exporter::Exporter),
    Export(export::Export),
}

impl Nvml {
    /// Does it.
    pub fn run(self) -> Result<u8> {
        let options = Options { library: self.library, ..Options::default() };
        let source = NvmlSource::with(options).map_err(|error| told(&error))?;
        match self.command {
            Command::Inventory(command) => command.run(&source),
            Command::Topo(command) => command.run(&source),
            Command::Watch(command) => command.run(source),
            Command::Exporter(command) => command.run(source),
            Command::Export(command) => command.run(&source),
        }
    }
}

/// The error and what can be done about it, as one line.
fn told(error: &SourceError) -> anyhow::Error {
    anyhow!("{error}; {}", error.advice())
}

/// A runtime for what waits: threads only where NVML blocks.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

/// Waits for Ctrl-C, or for a service manager's request to end.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}

/// Rows as columns that are as wide as their widest cell, two blanks apart.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A cell; `-` for what is not known.
fn cell<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}
