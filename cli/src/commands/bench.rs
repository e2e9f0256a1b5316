//! `clusterlab bench`: how fast the engines are, on this machine.

mod engine;
mod slurm;

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use clusterlab::kube::scheduler::Recording;
use clusterlab::kube::scheduler::workload::{Shape, Workload, drain};
use serde::Serialize;

use crate::output;

/// Measure how fast an engine is
#[derive(Debug, Args)]
pub struct Bench {
    #[command(subcommand)]
    engine: Engine,
}

/// The engines that can be measured.
#[derive(Debug, Subcommand)]
enum Engine {
    Kube(Kube),
    Slurm(slurm::Slurm),
}

impl Bench {
    /// Measures the engine.
    pub fn run(self) -> Result<u8> {
        match self.engine {
            Engine::Kube(command) => command.run(),
            Engine::Slurm(command) => command.run(),
        }
    }
}

/// Schedule many pods with kube-scheduler's default profile and sampling, and print the time for each
#[derive(Debug, Args)]
#[command(after_help = "\
Without --nodes and --pods, three sizes are run: of `basic` 500 nodes with 1,000 pods, 5,000 with 10,000 and
100,000 with 200,000; of the other shapes 500, 2,000 and 5,000 nodes with as many pods.

The time is that of the scheduling cycles: queue, filters, scores, choice, binding in memory. Making the objects and
telling the scheduler of them is timed apart. `growth` is the exponent by which the time of a pod grows with the number
of nodes, from the size before to this one: 0 is constant, 1 is linear.

With --json, one object per size.")]
struct Kube {
    /// What the pods are like: basic, spread, affinity, preemption
    #[arg(long, default_value = "basic")]
    shape: Shape,
    /// How many nodes
    #[arg(long, requires = "pods", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    nodes: Option<u32>,
    /// How many pods
    #[arg(long, requires = "nodes", value_parser = clap::value_parser!(u32).range(1..=5_000_000))]
    pods: Option<u32>,
    /// How often each size is run; the fastest run counts
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    repeat: u32,
    /// Print one JSON object per size
    #[arg(long)]
    json: bool,
}

/// What one size took.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    shape: String,
    nodes: usize,
    pods: usize,
    scheduled: usize,
    attempts: usize,
    victims: usize,
    /// Of the scheduling cycles alone.
    seconds: f64,
    pods_per_second: f64,
    nanoseconds_per_pod: f64,
    /// To tell the scheduler of nodes and pods.
    load_seconds: f64,
    /// Of this process so far; none where the system does not tell.
    peak_memory_bytes: Option<u64>,
    /// Exponent of the time per pod over the number of nodes, from the size before.
    growth: Option<f64>,
}

impl Kube {
    fn run(self) -> Result<u8> {
        let sizes = self.sizes()?;
        let mut before: Option<Measured> = None;
        if !self.json {
            output::text(
                "shape            nodes      pods   attempts       pods/s     ns/pod    load s   peak MiB   growth\n",
            )?;
        }
        for (nodes, pods) in sizes {
            let mut best: Option<Measured> = None;
            for _ in 0..self.repeat {
                let measured = measure(self.shape, nodes, pods);
                if best.as_ref().is_none_or(|best| measured.seconds < best.seconds) {
                    best = Some(measured);
                }
            }
            let Some(mut measured) = best else { continue };
            measured.growth = before.as_ref().map(|before| growth(before, &measured));
            if self.json {
                output::json_line(&measured)?;
            } else {
                output::text(&line(&measured))?;
            }
            before = Some(measured);
        }
        Ok(0)
    }

    fn sizes(&self) -> Result<Vec<(usize, usize)>> {
        if let (Some(nodes), Some(pods)) = (self.nodes, self.pods) {
            let (nodes, pods) = (nodes as usize, pods as usize);
            let most = self.shape.most_pods(nodes);
            if pods > most {
                bail!("--pods {pods}: on {nodes} nodes of this shape at most {most} pods find a place");
            }
            return Ok(vec![(nodes, pods)]);
        }
        Ok(match self.shape {
            Shape::Basic => vec![(500, 1_000), (5_000, 10_000), (100_000, 200_000)],
            _ => vec![(500, 500), (2_000, 2_000), (5_000, 5_000)],
        })
    }
}

fn measure(shape: Shape, nodes: usize, pods: usize) -> Measured {
    let workload = Workload::new(shape, nodes, pods);
    let begin = Instant::now();
    let mut scheduler = workload.scheduler(Recording::Brief);
    let load_seconds = begin.elapsed().as_secs_f64();
    let begin = Instant::now();
    let summary = drain(&mut scheduler);
    let seconds = begin.elapsed().as_secs_f64();
    Measured {
        shape: shape.to_string(),
        nodes,
        pods,
        scheduled: summary.scheduled,
        attempts: summary.attempts,
        victims: summary.victims,
        seconds,
        pods_per_second: summary.scheduled as f64 / seconds,
        nanoseconds_per_pod: seconds * 1e9 / summary.scheduled.max(1) as f64,
        load_seconds,
        peak_memory_bytes: peak_memory(),
        growth: None,
    }
}

fn growth(before: &Measured, after: &Measured) -> f64 {
    let time = after.nanoseconds_per_pod / before.nanoseconds_per_pod;
    time.ln() / (after.nodes as f64 / before.nodes as f64).ln()
}

fn line(measured: &Measured) -> String {
    let mut line = format!(
        "{:<11} {:>10} {:>9} {:>10} {:>12.0} {:>10.0} {:>9.2}",
        measured.shape,
        measured.nodes,
        measured.pods,
        measured.attempts,
        measured.pods_per_second,
        measured.nanoseconds_per_pod,
        measured.load_seconds,
    );
    let memory = measured.peak_memory_bytes.map_or_else(|| "?".to_owned(), |bytes| (bytes >> 20).to_string());
    let _ = write!(line, " {memory:>10}");
    let growth = measured.growth.map_or_else(|| "-".to_owned(), |growth| format!("{growth:.2}"));
    let _ = writeln!(line, " {growth:>8}");
    if measured.scheduled < measured.pods {
        let _ = writeln!(line, "  {} pods found no place", measured.pods - measured.scheduled);
    }
    line
}

/// The most memory that this process has had, in bytes, where Linux tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}
