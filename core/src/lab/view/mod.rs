//! What a page or a terminal draws of a lab: plain data, ready to be serialised.
//!
//! Nothing here decides anything. Every field repeats what the API server, the
//! kubelets or the hardware say at one instant, in the words that `kubectl`
//! would use, so that a picture, a table and a test can be made from the same
//! value without asking the engines again. A view can be compared with the one
//! before ([`PartialEq`]); the pages send only what changed.

mod of;

use serde::{Deserialize, Serialize};

use crate::sim::SimTime;

/// The whole cluster at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabView {
    /// The instant that is shown.
    pub now: SimTime,
    /// The machines, in the order of their names.
    pub nodes: Vec<NodeView>,
    /// Every pod, by namespace, then name.
    pub pods: Vec<PodView>,
    /// Kubernetes events, the latest last.
    pub events: Vec<EventView>,
}

/// How much of something is asked for, and how much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The sum of the requests of the pods that are there.
    pub requested: u64,
    /// What the node offers to pods (`status.allocatable`).
    pub allocatable: u64,
}

/// One machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeView {
    /// `metadata.name`
    pub name: String,
    /// The STATUS column of `kubectl get nodes`: `Ready,SchedulingDisabled`.
    pub status: String,
    /// Whether the Ready condition is `True`.
    pub ready: bool,
    /// `spec.unschedulable`
    pub cordoned: bool,
    /// The product that GPU feature discovery found (`nvidia.com/gpu.product`); empty without GPUs.
    pub gpu_product: String,
    /// `topology.kubernetes.io/zone`; empty if it has none.
    pub zone: String,
    /// Taints, as `kubectl taint` writes them: `key=value:NoSchedule`.
    pub taints: Vec<String>,
    /// Labels, as `key=value`, sorted.
    pub labels: Vec<String>,
    /// CPU in thousandths of a core.
    pub cpu_milli: Share,
    /// Memory in bytes.
    pub memory_bytes: Share,
    /// GPUs as the scheduler counts them (`nvidia.com/gpu`).
    pub gpu: Share,
    /// How many pods, and how many the kubelet takes.
    pub pods: Share,
    /// Its GPUs by index.
    pub gpus: Vec<GpuView>,
}

/// One GPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuView {
    /// The index that `nvidia-smi` on the node shows.
    pub index: u32,
    /// `NVIDIA H100 80GB HBM3`
    pub model: String,
    /// `GPU-…`
    pub uuid: String,
    /// Why the device plugin does not offer it; empty if it is healthy.
    pub unhealthy: String,
    /// Share of time in which a kernel ran, in percent.
    pub utilization: u8,
    /// Frame buffer in use, MiB.
    pub memory_used_mib: u64,
    /// Frame buffer, MiB.
    pub memory_total_mib: u64,
    /// Degrees Celsius.
    pub temperature_c: u32,
    /// Watts.
    pub power_w: u32,
    /// The pod that it was given to, as `namespace/name`.
    pub pod: Option<String>,
}

/// One pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodView {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub name: String,
    /// `status.phase`
    pub phase: String,
    /// The STATUS column of `kubectl get pods`: `CrashLoopBackOff`.
    pub status: String,
    /// The READY column: ready containers and all of them.
    pub ready: (u32, u32),
    /// The RESTARTS column.
    pub restarts: u32,
    /// When it was created.
    pub created: SimTime,
    /// Where it is bound to; `None` while the scheduler has not decided.
    pub node: Option<String>,
    /// Indices of the GPUs on that node that its containers were given.
    pub gpus: Vec<u32>,
    /// GPUs that it asks for (`nvidia.com/gpu`).
    pub gpus_requested: u64,
    /// CPU that it asks for, in thousandths of a core.
    pub cpu_milli: u64,
    /// Memory that it asks for, in bytes.
    pub memory_bytes: u64,
    /// Why it is not scheduled: the message of the PodScheduled condition, or the pod's own
    /// (`status.message`); empty if there is nothing to say.
    pub message: String,
    /// Init containers first, then the others, in the order of the spec.
    pub containers: Vec<ContainerView>,
}

