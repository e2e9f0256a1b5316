//! The kubelets: one per machine, each runs the pods that are bound to it.
//!
//! All kubelets of a cluster are one component, [`Kubelets`], so that a quiet node
//! costs nothing: changes of pods are read once from the API server and handed
//! to the worker of the pod they are about; whatever a worker waits for stands in
//! one event queue.
//!
//! What a pod goes through is in `worker` (sandbox, images, init containers,
//! restarts, termination), what it reports in `status`, what it may have of the
//! machine in `resources` and `node`, what its processes see in `environment` and
//! `volumes`.
//!
//! Not modelled: probes, lifecycle hooks, eviction, in-place resize, static pods,
//! Secrets, persistent volumes, `subPath`, block devices, open standard input and
//! terminals. A pod that asks for probes, hooks or one of the last four gets a
//! `NotModelled` event that says so.

mod backoff;
mod container;
mod environment;
mod logs;
mod node;
mod resources;
mod run;
mod status;
mod volumes;
mod worker;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1 as core;

pub use self::logs::{ContainerLog, LogLine, LogStream};
use self::node::NodeAgent;
pub use self::node::NodeConfig;
use self::worker::{Context, PodWorker};
use crate::hardware;
use crate::kube::api::{ApiServer, Object, Status, WatchVerb, WriteOptions};
use crate::process::images::Registry;
use crate::sim::{Epoch, EventId, EventQueue, Seed, SimTime};

/// All kubelets of a cluster.
#[derive(Clone, Debug)]
pub struct Kubelets {
    epoch: Epoch,
    seed: Seed,
    nodes: Vec<Kubelet>,
    by_name: BTreeMap<String, usize>,
    /// The API server's changes up to here are known.
    seen: u64,
    wakeups: EventQueue<(usize, String)>,
}

#[derive(Clone, Debug)]
struct Kubelet {
    agent: NodeAgent,
    /// By UID.
    pods: BTreeMap<String, Running>,
}

#[derive(Clone, Debug)]
struct Running {
    worker: PodWorker,
    wakeup: Option<(SimTime, EventId)>,
}

impl Kubelets {
    /// No kubelet yet.
    pub const fn new(epoch: Epoch, seed: Seed) -> Self {
        Self { epoch, seed, nodes: Vec::new(), by_name: BTreeMap::new(), seen: 0, wakeups: EventQueue::new() }
    }

    /// Starts the kubelet of `machine`, which must be the machine of the next
    /// index in the slice that [`Kubelets::advance`] is lent: it registers its node.
    ///
    /// # Errors
    ///
    /// The API server's refusal: a node of that name is there already, or the
    /// name is not a valid one.
    pub fn join(
        &mut self,
        now: SimTime,
        api: &mut ApiServer,
        machine: &hardware::Node,
        config: &NodeConfig,
    ) -> Result<(), Status> {
        let index = self.nodes.len();
        let rng = self.seed.rng(&format!("kubelet/{}", machine.name));
        let agent = NodeAgent::new(machine, index, rng);
        let time = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(self.epoch.timestamp_secs(now));
        let object = Object::Node(Arc::new(node::node_object(machine, &agent, config, &time)));
        let options = WriteOptions { field_manager: "kubelet".to_owned(), ..WriteOptions::default() };
        api.create("", object, &options)?;
        self.by_name.insert(machine.name.clone(), index);
        self.nodes.push(Kubelet { agent, pods: BTreeMap::new() });
        Ok(())
    }

