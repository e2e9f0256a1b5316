//! A run: every pod of the workload through the scheduler, and what it leaves of the GPUs.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Node, NodeStatus, Pod, PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};

use super::curve::{Curve, columns, hundredths, percent};
use super::policy::Policy;
use super::trace::{Trace, TraceNode, TracePod};
use super::workload::Workload;
use crate::kube::scheduler::cluster::{PodInfo, Symbol, Symbols};
use crate::kube::scheduler::framework::{Binder, PodAnnotations};
use crate::kube::scheduler::gpu::{self, Fragmentation, GPU_INDEX, MILLI};
use crate::kube::scheduler::{ConfigError, Recording, Scheduler};
use crate::sim::SimTime;

/// Where a pod went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Its node, as a place in [`Trace::nodes`]; none for a pod that found no place.
    pub node: Option<usize>,
    /// Its GPUs, by index on the node.
    pub gpus: Vec<u8>,
}

/// The cluster after a pod came.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// GPUs that all pods so far asked for, placed or not, in thousandths.
    pub arrived_milli: i64,
    /// GPUs that are taken, in thousandths.
    pub used_milli: i64,
    /// Free GPUs that the next pod is expected not to be able to use, in thousandths.
    pub fragmented: f64,
    /// Free GPUs, in thousandths.
    pub free: f64,
}

/// What came of a workload under a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// All GPUs of the cluster, in thousandths.
    pub total_milli: i64,
    /// Of each pod, in the order in which they came.
    pub placements: Vec<Placement>,
    /// After each pod.
    pub steps: Vec<Step>,
}

/// Why a run could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The policy's configuration was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Nodes and their ranks, or nodes and their names, do not belong together.
    #[error("{ranks} ranks for {nodes} nodes")]
    Ranks {
        /// Ranks.
        ranks: usize,
        /// Nodes.
        nodes: usize,
    },
    /// The scheduler did something that it must not do.
    #[error("{pod}: {what}")]
    Impossible {
        /// With which pod.
        pod: String,
        /// What.
        what: String,
    },
}

impl Run {
    /// GPUs that are taken, in per cent of all.
    pub fn allocation(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| percent(step.used_milli, self.total_milli))
    }

    /// Free GPUs that the next pod is expected not to be able to use, in per cent of the free ones.
    pub fn fragmentation(&self) -> f64 {
        self.steps.last().map_or(0.0, Step::fragmentation)
    }

    /// The same as a number of GPUs.
    pub fn gpus_lost(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.fragmented / f64::from(MILLI))
    }

    /// Pods that found no place.
    pub fn failed(&self) -> usize {
        self.placements.iter().filter(|placement| placement.node.is_none()).count()
    }

    /// GPUs taken, in per cent of all, over the demand in per cent of all.
    pub fn allocation_curve(&self, last: usize) -> Curve {
        // The authors' logs and scripts round each value to hundredths before the mean is taken.
        columns(&self.steps, self.total_milli, last, |step| {
            hundredths(percent(step.used_milli, self.total_milli))
        })
    }

    /// Fragmentation in per cent of the free GPUs, over the demand in per cent of all.
    pub fn fragmentation_curve(&self, last: usize) -> Curve {
        columns(&self.steps, self.total_milli, last, |step| hundredths(step.fragmentation()))
    }

    /// Fragmentation in per cent of all GPUs, over the demand in per cent of all.
    pub fn lost_curve(&self, last: usize) -> Curve {
        columns(&self.steps, self.total_milli, last, |step| 100.0 * step.fragmented / self.total_milli as f64)
    }
}

impl Step {
    /// In per cent of the free GPUs.
    fn fragmentation(&self) -> f64 {
        if self.free > 0.0 { 100.0 * self.fragmented / self.free } else { 0.0 }
    }
}

