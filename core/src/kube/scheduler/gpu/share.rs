//! `Open-Gpu-Share`: pods ask for parts of GPUs, and each gets devices of its own.
//!
//! It keeps the free part of every device, from the pods that it placed itself and from the annotation
//! `alibabacloud.com/gpu-index` of those that it did not.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::super::cluster::{Cluster, Moment, NodeId, NodeInfo, PodInfo, ResourceId, Symbol, Symbols};
use super::super::framework::{
    Context, CycleState, Filter, Plugin, PodAnnotations, Prepare, Reserve, Status,
};
use super::super::plugins::arguments;
use super::super::queue::EventKinds;
use super::device_choice::DeviceChoosers;
use super::devices::{DeviceList, GpuView, MAX_DEVICES, NodeGpus};
use super::request::{GPU_INDEX, GpuRequest, MILLI, Names, format_devices};
use crate::sim::{Rng, Seed};

pub(super) const NAME: &str = "Open-Gpu-Share";

/// `OpenGpuSharePluginCfg`
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Args {
    /// `best`, `worst`, `random`, or the name of a score plugin that chooses devices.
    gpu_sel_method: String,
    /// For files of the authors, who repeat the policy's arguments here; each policy reads its own.
    dim_ext_method: String,
    /// As `dim_ext_method`.
    norm_method: String,
    /// Of the choice `random`.
    seed: u64,
}

impl Default for Args {
    fn default() -> Self {
        let (dim_ext_method, norm_method) = (String::new(), String::new());
        Self { gpu_sel_method: "best".to_owned(), dim_ext_method, norm_method, seed: 0 }
    }
}

/// How a device is chosen for a share of a GPU. Whole GPUs are the first idle ones, whatever the choice.
#[derive(Clone, Debug)]
enum Select {
    Tightest,
    Emptiest,
    Random,
    By(String),
}

/// What a pod took.
#[derive(Clone, Debug)]
struct Taken {
    pod: (Symbol, Symbol),
    milli: u16,
    kind: u32,
    devices: DeviceList,
}

/// The room of a node in short.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    /// [`NodeGpus::version`]
    version: u64,
    /// The largest share that one of its GPUs has left, in thousandths.
    share: u16,
    /// How many of its GPUs are idle.
    whole: u16,
}

#[derive(Clone, Debug)]
struct OpenGpuShare {
    names: Names,
    select: Select,
    rng: Rng,
    /// The moment up to which `nodes` is right.
    seen: Moment,
    nodes: Arc<Vec<NodeGpus>>,
    /// Of each node what most pods ask for, side by side: the filter looks at every node for every pod.
    rooms: Vec<Room>,
    /// What the pods of each node got here.
    taken: Vec<Vec<Taken>>,
    /// What the pod of this cycle asks for.
    request: GpuRequest,
}

pub(super) fn new(args: &Value, cluster: &mut Cluster) -> Result<Box<dyn Plugin>, String> {
    let args: Args = arguments(args)?;
    let select = match args.gpu_sel_method.as_str() {
        "best" => Select::Tightest,
        "worst" => Select::Emptiest,
        "random" => Select::Random,
        name @ (super::fgd::NAME | super::dot_product::NAME) => Select::By(name.to_owned()),
        other => {
            return Err(format!(
                "gpuSelMethod: Unsupported value: {other:?}: supported values: \"best\", \"worst\", \
                 \"random\", \"FGDScore\", \"DotProductScore\""
            ));
        }
    };
    Ok(Box::new(OpenGpuShare {
        names: Names::new(cluster),
        select,
        rng: Seed::new(args.seed).rng(NAME),
        seen: Moment::default(),
        nodes: Arc::default(),
        rooms: Vec::new(),
        taken: Vec::new(),
        request: GpuRequest::default(),
    }))
}

impl Plugin for OpenGpuShare {
    fn name(&self) -> &str {
        NAME
    }

    fn prepare(&mut self) -> Option<&mut dyn Prepare> {
        Some(self)
    }

