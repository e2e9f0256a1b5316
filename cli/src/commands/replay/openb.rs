//! `clusterlab replay openb`: Alibaba's GPU trace, placed by the policies of the paper on fragmentation.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;
use clusterlab::kube::scheduler::openb::{Curve, Policy, Run, Trace, TracePod, Workload, run};
use serde::Serialize;

use super::plot::{Panel, Plot, Series};
use crate::output;

/// Place the pods of Alibaba's GPU trace by one policy or several
///
/// The lists of nodes and pods are those of Alibaba's cluster trace gpu-v2023. Without --order and --node-rank the pods come
/// in the order, with the copies, and with the choice among equal nodes that the authors of "Beware of Fragmentation"
/// (USENIX ATC 2023) drew from the same seed; theirs are 42 to 51.
#[derive(Debug, Args)]
#[command(after_help = "\
What is printed, for each policy, when the last pod has come:
  allocated    GPUs that are taken, of all
  fragmented   free GPUs that the next pod is expected not to be able to use, of all that are free
  GPUs lost    the same as a number of GPUs
  failed pods  pods that found no place
  seconds      of this machine

With --json, one object per policy:
  {\"policy\": \"fgd\", \"pods\": \"openb_pod_list_default.csv\", \"seed\": 42, \"tuneRatio\": 1.3, \"nodes\": 1213, \"gpus\": 6212,
   \"pods\": 10866, \"demandPercent\": ..., \"allocatedPercent\": ..., \"fragmentedPercent\": ..., \"gpusLost\": ...,
   \"failedPods\": ..., \"seconds\": ...}")]
pub struct Openb {
    /// The list of nodes (openb_node_list_gpu_node.csv)
    #[arg(long, value_name = "FILE")]
    nodes: PathBuf,
    /// The list of pods (openb_pod_list_default.csv)
    #[arg(long, value_name = "FILE")]
    pods: PathBuf,
    /// Policies, separated by commas: fgd, bestfit, gpu-packing, gpu-clustering, dot-product, random, most-allocated; or all
    #[arg(long, default_value = "fgd", value_delimiter = ',', value_name = "POLICY")]
    policy: Vec<String>,
    /// In which order the pods come, copies included: a list with a column pod
    #[arg(long, value_name = "FILE")]
    order: Option<PathBuf>,
    /// Which of equal nodes is taken, the one of the lowest rank: a list with the columns node and node_rank
    #[arg(long, value_name = "FILE")]
    node_rank: Option<PathBuf>,
    /// How many times the GPUs are asked for, by copies of pods or fewer pods; 0 takes the trace as it is
    #[arg(long, default_value_t = 1.3, value_name = "RATIO")]
    demand: f64,
    /// Seed of the order, of the copies, of the choice among equal nodes, and of what falls by chance
    #[arg(long, default_value_t = 42)]
    seed: u32,
    /// Write where each pod went, as comma-separated values: seq,pod,node,gpu_ids
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Draw allocation and fragmentation over the demand, as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Print one JSON object per policy
    #[arg(long)]
    json: bool,
}

/// What came of a policy, as `--json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    policy: &'a str,
    trace: &'a str,
    seed: u32,
    demand: f64,
    nodes: usize,
    gpus: i64,
    pods: usize,
    demand_percent: f64,
    allocated_percent: f64,
    fragmented_percent: f64,
    gpus_lost: f64,
    failed_pods: usize,
    seconds: f64,
}