/// One container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerView {
    /// Its name.
    pub name: String,
    /// Its image, as the spec names it.
    pub image: String,
    /// Whether it is an init container.
    pub init: bool,
    /// Whether it is ready.
    pub ready: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// What it does now.
    pub state: ContainerStateView,
}

/// The state of a container, as `status.containerStatuses[].state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ContainerStateView {
    /// Not started: `ContainerCreating`, `ImagePullBackOff`, and the message if there is one.
    Waiting {
        /// Machine-readable.
        reason: String,
        /// For people; may be empty.
        message: String,
    },
    /// Running since that instant.
    Running {
        /// When it was started.
        since: SimTime,
    },
    /// Ended.
    Terminated {
        /// `Completed`, `Error`, `OOMKilled`.
        reason: String,
        /// What it returned.
        exit_code: i32,
        /// When it ended.
        at: SimTime,
    },
}

impl Default for ContainerStateView {
    fn default() -> Self {
        Self::Waiting { reason: String::new(), message: String::new() }
    }
}

/// One Kubernetes event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventView {
    /// `metadata.namespace` and `metadata.name`, which tell it from others.
    pub id: String,
    /// When it was last seen.
    pub last: SimTime,
    /// How often.
    pub count: u32,
    /// Whether its type is `Warning`.
    pub warning: bool,
    /// `FailedScheduling`
    pub reason: String,
    /// About which object: `pod/cuda`.
    pub object: String,
    /// The object's namespace; empty if it has none.
    pub namespace: String,
    /// For people.
    pub message: String,
    /// `default-scheduler`, `kubelet`.
    pub component: String,
}

/// Why a pod is where it is, or is nowhere: the scheduler's own words, attempt by attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyView {
    /// `metadata.namespace`
    pub namespace: String,
    /// `metadata.name`
    pub pod: String,
    /// What the scheduler tried, the latest last.
    pub attempts: Vec<AttemptView>,
}

/// One scheduling cycle of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    /// When.
    pub at: SimTime,
    /// The profile that was used (`spec.schedulerName`).
    pub scheduler: String,
    /// The node that was chosen.
    pub node: Option<String>,
    /// The message of the PodScheduled condition, if none was.
    pub message: String,
    /// The plugins that gave points, with their weights; none if at most one node fitted.
    pub plugins: Vec<(String, i64)>,
    /// What was said of each node, by name.
    pub verdicts: Vec<VerdictView>,
    /// How the search for pods that could go went, if there was one.
    pub preemption: Option<PreemptionView>,
}

/// What the scheduler said of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerdictView {
    /// The node.
    pub node: String,
    /// The filter plugin that refused it; empty if it passed all.
    pub plugin: String,
    /// Why it was refused, word for word.
    pub reasons: Vec<String>,
    /// Points in the order of [`AttemptView::plugins`]; empty if it was refused or alone.
    pub scores: Vec<PointsView>,
    /// The sum of normalised points times weights.
    pub total: i64,
}

/// What one plugin gave one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointsView {
    /// In the plugin's own measure.
    pub raw: i64,
    /// Brought into 0 to 100 over the nodes that fitted.
    pub normalized: i64,
}

/// Which pods could have made room, node by node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreemptionView {
    /// The node whose pods had to go.
    pub target: Option<String>,
    /// Nodes on which the pod would fit without some others, by name.
    pub candidates: Vec<CandidateView>,
}

/// A node on which the pod would fit without some others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CandidateView {
    /// The node.
    pub node: String,
    /// `namespace/name` of the pods that would have to go, the most important first.
    pub victims: Vec<String>,
    /// How many of them a disruption budget protects.
    pub pdb_violations: i64,
}