    fn filter(&self) -> Option<&dyn Filter> {
        Some(self)
    }

    fn reserve(&mut self) -> Option<&mut dyn Reserve> {
        Some(self)
    }

    fn events(&self) -> EventKinds {
        EventKinds::ASSIGNED_POD_DELETE
            | EventKinds::NODE_ADD
            | EventKinds::NODE_UPDATE_ALLOCATABLE
            | EventKinds::NODE_UPDATE_LABEL
    }
}

impl Prepare for OpenGpuShare {
    fn prepare(&mut self, context: &Context<'_>, state: &mut CycleState) {
        let Context { pod, cluster } = context;
        self.request = GpuRequest::of(pod, &self.names, &cluster.symbols);
        let count = cluster.node_slots();
        self.taken.resize_with(count, Vec::new);
        let nodes = Arc::make_mut(&mut self.nodes);
        nodes.resize_with(count, NodeGpus::default);
        self.rooms.resize(count, Room::default());
        let mut renew = |id: NodeId| {
            let (node, taken) = (cluster.node(id), &mut self.taken[id.index()]);
            if nodes[id.index()].version != node.version {
                let mut known = std::mem::take(taken);
                let gpus = count_up(node, &known, &self.names, &cluster.symbols);
                self.rooms[id.index()] =
                    Room { version: gpus.version, share: gpus.max_left(), whole: gpus.idle() };
                nodes[id.index()] = gpus;
                // A pod that went gave back what it had.
                known.retain(|taken| node.pods.iter().any(|pod| (pod.namespace, pod.name) == taken.pod));
                *taken = known;
            }
        };
        match cluster.changed_since(self.seen) {
            Some(changed) => changed.iter().for_each(|id| renew(*id)),
            None => cluster.node_ids().for_each(&mut renew),
        }
        self.seen = cluster.moment();
        state.write(GpuView { request: self.request.clone(), nodes: Arc::clone(&self.nodes) });
    }
}

/// The GPUs of a node with its pods on it.
fn count_up(node: &NodeInfo, taken: &[Taken], names: &Names, symbols: &Symbols) -> NodeGpus {
    let milli_cpu = node.allocatable.get(ResourceId::CPU);
    let milli_cpu_left = milli_cpu.saturating_sub(node.requested.get(ResourceId::CPU));
    let count = names.gpus_of(node);
    let idle = [MILLI; MAX_DEVICES];
    let model = names.model_of(node);
    let mut gpus = NodeGpus::new(milli_cpu_left, milli_cpu, &idle[..count.unwrap_or(0)], model);
    gpus.too_many = count.is_none();
    gpus.version = node.version;
    let mut without_devices: Vec<GpuRequest> = Vec::new();
    for pod in &node.pods {
        if let Some(known) = taken.iter().find(|taken| taken.pod == (pod.namespace, pod.name)) {
            gpus.take(&known.devices, known.milli);
            gpus.kinds |= 1 << known.kind;
            continue;
        }
        let request = GpuRequest::of(pod, names, symbols);
        let Some(kind) = request.kind().filter(|_| request.milli > 0) else { continue };
        gpus.kinds |= 1 << kind;
        if request.devices.is_empty() {
            without_devices.push(request);
        } else {
            gpus.take(&request.devices, request.milli);
        }
    }
    // Nobody says which devices these have; they cannot have none.
    for request in without_devices {
        let devices = if request.is_shared() {
            gpus.tightest(request.milli).into_iter().collect()
        } else {
            gpus.first_idle(request.count).unwrap_or_default()
        };
        gpus.take(&devices, request.milli);
    }
    gpus
}

impl OpenGpuShare {
    fn verdict(&self, node: &NodeGpus) -> Status {
        if node.too_many {
            Status::unresolvable("not modelled: more than 64 GPUs on a node")
        } else if node.left().is_empty() {
            Status::unresolvable("node(s) had no GPU")
        } else if !self.request.accepts(node.model) {
            Status::unresolvable("node(s) didn't match the pod's GPU card model")
        } else if self.request.count > 1 && self.request.milli < MILLI {
            Status::unresolvable("not modelled: parts of more than one GPU")
        } else {
            Status::unschedulable("Insufficient alibabacloud.com/gpu-milli")
        }
    }

