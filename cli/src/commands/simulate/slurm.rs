//! `clusterlab simulate slurm`: the controller under faults.

use std::time::{Duration, Instant};

use clap::Args;
use clusterlab::slurm::simulate::{Scale, Survived, run};
use serde::Serialize;

use crate::output;

/// The Slurm controller: nodes lost and back, restarts, limits, preemption, requeues, cancellations
///
/// After every event: no core, GPU, byte or licence is given twice, no job is lost or run twice, states follow Slurm's
/// edges, usage is the sum of what jobs hold, accounting has each run once. A seed that fails fails again at the same event.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  nothing broke
  1  an invariant broke; the line names seed, event, time and what is wrong

With --json, one object per line:
  {\"type\": \"violation\", \"seed\": 7, \"what\": \"...\"}
  {\"type\": \"total\", \"seeds\": 100, \"events\": ..., \"faults\": ..., \"jobs\": ..., \"runs\": ..., \"failed\": 0, \"seconds\": ...}")]
pub struct Slurm {
    /// How many seeds
    #[arg(long, default_value_t = 100, value_name = "N")]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0, value_name = "S")]
    first_seed: u64,
    /// Jobs that are submitted in each
    #[arg(long, default_value_t = 60, value_name = "N")]
    jobs: u32,
    /// Faults that are injected in each
    #[arg(long, default_value_t = 25, value_name = "N")]
    faults: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is told, as `--json` prints it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Line<'a> {
    Violation { seed: u64, what: &'a str },
    Total { seeds: u64, events: u64, faults: u64, jobs: u64, runs: u64, failed: u64, seconds: f64 },
}

impl Slurm {
    /// Runs the simulations.
    pub fn run(self) -> anyhow::Result<u8> {
        let scale = Scale {
            jobs: self.jobs,
            faults: self.faults,
            span: Duration::from_secs(u64::from(self.jobs) * 30),
        };
        let begun = Instant::now();
        let mut all = Survived::default();
        let mut failed = 0;
        for seed in self.first_seed..self.first_seed.saturating_add(self.seeds) {
            match run(seed, scale) {
                Ok(survived) => {
                    all.events += survived.events;
                    all.faults += survived.faults;
                    all.jobs += survived.jobs;
                    all.runs += survived.runs;
                }
                Err(violation) => {
                    failed += 1;
                    let what = violation.to_string();
                    if self.json {
                        output::json_line(&Line::Violation { seed, what: &what })?;
                    } else {
                        output::text(&format!("{what}\n"))?;
                    }
                }
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let Survived { events, faults, jobs, runs } = all;
        if self.json {
            output::json_line(&Line::Total {
                seeds: self.seeds,
                events,
                faults,
                jobs,
                runs,
                failed,
                seconds,
            })?;
        } else {
            output::text(&format!(
                "{} seeds, {events} events and {faults} faults survived; {jobs} jobs, {runs} runs; {failed} failed; {seconds:.1} s\n",
                self.seeds
            ))?;
        }
        Ok(u8::from(failed > 0))
    }
}