impl Openb {
    /// Places the pods.
    pub fn run(self) -> anyhow::Result<u8> {
        let policies = self.policies()?;
        if self.out.is_some() && policies.len() > 1 {
            bail!("--out takes the placements of one policy; --policy names {}", policies.len());
        }
        if !(0.0..=100.0).contains(&self.demand) {
            bail!("--demand must be a number from 0 to 100");
        }
        let trace = self.read()?;
        let workload = self.workload(&trace)?;
        let name = self.name();
        let gpus = trace.total_milli_gpu() / 1000;
        let asked: i64 = workload.pods.iter().map(TracePod::total_milli_gpu).sum();
        let demand_percent = if gpus > 0 { asked as f64 / gpus as f64 / 10.0 } else { 0.0 };
        if !self.json {
            let (nodes, pods) = (trace.nodes.len(), workload.pods.len());
            output::text(&format!(
                "openb {name}: {nodes} nodes, {gpus} GPUs; {pods} pods ask for {demand_percent:.1} % of them; seed {}\n\n\
                 {:<14} {:>10} {:>11} {:>10} {:>12} {:>8}\n",
                self.seed, "policy", "allocated", "fragmented", "GPUs lost", "failed pods", "seconds",
            ))?;
        }
        let mut runs = Vec::new();
        for policy in policies {
            let start = Instant::now();
            let run = run(&trace, &workload, policy, u64::from(self.seed))?;
            let summary = Summary {
                policy: policy.name(),
                trace: &name,
                seed: self.seed,
                demand: self.demand,
                nodes: trace.nodes.len(),
                gpus,
                pods: workload.pods.len(),
                demand_percent,
                allocated_percent: run.allocation(),
                fragmented_percent: run.fragmentation(),
                gpus_lost: run.gpus_lost(),
                failed_pods: run.failed(),
                seconds: start.elapsed().as_secs_f64(),
            };
            self.print(&summary)?;
            runs.push((policy, run));
        }
        if let (Some(path), [(_, run)]) = (&self.out, &runs[..]) {
            write(path, &placements(&trace, &workload, run))?;
        }
        if let Some(path) = &self.plot {
            let plot = plot(&name, self.seed, gpus, demand_percent, &runs);
            write(path, &plot.svg())?;
        }
        Ok(0)
    }

    fn policies(&self) -> anyhow::Result<Vec<Policy>> {
        if self.policy == ["all"] {
            return Ok(Policy::ALL.to_vec());
        }
        let policies: Result<Vec<Policy>, _> = self.policy.iter().map(|name| name.parse()).collect();
        policies.context("--policy")
    }

    /// The trace by the name of its list of pods.
    fn name(&self) -> String {
        self.pods.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }

    fn read(&self) -> anyhow::Result<Trace> {
        Ok(Trace::read(&read(&self.nodes)?, &read(&self.pods)?)?)
    }

    fn workload(&self, trace: &Trace) -> anyhow::Result<Workload> {
        let mut workload = Workload::new(trace, i64::from(self.seed), self.demand);
        if let Some(path) = &self.order {
            workload.order(trace, &read(path)?).with_context(|| path.display().to_string())?;
        }
        if let Some(path) = &self.node_rank {
            workload.rank(trace, &read(path)?).with_context(|| path.display().to_string())?;
        }
        Ok(workload)
    }

    fn print(&self, summary: &Summary<'_>) -> anyhow::Result<()> {
        if self.json {
            return output::json_line(summary);
        }
        let Summary {
            policy, allocated_percent, fragmented_percent, gpus_lost, failed_pods, seconds, ..
        } = summary;
        Ok(output::text(&format!(
            "{policy:<14} {allocated_percent:>8.2} % {fragmented_percent:>9.2} % {gpus_lost:>10.1} {failed_pods:>12} \
             {seconds:>8.3}\n"
        ))?)
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn placements(trace: &Trace, workload: &Workload, run: &Run) -> String {
    let mut text = "seq,pod,node,gpu_ids\n".to_owned();
    for (seq, (pod, placement)) in workload.pods.iter().zip(&run.placements).enumerate() {
        let node = placement.node.map_or("", |node| &trace.nodes[node].name);
        let gpus: Vec<_> = placement.gpus.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "{seq},{},{node},{}", pod.name, gpus.join("-"));
    }
    text
}

fn plot(trace: &str, seed: u32, gpus: i64, demand_percent: f64, runs: &[(Policy, Run)]) -> Plot {
    let last = demand_percent.round() as usize;
    let series = |curve: &dyn Fn(&Run) -> Curve| -> Vec<Series> {
        let points = |run: &Run| {
            let curve = curve(run);
            (0_u32..).zip(curve).filter_map(|(x, y)| Some((f64::from(x), y?))).collect()
        };
        runs.iter()
            .map(|(policy, run)| Series { name: policy.name().to_owned(), points: points(run) })
            .collect()
    };
    Plot {
        title: format!("Alibaba's GPU trace (openb, {trace}), {gpus} GPUs, seed {seed}"),
        x_label: "GPUs asked for, in per cent of all".to_owned(),
        panels: vec![
            Panel {
                title: "Allocated: GPUs that are taken, in per cent of all".to_owned(),
                series: series(&|run| run.allocation_curve(last)),
            },
            Panel {
                title: "Lost: free GPUs that the next pod cannot use, in per cent of all".to_owned(),
                series: series(&|run| run.lost_curve(last)),
            },
        ],
    }
}