/// Places a workload on the trace's nodes.
///
/// # Errors
///
/// A workload that is not of this trace. A scheduler that takes more of a GPU or of a node than there is would be an
/// error too: the books are kept here a second time.
pub fn run(trace: &Trace, workload: &Workload, policy: Policy, seed: u64) -> Result<Run, RunError> {
    if workload.ranks.len() != trace.nodes.len() {
        return Err(RunError::Ranks { ranks: workload.ranks.len(), nodes: trace.nodes.len() });
    }
    let config = policy.configuration(&workload.typical, seed)?;
    let mut scheduler = Scheduler::new(&config)?;
    scheduler.set_recording(Recording::Brief, 0);
    scheduler.set_objects_kept(false);
    let mut books = Books::new(trace, workload)?;
    for (index, (node, rank)) in trace.nodes.iter().zip(&workload.ranks).enumerate() {
        let name: Arc<str> = format!("{rank:04}-{}", node.name).into();
        scheduler.add_node(node_object(node, &name));
        books.by_name.insert(name, index);
    }
    let mut placements = Vec::with_capacity(workload.pods.len());
    let mut steps = Vec::with_capacity(workload.pods.len());
    let mut arrived_milli = 0;
    for pod in &workload.pods {
        arrived_milli += pod.total_milli_gpu();
        scheduler.add_pod(pod_object(pod));
        let mut devices = Devices::default();
        let decision = scheduler.schedule_one_with(SimTime::ZERO, &mut devices);
        let node = decision.as_ref().and_then(|decision| decision.node());
        let placement = match node {
            Some(node) => books.place(pod, node, &devices.0)?,
            None => {
                scheduler.remove_pod("default", &pod.name);
                Placement::default()
            }
        };
        placements.push(placement);
        steps.push(books.step(arrived_milli));
    }
    Ok(Run { total_milli: trace.total_milli_gpu(), placements, steps })
}

/// Keeps the devices that a pod was given.
#[derive(Default)]
struct Devices(String);

impl Binder for Devices {
    fn bind(&mut self, _: &PodInfo, _: &str) -> Result<(), String> {
        Ok(())
    }

    fn annotate(&mut self, _: &PodInfo, annotations: &PodAnnotations) -> Result<(), String> {
        self.0 = annotations.0.get(GPU_INDEX).cloned().unwrap_or_default();
        Ok(())
    }
}

/// What is free on a node.
struct Free {
    milli_cpu: i64,
    memory_mib: i64,
    gpus: Vec<u16>,
    model: Option<Symbol>,
    /// Its part of the sums, see [`Books::fragmented`].
    fragmented: i64,
}

/// The accounts of the cluster, kept beside the scheduler's.
struct Books {
    nodes: Vec<Free>,
    by_name: HashMap<Arc<str>, usize>,
    measure: Fragmentation,
    used_milli: i64,
    free_milli: i64,
    /// In 2^-20 thousandths of a GPU: whole numbers can be added and taken away as often as one likes.
    fragmented: i64,
}

const UNIT: f64 = (1 << 20) as f64;

impl Books {
    fn new(trace: &Trace, workload: &Workload) -> Result<Self, RunError> {
        let mut symbols = Symbols::default();
        let measure = Fragmentation::new(&workload.typical, &mut symbols).map_err(|message| {
            ConfigError::Arguments { index: 0, name: Policy::Fgd.plugin().to_owned(), message }
        })?;
        let nodes = trace.nodes.iter().map(|node| Free {
            milli_cpu: node.milli_cpu,
            memory_mib: node.memory_mib,
            gpus: vec![MILLI; usize::from(node.gpus)],
            model: symbols.get(&node.model),
            fragmented: 0,
        });
        let mut books = Self {
            nodes: nodes.collect(),
            by_name: HashMap::new(),
            measure,
            used_milli: 0,
            free_milli: trace.total_milli_gpu(),
            fragmented: 0,
        };
        for index in 0..books.nodes.len() {
            books.measure(index);
        }
        Ok(books)
    }

