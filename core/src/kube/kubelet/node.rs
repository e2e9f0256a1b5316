//! A kubelet's own affairs: what it reports of its machine, which images are on
//! its disk, which GPUs are given to whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};

use super::resources::GPU;
use crate::hardware;
use crate::order::Collected;
use crate::process::images::{Image, Registry};
use crate::sim::{Rng, SimTime};

/// The version of Kubernetes that the nodes run.
pub(super) const KUBELET_VERSION: &str = "v1.36.2";

/// What of a node is not its machine's: chosen by whoever builds the cluster.
#[derive(Clone, Debug, Default)]
pub struct NodeConfig {
    /// Labels beyond those that the kubelet and GPU feature discovery set.
    pub labels: BTreeMap<String, String>,
    /// Taints that the node registers with.
    pub taints: Vec<core::Taint>,
}

/// One kubelet's state apart from its pods.
#[derive(Clone, Debug)]
pub(super) struct NodeAgent {
    pub(super) name: String,
    pub(super) ip: String,
    /// Images on the disk, by the name they were asked for.
    pub(super) images: BTreeMap<String, Arc<Image>>,
    pub(super) pull_free_at: SimTime,
    /// The pods that count against the node's resources, by UID.
    pub(super) active_specs: BTreeMap<String, Arc<core::Pod>>,
    index: usize,
    /// Per GPU: the pod that holds it.
    gpu_holders: Vec<Option<String>>,
    /// GPUs that init containers of a pod have left for its later containers.
    reusable: BTreeMap<String, Vec<usize>>,
    pod_ips: u32,
    pids: u32,
    rng: Rng,
}

impl NodeAgent {
    pub(super) fn new(machine: &hardware::Node, index: usize, rng: Rng) -> Self {
        Self {
            name: machine.name.clone(),
            ip: format!("10.20.{}.{}", index / 250, index % 250 + 1),
            images: BTreeMap::new(),
            pull_free_at: SimTime::ZERO,
            active_specs: BTreeMap::new(),
            index,
            gpu_holders: vec![None; machine.gpus.len()],
            reusable: BTreeMap::new(),
            pod_ips: 1,
            pids: 1000,
            rng,
        }
    }

    /// The pod that holds GPU `index`, by UID.
    pub(super) fn gpu_holder(&self, index: usize) -> Option<&str> {
        self.gpu_holders.get(index)?.as_deref()
    }

    /// The next address of the node's pod network, 10.244.0.0/16 cut into a /24 per node.
    pub(super) fn next_pod_ip(&mut self) -> String {
        self.pod_ips = self.pod_ips % 254 + 1;
        format!("10.{}.{}.{}", 244 + self.index / 256, self.index % 256, self.pod_ips)
    }

    pub(super) fn next_pid(&mut self) -> u32 {
        self.pids += 1;
        self.pids
    }

    pub(super) fn container_id(&mut self) -> String {
        let mut word = || self.rng.next_u64();
        format!("{:016x}{:016x}{:016x}{:016x}", word(), word(), word(), word())
    }

    pub(super) fn free_gpus(&self) -> usize {
        self.gpu_holders.iter().filter(|holder| holder.is_none()).count()
    }

    /// Grants `count` GPUs to a container of pod `uid`, lowest index first;
    /// containers reuse what the pod's init containers had. `None` if there are
    /// not enough.
    pub(super) fn grant(&mut self, uid: &str, count: usize, init: bool) -> Option<Vec<usize>> {
        let mut granted = self.reusable.remove(uid).unwrap_or_default();
        let surplus = granted.split_off(granted.len().min(count));
        let free = (0..self.gpu_holders.len()).filter(|i| self.gpu_holders[*i].is_none());
        granted.extend(free.take(count - granted.len()));
        if granted.len() < count {
            return None;
        }
        for index in &granted {
            self.gpu_holders[*index] = Some(uid.to_owned());
        }
        let mut left = surplus;
        if init {
            left.extend(&granted);
            left.sort_unstable();
        }
        if !left.is_empty() {
            self.reusable.insert(uid.to_owned(), left);
        }
        Some(granted)
    }

    /// Takes back everything that pod `uid` held.
    pub(super) fn release(&mut self, uid: &str) {
        self.active_specs.remove(uid);
        self.reusable.remove(uid);
        for holder in &mut self.gpu_holders {
            if holder.as_deref() == Some(uid) {
                *holder = None;
            }
        }
    }

    /// How long pulling `image` takes on this node: what is not in the cache, at
    /// the registry's rate.
    pub(super) fn pull_time(&self, registry: &Registry, image: &str) -> Duration {
        registry.pull_time_beside(image, self.images.values().map(AsRef::as_ref))
    }
}

