//! A pod's status as the kubelet reports it (`pkg/kubelet/kubelet_pods.go`,
//! `pkg/kubelet/status/generate.go`).

use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::container::{Container, Ended, Role, Stage};
use crate::sim::{Epoch, SimTime};

/// `pkg/kubelet/kubelet_pods.go`, `getPhase`.
pub(super) fn phase(containers: &[Container], policy: &str, terminating: bool) -> &'static str {
    for init in containers.iter().filter(|c| c.role == Role::Init) {
        match &init.stage {
            Stage::Ended(ended) if ended.code == 0 => {}
            Stage::Ended(_) if policy == "Never" => return "Failed",
            _ if terminating && !init.is_running() => {}
            _ => return "Pending",
        }
    }
    let mains = || containers.iter().filter(|c| c.role == Role::Main);
    let waiting = |c: &&Container| c.ended().is_none() && c.last.is_none() && !c.is_running();
    if mains().any(|c| waiting(&c)) {
        return if terminating { "Failed" } else { "Pending" };
    }
    if mains().any(Container::is_running) {
        return "Running";
    }
    let all_zero = || mains().all(|c| c.ended().is_some_and(|e| e.code == 0));
    match policy {
        _ if terminating && all_zero() => "Succeeded",
        _ if terminating => "Failed",
        "Always" => "Running",
        _ if mains().all(Container::succeeded) => "Succeeded",
        "Never" => "Failed",
        // OnFailure: whatever failed is started again.
        _ => "Running",
    }
}

/// Whether a condition holds, why not, and the same for people.
type Verdict = (bool, Option<&'static str>, Option<String>);

/// What a status is made from.
pub(super) struct Report<'a> {
    pub(super) pod: &'a core::Pod,
    pub(super) containers: &'a [Container],
    pub(super) phase: &'static str,
    pub(super) sandbox_ready: bool,
    pub(super) started: SimTime,
    pub(super) host_ip: &'a str,
    pub(super) pod_ip: Option<&'a str>,
    pub(super) now: SimTime,
    pub(super) epoch: Epoch,
}