    /// When something is due next.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        self.wakeups.next_time()
    }

    /// Runs every pod that changed or that is due at `now`; whether there was any.
    pub fn advance(
        &mut self,
        now: SimTime,
        api: &mut ApiServer,
        machines: &mut [hardware::Node],
        registry: &Registry,
    ) -> bool {
        let mut due: BTreeSet<(usize, String)> = BTreeSet::new();
        for event in api.events_since(self.seen) {
            if let Object::Pod(pod) = &event.object
                && let Some(node) = pod.spec.as_ref().and_then(|s| s.node_name.as_ref())
                && let Some(index) = self.by_name.get(node)
                && let Some(uid) = &pod.metadata.uid
            {
                let kubelet = &mut self.nodes[*index];
                match (kubelet.pods.get_mut(uid), event.verb) {
                    (Some(running), WatchVerb::Deleted) => running.worker.vanish(),
                    (Some(running), _) => running.worker.update(Arc::clone(pod)),
                    (None, WatchVerb::Deleted) => continue,
                    (None, _) => {
                        let worker = PodWorker::new(Arc::clone(pod), now);
                        kubelet.pods.insert(uid.clone(), Running { worker, wakeup: None });
                    }
                }
                due.insert((*index, uid.clone()));
            }
        }
        self.seen = api.resource_version();
        while let Some((_, key)) = self.wakeups.pop_due(now) {
            due.insert(key);
        }
        let any = !due.is_empty();
        for (index, uid) in due {
            self.sync(now, api, machines, registry, index, &uid);
        }
        any
    }

    fn sync(
        &mut self,
        now: SimTime,
        api: &mut ApiServer,
        machines: &mut [hardware::Node],
        registry: &Registry,
        index: usize,
        uid: &str,
    ) {
        let kubelet = &mut self.nodes[index];
        let (Some(running), Some(machine)) = (kubelet.pods.get_mut(uid), machines.get_mut(index)) else {
            return;
        };
        let mut ctx = Context { now, epoch: self.epoch, api, agent: &mut kubelet.agent, machine, registry };
        running.worker.sync(&mut ctx);
        if running.worker.is_gone() {
            if let Some((_, id)) = running.wakeup {
                self.wakeups.cancel(id);
            }
            kubelet.pods.remove(uid);
            return;
        }
        let next = running.worker.next_wakeup();
        if running.wakeup.map(|(at, _)| at) == next && next.is_some_and(|at| at > now) {
            return;
        }
        if let Some((_, id)) = running.wakeup.take() {
            self.wakeups.cancel(id);
        }
        running.wakeup = next.map(|at| (at, self.wakeups.push(at, (index, uid.to_owned()))));
    }

    /// The log of a container: of its present or latest instance, or of the one
    /// before. `None` while the pod is on no node.
    ///
    /// # Errors
    ///
    /// Why there is none, in the words of the API server (`kubectl logs`).
    pub fn logs(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
    ) -> Result<Option<LogView<'_>>, LogError> {
        let named = |running: &&Running| {
            let meta = &running.worker.pod.metadata;
            meta.name.as_deref() == Some(pod) && meta.namespace.as_deref() == Some(namespace)
        };
        let Some(running) = self.nodes.iter().flat_map(|node| node.pods.values()).find(named) else {
            return Ok(None);
        };
        let worker = &running.worker;
        let waiting = || LogError::Waiting {
            pod: pod.to_owned(),
            container: container.to_owned(),
            reason: waiting_reason(&worker.pod, container),
        };
        let found = worker.containers.iter().find(|c| c.spec.name == container).ok_or_else(waiting)?;
        if previous {
            let none = || LogError::NoPrevious { pod: pod.to_owned(), container: container.to_owned() };
            let log = found.previous_log.as_ref().ok_or_else(none)?;
            return Ok(Some(LogView { log, ended: true }));
        }
        if found.has_run() {
            Ok(Some(LogView { log: &found.log, ended: !found.is_running() }))
        } else {
            Err(waiting())
        }
    }

    /// The pod (by UID) that holds GPU `gpu` of node `node`.
    pub fn gpu_holder(&self, node: &str, gpu: usize) -> Option<&str> {
        self.nodes[*self.by_name.get(node)?].agent.gpu_holder(gpu)
    }

    /// The GPUs of its node that a pod was given, by index.
    pub fn gpus_of(&self, pod: &core::Pod) -> Vec<usize> {
        let gpus = || {
            let node = pod.spec.as_ref()?.node_name.as_ref()?;
            let kubelet = &self.nodes[*self.by_name.get(node)?];
            let running = kubelet.pods.get(pod.metadata.uid.as_ref()?)?;
            if !running.worker.is_active() {
                return None;
            }
            let mut gpus: Vec<_> = running.worker.containers.iter().flat_map(|c| c.gpus.clone()).collect();
            gpus.sort_unstable();
            gpus.dedup();
            Some(gpus)
        };
        gpus().unwrap_or_default()
    }
}

/// Why a container has waited, as its status says.
fn waiting_reason(pod: &core::Pod, container: &str) -> String {
    let status = pod.status.as_ref();
    let of = |list: Option<&Vec<core::ContainerStatus>>| {
        let state = list?.iter().find(|c| c.name == container)?.state.as_ref()?;
        state.waiting.as_ref()?.reason.clone()
    };
    let reason = of(status.and_then(|s| s.container_statuses.as_ref()))
        .or_else(|| of(status.and_then(|s| s.init_container_statuses.as_ref())))
        .unwrap_or_else(|| "ContainerCreating".to_owned());
    match reason.as_str() {
        "ErrImagePull" | "ImagePullBackOff" => "trying and failing to pull image".to_owned(),
        _ => reason,
    }
}

/// A container's log, and whether anything can be added to it.
#[derive(Clone, Copy, Debug)]
pub struct LogView<'a> {
    /// The lines.
    pub log: &'a ContainerLog,
    /// The instance has ended.
    pub ended: bool,
}

/// Why there is no log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The container has not started.
    #[error("container \"{container}\" in pod \"{pod}\" is waiting to start: {reason}")]
    Waiting {
        /// The pod's name.
        pod: String,
        /// The container's name.
        container: String,
        /// Why it waits.
        reason: String,
    },
    /// There was no instance before the present one.
    #[error("previous terminated container \"{container}\" in pod \"{pod}\" not found")]
    NoPrevious {
        /// The pod's name.
        pod: String,
        /// The container's name.
        container: String,
    },
}
