//! `clusterlab replay swf`: logs in the Standard Workload Format.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use clusterlab::slurm::swf::Log;
use clusterlab::slurm::textbook::{Metrics, Policy, Workload, replay, timeline};
use clusterlab::slurm::whole_log;
use serde::Serialize;

use super::against::{Reference, Verdict};
use super::log;
use super::plot::{Panel, Plot, Series};
use crate::output;

/// Points of a line in a plot.
const POINTS: usize = 400;

/// Start the jobs of a log of the Parallel Workloads Archive anew, under one policy or several
///
/// LOG is a file in the Standard Workload Format, compressed by gzip or not; - is standard input. The machine has MaxProcs processors
/// of the log's header, else MaxNodes.
#[derive(Debug, Args)]
#[command(after_help = "\
What is a job: it asks for the processors of field 8, else 5; runs for field 4, at least 1 s; may run for field 9, else
as long as it runs, and never less. Dropped and counted: rows without processors, wider than the machine, with a negative
run or submit time, or not well formed. Rows are sorted by submit time; the place in that order is the rank.

What is printed for each policy:
  mean wait    seconds from submission to start
  slowdown     mean of max(1, (wait + run) / max(run, 10 s))
  utilisation  of processors, from the first submission to the last end
  makespan     seconds from the first submission to the last end
  seconds      of this machine, to replay

Exit codes:
  0  the log was replayed, and starts are those of --against
  1  a start is another than that of --against
  2  the log cannot be replayed

With --json, one object per line:
  {\"type\": \"log\", \"log\": \"...\", \"processors\": 128, \"rows\": ..., \"jobs\": ..., \"dropped\": {\"unreadable\": ...,
   \"noProcessors\": ..., \"tooWide\": ..., \"noRunTime\": ..., \"noSubmitTime\": ..., \"overLimit\": ...}, \"adjusted\":
   {...}, \"outOfOrder\": ..., \"warnings\": [...]}
  {\"type\": \"policy\", \"policy\": \"easy\", \"jobs\": ..., \"meanWait\": ..., \"maxWait\": ..., \"meanBoundedSlowdown\": ...,
   \"utilization\": ..., \"makespan\": ..., \"seconds\": ..., \"against\": {\"compared\": ..., \"different\": ..., \"first\": ...}}")]
pub struct Swf {
    /// The log
    #[arg(value_name = "LOG")]
    path: PathBuf,
    /// Policies, separated by commas; all are the six of the textbook
    #[arg(long, value_enum, default_value = "easy", value_delimiter = ',', value_name = "POLICY")]
    policy: Vec<Choice>,
    /// Replay only the first N jobs
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Processors of the machine, in place of the header's
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u32).range(1..))]
    procs: Option<u32>,
    /// Write when each job starts, as comma-separated values: rank,job,start
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Compare each start with that of a table, compressed or not: columns rank, job, start or start_POLICY
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Draw the processors in use and the jobs that wait over time, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// First come, first served
    Fcfs,
    /// Shortest job first
    Sjf,
    /// EASY backfilling
    Easy,
    /// EASY backfilling with the queue in order of estimates
    EasySjf,
    /// Conservative backfilling, planned anew at every event
    Cons,
    /// Conservative backfilling after Mu'alem and Feitelson
    ConsMf,
    /// Slurm's own scheduler, through the whole engine
    Slurm,
    /// The six of the textbook
    All,
}

/// How a log is scheduled.
#[derive(Clone, Copy, Debug)]
enum Way {
    Textbook(Policy),
    Slurm,
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Self::Textbook(policy) => policy.name(),
            Self::Slurm => "slurm",
        }
    }

    fn replay(self, workload: &Workload) -> Vec<i64> {
        match self {
            Self::Textbook(policy) => replay(workload, policy),
            Self::Slurm => whole_log::replay(workload, &whole_log::Settings::default()),
        }
    }
}