    fn place(&mut self, pod: &TracePod, node: &str, devices: &str) -> Result<Placement, RunError> {
        let impossible = |what: &str| RunError::Impossible { pod: pod.name.clone(), what: what.to_owned() };
        let index = *self.by_name.get(node).ok_or_else(|| impossible("its node does not exist"))?;
        let free = &mut self.nodes[index];
        free.milli_cpu -= pod.milli_cpu;
        free.memory_mib -= pod.memory_mib.unwrap_or(0);
        if free.milli_cpu < 0 || free.memory_mib < 0 {
            return Err(impossible("its node has too little CPU or memory"));
        }
        let parsed: Result<Vec<u8>, _> =
            devices.split('-').filter(|text| !text.is_empty()).map(str::parse).collect();
        let gpus = parsed.map_err(|_| impossible("its GPUs have no such numbers"))?;
        let needed = if pod.milli_gpu == 0 { 0 } else { usize::from(pod.gpus) };
        if gpus.len() != needed {
            return Err(impossible("it has another number of GPUs than it asked for"));
        }
        for gpu in &gpus {
            let left =
                free.gpus.get_mut(usize::from(*gpu)).ok_or_else(|| impossible("it has no such GPU"))?;
            *left = left
                .checked_sub(pod.milli_gpu)
                .ok_or_else(|| impossible("more of a GPU is taken than there is"))?;
        }
        self.used_milli += pod.total_milli_gpu();
        self.free_milli -= pod.total_milli_gpu();
        self.measure(index);
        Ok(Placement { node: Some(index), gpus })
    }

    /// Measures a node anew.
    fn measure(&mut self, index: usize) {
        let node = &mut self.nodes[index];
        let amounts = self.measure.amounts(&node.gpus, node.milli_cpu, node.model);
        let fragmented = (amounts.fragmented() * UNIT).round() as i64;
        self.fragmented += fragmented - node.fragmented;
        node.fragmented = fragmented;
    }

    fn step(&self, arrived_milli: i64) -> Step {
        Step {
            arrived_milli,
            used_milli: self.used_milli,
            fragmented: self.fragmented as f64 / UNIT,
            free: self.free_milli as f64,
        }
    }
}

fn node_object(node: &TraceNode, name: &str) -> Node {
    let resources = [
        ("cpu", format!("{}m", node.milli_cpu)),
        ("memory", format!("{}Mi", node.memory_mib)),
        // As many as the authors' nodes take.
        ("pods", "1001".to_owned()),
        (gpu::GPU_COUNT, node.gpus.to_string()),
        (gpu::GPU_MILLI, (u32::from(node.gpus) * u32::from(MILLI)).to_string()),
    ];
    let resources = resources.map(|(name, amount)| (name.to_owned(), Quantity(amount)));
    let labels = [(gpu::GPU_CARD_MODEL.to_owned(), node.model.clone())];
    Node {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: (!node.model.is_empty()).then(|| labels.into()),
            ..ObjectMeta::default()
        },
        status: Some(NodeStatus { allocatable: Some(resources.into()), ..NodeStatus::default() }),
        ..Node::default()
    }
}

fn pod_object(pod: &TracePod) -> Pod {
    let mut requests = vec![("cpu".to_owned(), Quantity(format!("{}m", pod.milli_cpu)))];
    if let Some(memory) = pod.memory_mib {
        requests.push(("memory".to_owned(), Quantity(format!("{memory}Mi"))));
    }
    let mut annotations = Vec::new();
    if pod.gpus > 0 {
        annotations.push((gpu::GPU_MILLI.to_owned(), pod.milli_gpu.to_string()));
        annotations.push((gpu::GPU_COUNT.to_owned(), pod.gpus.to_string()));
        if !pod.gpu_spec.is_empty() {
            annotations.push((gpu::GPU_CARD_MODEL.to_owned(), pod.gpu_spec.clone()));
        }
    }
    let resources =
        ResourceRequirements { requests: Some(requests.into_iter().collect()), ..Default::default() };
    let container = Container { name: "main".to_owned(), resources: Some(resources), ..Container::default() };
    Pod {
        metadata: ObjectMeta {
            name: Some(pod.name.clone()),
            namespace: Some("default".to_owned()),
            annotations: (!annotations.is_empty()).then(|| annotations.into_iter().collect()),
            ..ObjectMeta::default()
        },
        spec: Some(PodSpec { containers: vec![container], ..PodSpec::default() }),
        status: None,
    }
}