/// The Node object that a kubelet registers, and its status.
pub(super) fn node_object(
    machine: &hardware::Node,
    agent: &NodeAgent,
    config: &NodeConfig,
    now: &Time,
) -> core::Node {
    let mut labels = BTreeMap::from([
        ("beta.kubernetes.io/arch".to_owned(), "amd64".to_owned()),
        ("beta.kubernetes.io/os".to_owned(), "linux".to_owned()),
        ("kubernetes.io/arch".to_owned(), "amd64".to_owned()),
        ("kubernetes.io/hostname".to_owned(), machine.name.clone()),
        ("kubernetes.io/os".to_owned(), "linux".to_owned()),
    ]);
    if let Some(gpu) = machine.gpus.first() {
        labels.extend([
            ("nvidia.com/gpu.present".to_owned(), "true".to_owned()),
            ("nvidia.com/gpu.count".to_owned(), machine.gpus.len().to_string()),
            ("nvidia.com/gpu.product".to_owned(), gpu.spec.product()),
            ("nvidia.com/gpu.memory".to_owned(), gpu.spec.memory_mib.to_string()),
            ("nvidia.com/gpu.family".to_owned(), gpu.spec.architecture.family().to_owned()),
            ("nvidia.com/gpu.compute.major".to_owned(), gpu.spec.compute_capability.0.to_string()),
            ("nvidia.com/gpu.compute.minor".to_owned(), gpu.spec.compute_capability.1.to_string()),
        ]);
    }
    labels.extend(config.labels.clone());
    core::Node {
        metadata: ObjectMeta {
            name: Some(machine.name.clone()),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        spec: Some(core::NodeSpec {
            pod_cidr: Some(format!("10.{}.{}.0/24", 244 + agent.index / 256, agent.index % 256)),
            pod_cidrs: Some(vec![format!("10.{}.{}.0/24", 244 + agent.index / 256, agent.index % 256)]),
            taints: (!config.taints.is_empty()).then(|| config.taints.clone()),
            ..core::NodeSpec::default()
        }),
        status: Some(node_status(machine, agent, now)),
    }
}

fn node_status(machine: &hardware::Node, agent: &NodeAgent, now: &Time) -> core::NodeStatus {
    let healthy = machine.gpus.iter().filter(|gpu| gpu.is_allocatable()).count();
    let memory_ki = machine.memory_mib * 1024;
    let storage_ki = machine.local_storage_gb * 1_000_000_000 / 1024;
    let list = |memory: u64, storage: String, gpus: usize| {
        let mut map: BTreeMap<String, Quantity> = [
            ("cpu", machine.cpu.logical().to_string()),
            ("ephemeral-storage", storage),
            ("hugepages-1Gi", "0".to_owned()),
            ("hugepages-2Mi", "0".to_owned()),
            ("memory", format!("{memory}Ki")),
            ("pods", "110".to_owned()),
        ]
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Quantity(text)))
        .into_map();
        if !machine.gpus.is_empty() {
            map.insert(GPU.to_owned(), Quantity(gpus.to_string()));
        }
        map
    };
    // Hard eviction thresholds are held back: 100 MiB of memory, a tenth of the disk.
    let allocatable =
        list(memory_ki.saturating_sub(100 * 1024), (storage_ki * 1024 / 10 * 9).to_string(), healthy);
    let condition = |type_: &str, status: &str, reason: &str, message: &str| core::NodeCondition {
        type_: type_.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message.to_owned()),
        last_heartbeat_time: Some(now.clone()),
        last_transition_time: Some(now.clone()),
    };
    core::NodeStatus {
        addresses: Some(vec![
            core::NodeAddress { type_: "InternalIP".to_owned(), address: agent.ip.clone() },
            core::NodeAddress { type_: "Hostname".to_owned(), address: machine.name.clone() },
        ]),
        capacity: Some(list(memory_ki, format!("{storage_ki}Ki"), machine.gpus.len())),
        allocatable: Some(allocatable),
        conditions: Some(vec![
            condition(
                "MemoryPressure",
                "False",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available",
            ),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            condition(
                "PIDPressure",
                "False",
                "KubeletHasSufficientPID",
                "kubelet has sufficient PID available",
            ),
            condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
        ]),
        daemon_endpoints: Some(core::NodeDaemonEndpoints {
            kubelet_endpoint: Some(core::DaemonEndpoint { port: 10250 }),
        }),
        node_info: Some(core::NodeSystemInfo {
            architecture: "amd64".to_owned(),
            boot_id: machine.boot_id.clone(),
            container_runtime_version: "containerd://2.1.4".to_owned(),
            kernel_version: "6.8.0-90-generic".to_owned(),
            kube_proxy_version: String::new(),
            kubelet_version: KUBELET_VERSION.to_owned(),
            machine_id: machine.machine_id.clone(),
            operating_system: "linux".to_owned(),
            os_image: "Ubuntu 24.04.3 LTS".to_owned(),
            system_uuid: machine.system_uuid.clone(),
            ..core::NodeSystemInfo::default()
        }),
        ..core::NodeStatus::default()
    }
}