    fn choose(&mut self, node: NodeId, pod: &PodInfo, state: &CycleState) -> Option<DeviceList> {
        let gpus = self.nodes.get(node.index())?;
        let request = &self.request;
        if !gpus.has_room(request) {
            return None;
        }
        if !request.devices.is_empty() {
            return Some(request.devices.clone());
        }
        debug_assert!(request.count > 0, "{:?} asks for no GPU", pod.name);
        match &self.select {
            Select::By(name) => state.read::<DeviceChoosers>()?.get(name)?.choose(gpus, request),
            _ if !request.is_shared() => gpus.first_idle(request.count),
            Select::Tightest => gpus.tightest(request.milli).map(|device| [device].into_iter().collect()),
            Select::Emptiest => gpus.emptiest(request.milli).map(|device| [device].into_iter().collect()),
            Select::Random => {
                let room = gpus.with_room(request.milli);
                let at = self.rng.below(room.len() as u64) as usize;
                room.get(at).map(|device| [*device].into_iter().collect())
            }
        }
    }
}

impl Filter for OpenGpuShare {
    /// The devices of pods that were placed here are this plugin's, but they change only when the node does.
    fn is_local(&self) -> bool {
        true
    }

    fn filter(&self, context: &Context<'_>, _: &CycleState, node: &NodeInfo) -> Status {
        if self.request.milli == 0 {
            return Status::success();
        }
        if self.request.has_no_wishes()
            && let Some(room) = self.rooms.get(node.id.index()).filter(|room| room.version == node.version)
        {
            let fits = match self.request.count {
                0 => false,
                1 => self.request.milli <= room.share,
                count => self.request.milli == MILLI && count <= room.whole,
            };
            if fits {
                return Status::success();
            }
        }
        let fits = |gpus: &NodeGpus| {
            self.request.count > 0 && gpus.has_room(&self.request) && self.request.accepts(gpus.model)
        };
        match self.nodes.get(node.id.index()).filter(|gpus| gpus.version == node.version) {
            Some(gpus) if fits(gpus) => Status::success(),
            Some(gpus) => self.verdict(gpus),
            None => {
                // The node as it would be with other pods on it: somebody asks what if.
                let taken = self.taken.get(node.id.index()).map(Vec::as_slice).unwrap_or_default();
                let gpus = count_up(node, taken, &self.names, &context.cluster.symbols);
                if fits(&gpus) { Status::success() } else { self.verdict(&gpus) }
            }
        }
    }
}

impl Reserve for OpenGpuShare {
    fn reserve(&mut self, context: &Context<'_>, state: &mut CycleState, node: NodeId) -> Status {
        let Some(kind) = self.request.kind().filter(|_| self.request.milli > 0) else {
            return Status::success();
        };
        let Some(devices) = self.choose(node, context.pod, state) else {
            return Status::unschedulable("Insufficient alibabacloud.com/gpu-milli");
        };
        let pod = context.pod;
        // Whole GPUs by `nvidia.com/gpu` are the device plugin's to give out.
        if pod.rest.annotation(super::GPU_MILLI, &context.cluster.symbols).is_some() {
            let mut annotations = state.read::<PodAnnotations>().cloned().unwrap_or_default();
            annotations.0.insert(GPU_INDEX.to_owned(), format_devices(&devices));
            state.write(annotations);
        }
        let milli = self.request.milli;
        self.taken[node.index()].push(Taken { pod: (pod.namespace, pod.name), milli, kind, devices });
        Status::success()
    }

    fn unreserve(&mut self, context: &Context<'_>, _: &mut CycleState, node: NodeId) {
        let pod = (context.pod.namespace, context.pod.name);
        if let Some(taken) = self.taken.get_mut(node.index()) {
            taken.retain(|taken| taken.pod != pod);
        }
    }
}
