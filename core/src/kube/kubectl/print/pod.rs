//! The columns of a pod: READY, STATUS and RESTARTS say in three words what its
//! phase, its conditions and the states of all its containers say at length.

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::Now;

/// What the columns say of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodSummary {
    /// Containers that are ready, sidecars included.
    pub ready: usize,
    /// Containers there are, sidecars included.
    pub total: usize,
    /// The STATUS column.
    pub status: String,
    /// Restarts of all containers that count.
    pub restarts: i64,
    /// When a container last ended before a restart.
    pub last_restart: Option<Time>,
}

impl PodSummary {
    /// Reads a pod (`printPod`).
    ///
    /// ```
    /// use clusterlab::kube::kubectl::print::PodSummary;
    /// use k8s_openapi::api::core::v1::Pod;
    ///
    /// let pod: Pod = serde_json::from_value(serde_json::json!({
    ///     "spec": {"containers": [{"name": "main"}]},
    ///     "status": {"phase": "Running", "containerStatuses": [
    ///         {"name": "main", "ready": false, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
    ///     ]},
    /// }))?;
    /// let summary = PodSummary::of(&pod);
    /// assert_eq!((summary.status.as_str(), summary.ready, summary.restarts), ("CrashLoopBackOff", 0, 4));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn of(pod: &Pod) -> Self {
        let empty = PodStatus::default();
        let status = pod.status.as_ref().unwrap_or(&empty);
        let spec = pod.spec.as_ref();
        let init_specs = spec.and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
        let is_sidecar = |name: &str| {
            init_specs.iter().any(|container| container.name == name && restarts_always(container))
        };
        let phase = status.phase.as_deref().unwrap_or_default();
        let mut reason =
            status.reason.as_deref().filter(|reason| !reason.is_empty()).unwrap_or(phase).to_owned();
        let gated = |condition: &&k8s_openapi::api::core::v1::PodCondition| {
            condition.type_ == "PodScheduled" && condition.reason.as_deref() == Some("SchedulingGated")
        };
        let conditions = status.conditions.as_deref().unwrap_or_default();
        if conditions.iter().any(|condition| gated(&condition)) {
            "SchedulingGated".clone_into(&mut reason);
        }
        let mut summary = Self {
            ready: 0,
            total: spec.map_or(0, |spec| spec.containers.len())
                + init_specs.iter().filter(|container| restarts_always(container)).count(),
            status: String::new(),
            restarts: 0,
            last_restart: None,
        };
        let (mut sidecar_restarts, mut sidecar_last) = (0, None);
        let mut initializing = false;
        for (index, container) in status.init_container_statuses.iter().flatten().enumerate() {
            summary.count_restarts(container);
            let sidecar = is_sidecar(&container.name);
            if sidecar {
                sidecar_restarts += i64::from(container.restart_count);
                sidecar_last = sidecar_last.max(last_end(container));
            }
            match init_reason(container, sidecar, index, init_specs.len()) {
                Init::Done => {}
                Init::SidecarRuns => summary.ready += usize::from(container.ready),
                Init::Reason(text) => {
                    reason = text;
                    initializing = true;
                    break;
                }
            }
        }
        let is_true = |kind: &str| {
            conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
        };
        if !initializing || is_true("Initialized") {
            summary.restarts = sidecar_restarts;
            summary.last_restart = sidecar_last;
            let mut running = false;
            for container in status.container_statuses.iter().flatten().rev() {
                summary.count_restarts(container);
                let state = container.state.as_ref();
                let waiting = state
                    .and_then(|state| state.waiting.as_ref())
                    .and_then(|waiting| waiting.reason.as_deref())
                    .filter(|reason| !reason.is_empty());
                if let Some(waiting) = waiting {
                    waiting.clone_into(&mut reason);
                } else if let Some(ended) = state.and_then(|state| state.terminated.as_ref()) {
                    reason = ended_reason(ended, "");
                } else if container.ready && state.is_some_and(|state| state.running.is_some()) {
                    running = true;
                    summary.ready += 1;
                }
            }
            if reason == "Completed" && running {
                (if is_true("Ready") { "Running" } else { "NotReady" }).clone_into(&mut reason);
            }
        }
        if pod.metadata.deletion_timestamp.is_some() {
            if status.reason.as_deref() == Some("NodeLost") {
                "Unknown".clone_into(&mut reason);
            } else if !matches!(phase, "Succeeded" | "Failed") {
                "Terminating".clone_into(&mut reason);
            }
        }
        summary.status = reason;
        summary
    }

    fn count_restarts(&mut self, container: &ContainerStatus) {
        self.restarts += i64::from(container.restart_count);
        self.last_restart = self.last_restart.take().max(last_end(container));
    }

    /// The RESTARTS column: `4 (12s ago)`.
    pub fn restarts_column(&self, now: Now) -> String {
        match &self.last_restart {
            Some(time) if self.restarts != 0 => format!("{} ({} ago)", self.restarts, now.since(Some(time))),
            _ => self.restarts.to_string(),
        }
    }
}