impl Report<'_> {
    fn time(&self, at: SimTime) -> Time {
        Time(self.epoch.timestamp_secs(at))
    }

    /// The whole status. Conditions that other components own stay as they are.
    pub(super) fn status(&self) -> core::PodStatus {
        let old = self.pod.status.clone().unwrap_or_default();
        let by_role = |main: bool| -> Vec<core::ContainerStatus> {
            self.containers
                .iter()
                .filter(|c| (c.role == Role::Main) == main)
                .map(|c| self.container_status(c))
                .collect()
        };
        let (mains, inits) = (by_role(true), by_role(false));
        core::PodStatus {
            conditions: Some(self.conditions(&old)),
            container_statuses: Some(mains),
            init_container_statuses: (!inits.is_empty()).then_some(inits),
            host_ip: Some(self.host_ip.to_owned()),
            host_ips: Some(vec![core::HostIP { ip: self.host_ip.to_owned() }]),
            pod_ip: self.pod_ip.map(str::to_owned),
            pod_ips: self.pod_ip.map(|ip| vec![core::PodIP { ip: ip.to_owned() }]),
            observed_generation: self.pod.metadata.generation,
            phase: Some(self.phase.to_owned()),
            start_time: Some(self.time(self.started)),
            ..old
        }
    }

    fn conditions(&self, old: &core::PodStatus) -> Vec<core::PodCondition> {
        let finished = matches!(self.phase, "Succeeded" | "Failed");
        let initialized = self.containers.iter().filter(|c| c.role != Role::Main).all(|c| match c.role {
            Role::Init => c.succeeded(),
            _ => c.is_running(),
        });
        let unready: Vec<_> =
            self.containers.iter().filter(|c| c.role != Role::Init && !c.is_running()).map(name).collect();
        let incomplete: Vec<_> =
            self.containers.iter().filter(|c| c.role == Role::Init && !c.succeeded()).map(name).collect();

        let succeeded = self.phase == "Succeeded";
        let initialized = if succeeded {
            (true, Some("PodCompleted"), None)
        } else if initialized || self.containers.iter().any(|c| c.role == Role::Main && c.id.is_some()) {
            (true, None, None)
        } else {
            (
                false,
                Some("ContainersNotInitialized"),
                Some(format!("containers with incomplete status: [{}]", incomplete.join(" "))),
            )
        };
        let ready = if succeeded {
            (false, Some("PodCompleted"), None)
        } else if self.phase == "Failed" {
            (false, Some("PodFailed"), None)
        } else if unready.is_empty() {
            (true, None, None)
        } else {
            (
                false,
                Some("ContainersNotReady"),
                Some(format!("containers with unready status: [{}]", unready.join(" "))),
            )
        };
        let own: [(&str, Verdict); 4] = [
            ("PodReadyToStartContainers", (self.sandbox_ready && !finished, None, None)),
            ("Initialized", initialized),
            ("Ready", ready.clone()),
            ("ContainersReady", ready),
        ];
        let existing = old.conditions.as_deref().unwrap_or_default();
        let mut conditions: Vec<_> = own
            .into_iter()
            .map(|(type_, (status, reason, message))| {
                let status = if status { "True" } else { "False" };
                let since = existing
                    .iter()
                    .find(|c| c.type_ == type_ && c.status == status)
                    .and_then(|c| c.last_transition_time.clone());
                core::PodCondition {
                    type_: type_.to_owned(),
                    status: status.to_owned(),
                    reason: reason.map(str::to_owned),
                    message,
                    last_transition_time: Some(since.unwrap_or_else(|| self.time(self.now))),
                    observed_generation: self.pod.metadata.generation,
                    ..core::PodCondition::default()
                }
            })
            .collect();
        for condition in existing {
            if !own_condition(&condition.type_) {
                conditions.push(core::PodCondition {
                    observed_generation: self.pod.metadata.generation,
                    ..condition.clone()
                });
            }
        }
        conditions
    }

    fn container_status(&self, c: &Container) -> core::ContainerStatus {
        let (image, image_id) =
            c.image.clone().unwrap_or((c.spec.image.clone().unwrap_or_default(), String::new()));
        let state = match &c.stage {
            Stage::Running { since } => core::ContainerState {
                running: Some(core::ContainerStateRunning { started_at: Some(self.time(*since)) }),
                ..core::ContainerState::default()
            },
            Stage::Ended(ended) => self.terminated(ended),
            stage => {
                let (reason, message) = self.waiting(c, stage);
                core::ContainerState {
                    waiting: Some(core::ContainerStateWaiting { reason: Some(reason.to_owned()), message }),
                    ..core::ContainerState::default()
                }
            }
        };
        let ready = match c.role {
            Role::Init => c.succeeded(),
            _ => c.is_running(),
        };
        core::ContainerStatus {
            name: c.spec.name.clone(),
            image,
            image_id,
            container_id: c.id.clone(),
            ready,
            started: Some(c.is_running()),
            restart_count: c.restarts,
            state: Some(state),
            last_state: Some(
                c.last.as_ref().map_or_else(core::ContainerState::default, |e| self.terminated(e)),
            ),
            resources: c.id.is_some().then(|| c.spec.resources.clone().unwrap_or_default()),
            volume_mounts: c
                .spec
                .volume_mounts
                .as_ref()
                .map(|mounts| mounts.iter().map(mount_status).collect()),
            user: c.is_running().then(|| core::ContainerUser {
                linux: Some(core::LinuxContainerUser { gid: 0, uid: 0, supplemental_groups: Some(vec![0]) }),
            }),
            ..core::ContainerStatus::default()
        }
    }

    fn waiting(&self, c: &Container, stage: &Stage) -> (&'static str, Option<String>) {
        match stage {
            Stage::PullFailed { reason, message, .. } | Stage::ConfigError { reason, message, .. } => {
                (reason, Some(message.clone()))
            }
            Stage::CrashLoop { message, .. } => ("CrashLoopBackOff", Some(message.clone())),
            _ if c.role != Role::Init
                && self.containers.iter().any(|c| c.role != Role::Main)
                && c.restarts == 0
                || c.role == Role::Init =>
            {
                ("PodInitializing", None)
            }
            _ => ("ContainerCreating", None),
        }
    }

    fn terminated(&self, ended: &Ended) -> core::ContainerState {
        core::ContainerState {
            terminated: Some(core::ContainerStateTerminated {
                container_id: Some(ended.id.clone()),
                exit_code: ended.code,
                reason: Some(ended.reason.to_owned()),
                message: ended.message.clone(),
                started_at: Some(ended.started.map_or(Time(jiff::Timestamp::UNIX_EPOCH), |at| self.time(at))),
                finished_at: Some(self.time(ended.finished)),
                signal: None,
            }),
            ..core::ContainerState::default()
        }
    }
}

fn name(c: &Container) -> &str {
    &c.spec.name
}

fn own_condition(type_: &str) -> bool {
    matches!(type_, "PodReadyToStartContainers" | "Initialized" | "Ready" | "ContainersReady")
}

fn mount_status(mount: &core::VolumeMount) -> core::VolumeMountStatus {
    core::VolumeMountStatus {
        name: mount.name.clone(),
        mount_path: mount.mount_path.clone(),
        read_only: mount.read_only.filter(|read_only| *read_only),
        recursive_read_only: mount.read_only.filter(|read_only| *read_only).map(|_| "Disabled".to_owned()),
        ..core::VolumeMountStatus::default()
    }
}
