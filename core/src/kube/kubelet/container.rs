//! One container of a pod: where it stands, its instances, their logs.

use k8s_openapi::api::core::v1 as core;

use super::backoff::BackOff;
use super::logs::ContainerLog;
use crate::kube::quantity::Amount;
use crate::process::files::Files;
use crate::process::programs::ContainerProgram;
use crate::process::{MemoryGroup, Process};
use crate::sim::SimTime;

/// What a container is in its pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Runs to completion before the next one begins.
    Init,
    /// An init container with `restartPolicy: Always`: started in its turn, then left running.
    Sidecar,
    /// One of `spec.containers`.
    Main,
}

/// How an instance ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) reason: &'static str,
    pub(super) message: Option<String>,
    pub(super) started: Option<SimTime>,
    pub(super) finished: SimTime,
    pub(super) id: String,
}

/// Where a container stands.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// Its turn has not come.
    Idle,
    /// Its image is on the way.
    Pulling { since: SimTime, until: SimTime },
    /// The image could not be had; tried again at `until`.
    PullFailed { failed: SimTime, until: SimTime, reason: &'static str, message: String, backing_off: bool },
    /// Its configuration cannot be made (`CreateContainerConfigError`); tried again at `until`.
    ConfigError { until: SimTime, reason: &'static str, message: String },
    /// Created; runs from `at` on.
    Starting { at: SimTime },
    /// Running.
    Running { since: SimTime },
    /// Ended, for good or until it is decided whether it is started anew.
    Ended(Ended),
    /// Held back after a crash until `until`.
    CrashLoop { until: SimTime, message: String },
}

/// One container.
#[derive(Clone, Debug)]
pub(super) struct Container {
    pub(super) spec: core::Container,
    pub(super) role: Role,
    /// `spec.containers{main}`: what its events are about.
    pub(super) field_path: String,
    pub(super) stage: Stage,
    pub(super) restarts: i32,
    /// How the instance before the present one ended.
    pub(super) last: Option<Ended>,
    /// The reference and digest as the runtime reports them, once the image is here.
    pub(super) image: Option<(String, String)>,
    /// `containerd://…` of the present or latest instance.
    pub(super) id: Option<String>,
    pub(super) crash: BackOff,
    pub(super) pull: BackOff,
    /// Indices of the node's GPUs that it was granted.
    pub(super) gpus: Vec<usize>,
    pub(super) instance: Option<Instance>,
    pub(super) log: ContainerLog,
    pub(super) previous_log: Option<ContainerLog>,
}

/// A running instance: a process and its own root file system.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) process: Process<ContainerProgram>,
    pub(super) files: Files,
    /// Its memory, up to its limit.
    pub(super) memory: MemoryGroup,
    /// When SIGKILL follows the SIGTERM that was sent.
    pub(super) kill_at: Option<SimTime>,
}

impl Container {
    /// The memory that it may have at most, in MiB; a limit of 0 is none.
    pub(super) fn memory_limit_mib(&self) -> Option<u64> {
        let limits = self.spec.resources.as_ref()?.limits.as_ref()?;
        let amount: Amount = limits.get("memory")?.0.parse().ok()?;
        let bytes = u64::try_from(amount.value()).ok().filter(|bytes| *bytes > 0)?;
        Some(bytes.div_ceil(1 << 20))
    }

    pub(super) fn new(spec: core::Container, role: Role) -> Self {
        let list = if role == Role::Main { "containers" } else { "initContainers" };
        Self {
            field_path: format!("spec.{list}{{{}}}", spec.name),
            spec,
            role,
            stage: Stage::Idle,
            restarts: 0,
            last: None,
            image: None,
            id: None,
            crash: BackOff::default(),
            pull: BackOff::default(),
            gpus: Vec::new(),
            instance: None,
            log: ContainerLog::default(),
            previous_log: None,
        }
    }

    pub(super) const fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running { .. })
    }

    /// How the latest instance ended, unless another has begun since.
    pub(super) const fn ended(&self) -> Option<&Ended> {
        match &self.stage {
            Stage::Ended(ended) => Some(ended),
            Stage::CrashLoop { .. } => self.last.as_ref(),
            _ => None,
        }
    }

    /// Whether an instance of it has run or been tried: it has a log.
    pub(super) const fn has_run(&self) -> bool {
        matches!(self.stage, Stage::Running { .. } | Stage::Ended(_)) || self.last.is_some()
    }

    /// Whether it has ended with exit code 0.
    pub(super) fn succeeded(&self) -> bool {
        matches!(&self.stage, Stage::Ended(ended) if ended.code == 0)
    }

    /// When it wants to be looked at again.
    pub(super) fn next_wakeup(&self) -> Option<SimTime> {
        match &self.stage {
            Stage::Pulling { until, .. }
            | Stage::PullFailed { until, .. }
            | Stage::ConfigError { until, .. }
            | Stage::Starting { at: until }
            | Stage::CrashLoop { until, .. } => Some(*until),
            Stage::Running { .. } => {
                let instance = self.instance.as_ref()?;
                [instance.process.next_wakeup(), instance.kill_at].into_iter().flatten().min()
            }
            Stage::Idle | Stage::Ended(_) => None,
        }
    }
}