/// What is told, as `--json` prints it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Line<'a> {
    Log(Told<'a>),
    Policy(Summary<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    log: &'a str,
    processors: u32,
    rows: usize,
    jobs: usize,
    dropped: Dropped,
    adjusted: Adjusted,
    out_of_order: usize,
    warnings: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dropped {
    unreadable: usize,
    no_processors: usize,
    too_wide: usize,
    no_run_time: usize,
    no_submit_time: usize,
    over_limit: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Adjusted {
    processors_missing: usize,
    estimate_missing: usize,
    run_raised: usize,
    estimate_raised: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    policy: &'a str,
    jobs: usize,
    mean_wait: f64,
    max_wait: i64,
    mean_bounded_slowdown: f64,
    utilization: f64,
    makespan: i64,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Against<'a>>,
}

#[derive(Serialize)]
struct Against<'a> {
    compared: usize,
    different: usize,
    first: Option<&'a str>,
}

impl Swf {
    /// Replays the log.
    pub fn run(self) -> anyhow::Result<u8> {
        let policies = self.policies();
        if self.out.is_some() && policies.len() > 1 {
            bail!("--out takes the starts of one policy; --policy names {}", policies.len());
        }
        let name = log::name(&self.path);
        let reference = self.against.as_deref().map(Reference::read).transpose()?;
        let log = Log::read(&log::bytes(&self.path)?);
        let workload = Workload::new(&log, self.procs, self.limit).with_context(|| {
            let first = log.faults.first().map(|fault| format!(" ({fault})")).unwrap_or_default();
            format!("cannot replay {}{first}", self.path.display())
        })?;
        self.tell_log(&name, &log, &workload)?;
        drop(log);
        let mut runs = Vec::new();
        let mut agree = true;
        for policy in policies {
            let begin = Instant::now();
            let starts = policy.replay(&workload);
            let seconds = begin.elapsed().as_secs_f64();
            let verdict = match (&reference, policy) {
                (Some(reference), Way::Textbook(policy)) => {
                    Some(reference.compare(&workload, policy, &starts, self.limit.is_some())?)
                }
                _ => None,
            };
            agree &= verdict.as_ref().is_none_or(|verdict| verdict.different == 0);
            self.tell(policy, &Metrics::new(&workload, &starts), &workload, seconds, verdict.as_ref())?;
            runs.push((policy, starts));
        }
        if let (Some(path), [(_, starts)]) = (&self.out, &runs[..]) {
            write(path, &table(&workload, starts))?;
        }
        if let Some(path) = &self.plot {
            write(path, &plot(&name, &workload, &runs).svg())?;
        }
        Ok(u8::from(!agree))
    }

    fn policies(&self) -> Vec<Way> {
        let mut policies = Vec::new();
        for choice in &self.policy {
            policies.push(match choice {
                Choice::Fcfs => Way::Textbook(Policy::Fcfs),
                Choice::Sjf => Way::Textbook(Policy::Sjf),
                Choice::Easy => Way::Textbook(Policy::Easy),
                Choice::EasySjf => Way::Textbook(Policy::EasySjf),
                Choice::Cons => Way::Textbook(Policy::Conservative),
                Choice::ConsMf => Way::Textbook(Policy::MualemFeitelson),
                Choice::All => {
                    policies.extend(Policy::ALL.map(Way::Textbook));
                    continue;
                }
                Choice::Slurm => Way::Slurm,
            });
        }
        policies
    }

    fn tell_log(&self, name: &str, log: &Log, workload: &Workload) -> anyhow::Result<()> {
        let warnings = log::warnings(name, log, workload);
        let (dropped, adjusted) = (workload.dropped, workload.adjusted);
        let rows = log.records.len() + log.faults.len();
        if self.json {
            return output::json_line(&Line::Log(Told {
                log: name,
                processors: workload.processors,
                rows,
                jobs: workload.jobs.len(),
                dropped: Dropped {
                    unreadable: dropped.unreadable.count,
                    no_processors: dropped.no_processors.count,
                    too_wide: dropped.too_wide.count,
                    no_run_time: dropped.no_run_time.count,
                    no_submit_time: dropped.no_submit_time.count,
                    over_limit: dropped.over_limit.count,
                },
                adjusted: Adjusted {
                    processors_missing: adjusted.processors_missing,
                    estimate_missing: adjusted.estimate_missing,
                    run_raised: adjusted.run_raised,
                    estimate_raised: adjusted.estimate_raised,
                },
                out_of_order: workload.out_of_order.count,
                warnings: &warnings,
            }));
        }
        for warning in warnings {
            output::error_text(&format!("warning: {warning}\n"))?;
        }
        Ok(output::text(&format!(
            "{name}: {} jobs on {} processors, of {rows} rows\n  dropped: {dropped}\n  adjusted: {adjusted}\n\n\
             {:<10} {:>13} {:>10} {:>12} {:>12} {:>10}\n",
            workload.jobs.len(),
            workload.processors,
            "policy",
            "mean wait s",
            "slowdown",
            "utilisation",
            "makespan s",
            "seconds",
        ))?)
    }

    fn tell(
        &self,
        policy: Way,
        metrics: &Metrics,
        workload: &Workload,
        seconds: f64,
        verdict: Option<&Verdict>,
    ) -> anyhow::Result<()> {
        let Metrics { mean_wait, max_wait, mean_bounded_slowdown, utilization, makespan } = *metrics;
        if self.json {
            return output::json_line(&Line::Policy(Summary {
                policy: policy.name(),
                jobs: workload.jobs.len(),
                mean_wait,
                max_wait,
                mean_bounded_slowdown,
                utilization,
                makespan,
                seconds,
                against: verdict.map(|verdict| Against {
                    compared: verdict.compared,
                    different: verdict.different,
                    first: verdict.first.as_deref(),
                }),
            }));
        }
        let mut text = format!(
            "{:<10} {mean_wait:>13.1} {mean_bounded_slowdown:>10.2} {:>10.2} % {makespan:>12} {seconds:>10.4}\n",
            policy.name(),
            utilization * 100.0,
        );
        if let Some(verdict) = verdict {
            let _ = match &verdict.first {
                None => writeln!(text, "  all {} starts are those of the table", verdict.compared),
                Some(first) => writeln!(
                    text,
                    "  {} of {} jobs differ from the table; the first: {first}",
                    verdict.different, verdict.compared
                ),
            };
        }
        Ok(output::text(&text)?)
    }
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn table(workload: &Workload, starts: &[i64]) -> String {
    let mut text = "rank,job,start\n".to_owned();
    for (rank, (job, start)) in workload.jobs.iter().zip(starts).enumerate() {
        let _ = writeln!(text, "{rank},{},{start}", job.number);
    }
    text
}

fn plot(name: &str, workload: &Workload, runs: &[(Way, Vec<i64>)]) -> Plot {
    let lines: Vec<_> =
        runs.iter().map(|(policy, starts)| (policy.name(), timeline(workload, starts, POINTS))).collect();
    let panel = |title: String, value: &dyn Fn(&clusterlab::slurm::textbook::Stretch) -> f64| Panel {
        title,
        series: lines
            .iter()
            .map(|(name, stretches)| Series {
                name: (*name).to_owned(),
                points: stretches.iter().map(|stretch| (stretch.time / 86_400.0, value(stretch))).collect(),
            })
            .collect(),
    };
    let processors = f64::from(workload.processors);
    Plot {
        title: format!("{name}: {} jobs on {} processors", workload.jobs.len(), workload.processors),
        x_label: "days from the first submission".to_owned(),
        panels: vec![
            panel("Processors in use, in per cent".to_owned(), &|stretch| stretch.busy / processors * 100.0),
            panel("Jobs that wait".to_owned(), &|stretch| stretch.waiting),
        ],
    }
}
