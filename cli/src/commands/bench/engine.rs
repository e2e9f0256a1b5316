//! `clusterlab bench slurm --engine`: the whole controller, with logs and with long queues.

use std::time::Instant;

use anyhow::{Context as _, Result};
use clusterlab::slurm::swf::Log;
use clusterlab::slurm::textbook::Workload;
use clusterlab::slurm::whole_log::{FullMachine, Settings, replay};
use serde::Serialize;

use super::peak_memory;
use super::slurm::{Slurm, forget_peak_memory};
use crate::commands::replay::log;
use crate::output;

/// Nodes and jobs that wait: growth with the queue, then with the machine.
const SIZES: [(u32, u32); 6] =
    [(1_000, 1_000), (1_000, 10_000), (1_000, 100_000), (100, 10_000), (1_000, 10_000), (10_000, 10_000)];

/// A log that went through the controller.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replayed<'a> {
    workload: &'a str,
    jobs: usize,
    seconds: f64,
    jobs_per_second: f64,
    peak_memory_bytes: Option<u64>,
}

/// What a queue costs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    nodes: u32,
    pending: u32,
    /// To take one job, and to look whether it can start.
    submit_nanoseconds: f64,
    /// Half a minute: passes over the queue and a cycle of backfill.
    half_minute_milliseconds: f64,
    peak_memory_bytes: Option<u64>,
}

pub(super) fn run(options: &Slurm) -> Result<u8> {
    let head = if options.logs.is_empty() {
        format!(
            "{:>7} {:>8} {:>14} {:>20} {:>9}\n",
            "nodes", "pending", "submit ns/job", "half a minute in ms", "peak MiB"
        )
    } else {
        format!("{:<32} {:>7} {:>9} {:>9} {:>9}\n", "workload", "jobs", "seconds", "jobs/s", "peak MiB")
    };
    if !options.json {
        output::text(&head)?;
    }
    for path in &options.logs {
        let log = Log::read(&log::bytes(path)?);
        let workload = Workload::new(&log, None, options.limit)
            .with_context(|| format!("cannot replay {}", path.display()))?;
        drop(log);
        let name = log::name(path);
        forget_peak_memory();
        let begin = Instant::now();
        std::hint::black_box(replay(&workload, &Settings::default()));
        let (seconds, jobs) = (begin.elapsed().as_secs_f64(), workload.jobs.len());
        let memory = peak_memory();
        if options.json {
            output::json_line(&Replayed {
                workload: &name,
                jobs,
                seconds,
                jobs_per_second: jobs as f64 / seconds,
                peak_memory_bytes: memory,
            })?;
        } else {
            let (rate, memory) = (jobs as f64 / seconds, mebibytes(memory));
            output::text(&format!("{name:<32} {jobs:>7} {seconds:>9.1} {rate:>9.0} {memory:>9}\n"))?;
        }
    }
    if options.logs.is_empty() {
        let own: Vec<(u32, u32)> = options.pending.iter().map(|pending| (1_000, *pending)).collect();
        for (nodes, pending) in if own.is_empty() { SIZES.to_vec() } else { own } {
            let queue = queue(nodes, pending, options.repeat);
            if options.json {
                output::json_line(&queue)?;
            } else {
                output::text(&format!(
                    "{nodes:>7} {pending:>8} {:>14.0} {:>20.1} {:>9}\n",
                    queue.submit_nanoseconds,
                    queue.half_minute_milliseconds,
                    mebibytes(queue.peak_memory_bytes),
                ))?;
            }
        }
    }
    Ok(0)
}

/// Measures one size; of several turns the fastest counts.
fn queue(nodes: u32, pending: u32, repeat: u32) -> Queue {
    forget_peak_memory();
    let (mut submit, mut half_minute) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..repeat.max(1) {
        let mut machine = FullMachine::new(nodes);
        let begin = Instant::now();
        machine.submit(pending);
        submit = submit.min(begin.elapsed().as_secs_f64());
        // The first turn learns what the jobs need; after it one job more makes the controller look at all of them.
        machine.pass(60);
        machine.submit(1);
        let begin = Instant::now();
        machine.pass(30);
        half_minute = half_minute.min(begin.elapsed().as_secs_f64());
    }
    Queue {
        nodes,
        pending,
        submit_nanoseconds: submit * 1e9 / f64::from(pending.max(1)),
        half_minute_milliseconds: half_minute * 1e3,
        peak_memory_bytes: peak_memory(),
    }
}

fn mebibytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "?".to_owned(), |bytes| (bytes >> 20).to_string())
}
