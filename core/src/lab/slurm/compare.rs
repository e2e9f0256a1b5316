//! The same work under Kubernetes and under Slurm: who waited how long, and how busy the GPUs were.
//!
//! A lab with both has two clusters of the same machines. Pods count as one piece of work when they have the same label
//! `job-name`, as the pods of a Job do; a pod without it counts by itself.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use serde::{Deserialize, Serialize};

use super::view::{ShareView, SlurmNodeView, SlurmView, SpanKind, SpanView};
use crate::kube::quantity::Amount;
use crate::lab::Lab;

/// Both halves of a lab, in the same terms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// What ran where under Kubernetes; only nodes and spans are filled in.
    pub kubernetes: SlurmView,
    /// Figures of the pods.
    pub of_kubernetes: Figures,
    /// Figures of the jobs.
    pub of_slurm: Figures,
}

/// How a batch of work went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Pieces of work that were handed in.
    pub submitted: u32,
    /// How many have begun.
    pub started: u32,
    /// How many have ended.
    pub ended: u32,
    /// Mean time from being handed in to the start, in seconds; of work that waits, up to now.
    pub mean_wait: i64,
    /// The longest such time, seconds.
    pub longest_wait: i64,
    /// From the first that was handed in to the last end, seconds; up to now while something is left.
    pub makespan: i64,
    /// GPU time held, as a part of the GPU time that there was within the makespan, in thousandths.
    pub utilisation: u32,
}

/// A piece of work: when it was handed in, what it had when.
#[derive(Clone, Debug, Default)]
struct Work {
    submitted: i64,
    started: Option<i64>,
    ended: Option<i64>,
    gpu_seconds: i64,
}

impl Figures {
    fn of(works: &[Work], gpus: u64, now: i64) -> Self {
        let Some(first) = works.iter().map(|work| work.submitted).min() else { return Self::default() };
        let waits = works.iter().map(|work| work.started.unwrap_or(now) - work.submitted);
        let last = works.iter().map(|work| work.ended.unwrap_or(now)).max().unwrap_or(now);
        let there = (last - first) * gpus as i64;
        let held: i64 = works.iter().map(|work| work.gpu_seconds).sum();
        Self {
            submitted: works.len() as u32,
            started: works.iter().filter(|work| work.started.is_some()).count() as u32,
            ended: works.iter().filter(|work| work.ended.is_some()).count() as u32,
            mean_wait: waits.clone().sum::<i64>() / works.len() as i64,
            longest_wait: waits.max().unwrap_or(0),
            makespan: last - first,
            utilisation: if there > 0 { (held * 1000 / there) as u32 } else { 0 },
        }
    }
}

impl Comparison {
    /// Both halves of `lab`; `None` if it has not both Kubernetes and Slurm.
    pub fn of(lab: &Lab) -> Option<Self> {
        if !lab.spec().has_kubernetes() {
            return None;
        }
        let slurm = SlurmView::of(lab)?;
        let now = lab.now().as_secs() as i64;
        let (kubernetes, pods) = pods(lab, now);
        let gpus = |view: &SlurmView| view.nodes.iter().map(|node| u64::from(node.gpus)).sum();
        Some(Self {
            of_kubernetes: Figures::of(&pods, gpus(&kubernetes), now),
            of_slurm: Figures::of(&jobs(lab, &slurm, now), gpus(&slurm), now),
            kubernetes,
        })
    }
}

/// Jobs of Slurm with all their runs.
fn jobs(lab: &Lab, view: &SlurmView, now: i64) -> Vec<Work> {
    let mut works: BTreeMap<u32, Work> = BTreeMap::new();
    let Some(cluster) = lab.slurm() else { return Vec::new() };
    let zero = cluster.controller.time_at(crate::sim::SimTime::ZERO);
    for job in cluster.controller.history.iter().chain(cluster.controller.jobs.iter()) {
        let submitted = job.submit - zero;
        works.entry(job.id).or_insert(Work { submitted, ..Work::default() });
    }
    for span in view.spans.iter().filter(|span| span.kind != SpanKind::Expected) {
        let Some(work) = works.get_mut(&span.job_id) else { continue };
        let running = span.kind == SpanKind::Running;
        let end = if running { now } else { span.end };
        work.started = Some(work.started.map_or(span.start, |first| first.min(span.start)));
        work.ended = if running { None } else { Some(end) };
        let gpus: i64 = span.shares.iter().map(|share| i64::from(share.gpus)).sum();
        work.gpu_seconds += (end - span.start).max(0) * gpus;
    }
    works.into_values().collect()
}