enum Init {
    Done,
    SidecarRuns,
    Reason(String),
}

fn init_reason(container: &ContainerStatus, sidecar: bool, index: usize, count: usize) -> Init {
    let state = container.state.as_ref();
    let ended = state.and_then(|state| state.terminated.as_ref());
    let waiting = state
        .and_then(|state| state.waiting.as_ref())
        .and_then(|waiting| waiting.reason.as_deref())
        .filter(|reason| !reason.is_empty() && *reason != "PodInitializing");
    match (ended, waiting) {
        (Some(ended), _) if ended.exit_code == 0 => Init::Done,
        _ if sidecar && container.started == Some(true) => Init::SidecarRuns,
        (Some(ended), _) => Init::Reason(ended_reason(ended, "Init:")),
        (None, Some(waiting)) => Init::Reason(format!("Init:{waiting}")),
        (None, None) => Init::Reason(format!("Init:{index}/{count}")),
    }
}

fn ended_reason(ended: &k8s_openapi::api::core::v1::ContainerStateTerminated, prefix: &str) -> String {
    match (ended.reason.as_deref(), ended.signal) {
        (Some(reason), _) if !reason.is_empty() => format!("{prefix}{reason}"),
        (_, Some(signal)) if signal != 0 => format!("{prefix}Signal:{signal}"),
        _ => format!("{prefix}ExitCode:{}", ended.exit_code),
    }
}

/// When the instance before the present one ended.
fn last_end(container: &ContainerStatus) -> Option<Time> {
    container.last_state.as_ref()?.terminated.as_ref()?.finished_at.clone()
}

/// Whether an init container is a sidecar.
pub(super) fn restarts_always(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// The cells of a pod's row.
pub(super) fn pod_cells(pod: &Pod, now: Now) -> Vec<String> {
    let summary = PodSummary::of(pod);
    let none = |text: Option<&str>| text.filter(|text| !text.is_empty()).unwrap_or("<none>").to_owned();
    let (spec, status) = (pod.spec.as_ref(), pod.status.as_ref());
    let ip = status
        .and_then(|status| status.pod_ips.as_ref())
        .and_then(|ips| ips.first())
        .map(|ip| ip.ip.as_str());
    let gates = spec.and_then(|spec| spec.readiness_gates.as_deref()).unwrap_or_default();
    let gates_column = if gates.is_empty() {
        "<none>".to_owned()
    } else {
        let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let true_gates = gates.iter().filter(|gate| {
            conditions
                .iter()
                .find(|condition| condition.type_ == gate.condition_type)
                .is_some_and(|condition| condition.status == "True")
        });
        format!("{}/{}", true_gates.count(), gates.len())
    };
    vec![
        pod.metadata.name.clone().unwrap_or_default(),
        format!("{}/{}", summary.ready, summary.total),
        summary.status.clone(),
        summary.restarts_column(now),
        now.since(pod.metadata.creation_timestamp.as_ref()),
        none(ip),
        none(spec.and_then(|spec| spec.node_name.as_deref())),
        none(status.and_then(|status| status.nominated_node_name.as_deref())),
        gates_column,
    ]
}
