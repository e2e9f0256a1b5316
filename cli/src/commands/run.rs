//! `clusterlab run`: a script through the terminal of a lab.

use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clusterlab::lab::{Lab, OutputChunk, OutputStream};
use clusterlab_exercises::play;
use serde::Serialize;

use crate::{input, output};

/// Run a script in a lab and print what its commands print
///
/// The lines of the script are typed into the lab's terminal, one after the other.
/// Virtual time passes as fast as possible; a command that would never end is interrupted.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit code: that of the last command that ran in the lab; 2 if the spec or the script cannot be read.

With --json, one object per command:
  {\"command\": \"kubectl get nodes\", \"exitCode\": 0, \"seconds\": 0.0, \"stdout\": \"...\", \"stderr\": \"\"}
  seconds: virtual time at the end of the command, since the lab was switched on.
The last object tells the whole run:
  {\"commands\": 1, \"exitCode\": 0, \"seconds\": 0.0, \"digest\": \"...\"}
  digest: the same for every run of the same spec and script.")]
pub struct Run {
    /// The lab: a YAML file
    spec: PathBuf,
    /// The commands, a line each; - reads them from standard input
    #[arg(long, value_name = "FILE")]
    script: PathBuf,
    /// End with the first command that fails
    #[arg(short = 'e', long)]
    errexit: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    /// Seed of all randomness, instead of the spec's
    #[arg(long)]
    seed: Option<u64>,
}

/// One command, as `--json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Ran<'a> {
    command: &'a str,
    exit_code: u8,
    seconds: f64,
    stdout: &'a str,
    stderr: &'a str,
}

/// The whole run, as `--json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    commands: usize,
    exit_code: u8,
    seconds: f64,
    digest: String,
}

impl Run {
    /// Runs the script.
    pub fn run(self) -> anyhow::Result<u8> {
        let mut spec = input::spec(&self.spec)?;
        spec.seed = self.seed.unwrap_or(spec.seed);
        let script = input::script(&self.script)?;
        let mut lab = Lab::new(spec).with_context(|| self.spec.display().to_string())?;

        let mut printed = Ok(());
        let mut commands = 0;
        play(
            &mut lab,
            &script,
            |_| {},
            |lab, command, output| {
                commands += 1;
                printed = if self.json {
                    output::json_line(&Ran {
                        command,
                        exit_code: output.exit_code,
                        seconds: lab.now().as_secs_f64(),
                        stdout: &output.stdout,
                        stderr: &output.stderr,
                    })
                } else {
                    let print = |chunk: &OutputChunk| match chunk.stream {
                        OutputStream::Stdout => output::text(&chunk.text),
                        OutputStream::Stderr => output::error_text(&chunk.text),
                    };
                    output.chunks.iter().try_for_each(print).map_err(Into::into)
                };
                let stop = printed.is_err() || (self.errexit && output.exit_code != 0);
                if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        printed?;
        let exit_code = lab.last_exit_code();
        if self.json {
            let (seconds, digest) = (lab.now().as_secs_f64(), lab.digest().to_string());
            output::json_line(&Summary { commands, exit_code, seconds, digest })?;
        }
        Ok(exit_code)
    }
}
