//! `clusterlab bench slurm`: logs and long queues under the policies of batch scheduling.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Args;
use clusterlab::slurm::swf::Log;
use clusterlab::slurm::textbook::{Policy, Workload, backlog, replay};
use serde::Serialize;

use super::peak_memory;
use crate::commands::replay::log;
use crate::output;

/// Replay logs, or queues of growing length, under each policy, and print the time for each job
#[derive(Debug, Args)]
#[command(after_help = "\
Without LOG, queues are replayed in which all jobs wait from the first second on: of 1,000, 10,000 and 100,000 jobs, and for
cons-mf of 250, 500 and 1,000, as it moves a large part of all reservations whenever a job ends early.

The time is that of the policy alone; reading a log is timed apart. `growth` is the exponent by which the time of a job
grows with the length of the queue, from the size before to this one: 0 is constant, 1 is linear.

With --json, one object per log or size, and policy.")]
pub struct Slurm {
    /// Logs in the Standard Workload Format, compressed by gzip or not
    #[arg(value_name = "LOG")]
    pub(super) logs: Vec<PathBuf>,
    /// Policies, separated by commas: fcfs, sjf, easy, easy-sjf, cons, cons-mf; by default all
    #[arg(long, value_delimiter = ',', value_name = "POLICY")]
    policy: Vec<Policy>,
    /// Lengths of queues, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "N", conflicts_with = "logs",
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(super) pending: Vec<u32>,
    /// The whole controller instead of a policy: logs from end to end; without LOG, what a queue of --pending jobs costs
    /// before 1,000 nodes that are taken, or queues of 1,000 to 100,000 and machines of 100 to 10,000 nodes
    #[arg(long, conflicts_with = "policy")]
    engine: bool,
    /// With --engine, at most so many jobs of each log
    #[arg(long, requires = "engine", value_name = "N")]
    pub(super) limit: Option<usize>,
    /// How often each is replayed; the fastest counts
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(super) repeat: u32,
    /// Print one JSON object per line
    #[arg(long)]
    pub(super) json: bool,
}

/// What one replay took.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured<'a> {
    workload: &'a str,
    policy: &'static str,
    jobs: usize,
    seconds: f64,
    jobs_per_second: f64,
    nanoseconds_per_job: f64,
    /// To read the log; none for a queue that was made.
    read_seconds: Option<f64>,
    /// Of this process while it replayed, the log included; none where the system does not tell.
    peak_memory_bytes: Option<u64>,
    /// Exponent of the time per job over the length of the queue, from the size before.
    growth: Option<f64>,
}

impl Slurm {
    pub fn run(self) -> Result<u8> {
        if self.engine {
            return super::engine::run(&self);
        }
        let policies = if self.policy.is_empty() { Policy::ALL.to_vec() } else { self.policy.clone() };
        if !self.json {
            output::text(&format!(
                "{:<32} {:<9} {:>7} {:>9} {:>12} {:>8} {:>7} {:>9} {:>7}\n",
                "workload", "policy", "jobs", "seconds", "jobs/s", "ns/job", "read s", "peak MiB", "growth",
            ))?;
        }
        for path in &self.logs {
            let bytes = log::bytes(path)?;
            let begin = Instant::now();
            let log = Log::read(&bytes);
            let workload = Workload::new(&log, None, None)
                .with_context(|| format!("cannot replay {}", path.display()))?;
            let read = begin.elapsed().as_secs_f64();
            drop((log, bytes));
            for policy in &policies {
                self.tell(&self.measure(&log::name(path), &workload, *policy, Some(read)))?;
            }
        }
        if self.logs.is_empty() {
            for policy in policies {
                self.queues(policy)?;
            }
        }
        Ok(0)
    }

    fn queues(&self, policy: Policy) -> Result<()> {
        let sizes = match (&self.pending[..], policy) {
            ([], Policy::MualemFeitelson) => &[250, 500, 1_000],
            ([], _) => &[1_000, 10_000, 100_000][..],
            (sizes, _) => sizes,
        };
        let mut before: Option<(u32, f64)> = None;
        for pending in sizes {
            let workload = backlog(*pending);
            let name = format!("{pending} pending");
            let mut measured = self.measure(&name, &workload, policy, None);
            let nanoseconds = measured.nanoseconds_per_job;
            measured.growth = before
                .filter(|before| before.0 != *pending)
                .map(|(size, time)| (nanoseconds / time).ln() / (f64::from(*pending) / f64::from(size)).ln());
            self.tell(&measured)?;
            before = Some((*pending, nanoseconds));
        }
        Ok(())
    }

    fn measure<'a>(
        &self,
        name: &'a str,
        workload: &Workload,
        policy: Policy,
        read_seconds: Option<f64>,
    ) -> Measured<'a> {
        forget_peak_memory();
        let mut seconds = f64::INFINITY;
        for _ in 0..self.repeat {
            let begin = Instant::now();
            std::hint::black_box(replay(workload, policy));
            seconds = seconds.min(begin.elapsed().as_secs_f64());
        }
        let jobs = workload.jobs.len();
        Measured {
            workload: name,
            policy: policy.name(),
            jobs,
            seconds,
            jobs_per_second: jobs as f64 / seconds,
            nanoseconds_per_job: seconds * 1e9 / jobs.max(1) as f64,
            read_seconds,
            peak_memory_bytes: peak_memory(),
            growth: None,
        }
    }

    fn tell(&self, measured: &Measured<'_>) -> Result<()> {
        if self.json {
            return output::json_line(measured);
        }
        let or_dash =
            |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        let memory =
            measured.peak_memory_bytes.map_or_else(|| "?".to_owned(), |bytes| (bytes >> 20).to_string());
        Ok(output::text(&format!(
            "{:<32} {:<9} {:>7} {:>9.4} {:>12.0} {:>8.0} {:>7} {memory:>9} {:>7}\n",
            measured.workload,
            measured.policy,
            measured.jobs,
            measured.seconds,
            measured.jobs_per_second,
            measured.nanoseconds_per_job,
            or_dash(measured.read_seconds),
            or_dash(measured.growth),
        ))?)
    }
}

/// Lets the peak of the memory count from here on, where Linux does that.
pub(super) fn forget_peak_memory() {
    // Where it does not, the peak is that of all so far, which is not less.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}