/// Pods with what they had, as the same kind of view that Slurm's jobs have.
fn pods(lab: &Lab, now: i64) -> (SlurmView, Vec<Work>) {
    let epoch = lab.spec().epoch();
    let at =
        |time: &k8s_openapi::apimachinery::pkg::apis::meta::v1::Time| epoch.instant(time.0).as_secs() as i64;
    let mut nodes: Vec<SlurmNodeView> = lab
        .api()
        .iter::<Node>()
        .map(|node| {
            let of = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
            SlurmNodeView {
                name: node.metadata.name.clone().unwrap_or_default(),
                gpus: amount(of.and_then(|of| of.get("nvidia.com/gpu"))),
                cpus: amount(of.and_then(|of| of.get("cpu"))),
                ..SlurmNodeView::default()
            }
        })
        .collect();
    // In the order of the machines, as Slurm has them.
    let order: Vec<&str> = lab.machines().iter().map(|machine| machine.name.as_str()).collect();
    nodes.sort_by_key(|node| order.iter().position(|name| *name == node.name));
    let mut works: BTreeMap<String, Work> = BTreeMap::new();
    let mut spans = Vec::new();
    for pod in lab.api().iter::<Pod>() {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let labels = pod.metadata.labels.as_ref();
        let group = labels.and_then(|labels| labels.get("job-name")).cloned().unwrap_or_else(|| name.clone());
        let submitted = pod.metadata.creation_timestamp.as_ref().map_or(0, at);
        let status = pod.status.as_ref();
        let start = status.and_then(|status| status.start_time.as_ref()).map(at);
        let phase = status.and_then(|status| status.phase.clone()).unwrap_or_default();
        let over = matches!(phase.as_str(), "Succeeded" | "Failed");
        let finished = status
            .and_then(|status| status.container_statuses.as_ref())
            .into_iter()
            .flatten()
            .filter_map(|container| {
                container.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref().map(at)
            })
            .max();
        let end = if over { finished.or(start) } else { None };
        let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let requests = containers.filter_map(|c| c.resources.as_ref()?.requests.as_ref());
        let (gpus, cpus) = requests.fold((0, 0), |(gpus, cpus), requests| {
            (gpus + amount(requests.get("nvidia.com/gpu")), cpus + amount(requests.get("cpu")))
        });
        let work = works.entry(group.clone()).or_insert(Work {
            submitted,
            started: Some(0),
            ended: Some(0),
            gpu_seconds: 0,
        });
        work.submitted = work.submitted.min(submitted);
        // It has begun when its last pod has, and ended when its last pod has.
        work.started = work.started.zip(start).map(|(a, b)| a.max(b));
        work.ended = work.ended.zip(end).map(|(a, b)| a.max(b));
        let on = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        let node = nodes.iter().position(|node| Some(node.name.as_str()) == on);
        if let (Some(start), Some(node)) = (start, node) {
            let until = end.unwrap_or(now);
            work.gpu_seconds += (until - start).max(0) * i64::from(gpus);
            spans.push(SpanView {
                job_id: group.bytes().fold(0, |sum, byte| sum * 31 % 1009 + u32::from(byte)),
                id: name,
                start,
                end: until,
                kind: if over { SpanKind::Ended } else { SpanKind::Running },
                state: if phase == "Succeeded" { "COMPLETED".to_owned() } else { phase },
                shares: vec![ShareView { node: node as u32, cpus, gpus }],
                ..SpanView::default()
            });
        }
    }
    spans.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    (SlurmView { nodes, spans, ..SlurmView::default() }, works.into_values().collect())
}

fn amount(quantity: Option<&k8s_openapi::apimachinery::pkg::api::resource::Quantity>) -> u32 {
    quantity.and_then(|quantity| quantity.0.parse::<Amount>().ok()).map_or(0, |amount| amount.value() as u32)
}
