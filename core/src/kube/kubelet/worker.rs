//! One pod on its node: the pod worker (`pkg/kubelet/pod_workers.go`,
//! `kuberuntime/kuberuntime_manager.go`).
//!
//! A worker is told the pod as the API server has it and the present instant,
//! and goes as far as it gets: sandbox, init containers one by one, main
//! containers in order, restarts, termination. Every step is one of the small
//! functions below; what is waited for stands in the containers' stages.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1 as core;

use super::container::{Container, Role, Stage};
use super::node::NodeAgent;
use super::resources::{self, Rejection};
use super::status::{self, Report};
use super::volumes::{self, Volumes};
use crate::hardware;
use crate::kube::api::{ApiServer, DeleteOptions, EventRecord, Kind, Object, Resource};
use crate::process::Signal;
use crate::process::images::Registry;
use crate::sim::{Epoch, SimTime};

/// Making a pod's network and pause container.
const SANDBOX: Duration = Duration::from_millis(500);
/// The runtime is asked for news once a second: an exit is acted on that much later.
pub(super) const RELIST: Duration = Duration::from_secs(1);

/// What a worker is lent while it runs.
pub(super) struct Context<'a> {
    pub(super) now: SimTime,
    pub(super) epoch: Epoch,
    pub(super) api: &'a mut ApiServer,
    pub(super) agent: &'a mut NodeAgent,
    pub(super) machine: &'a mut hardware::Node,
    pub(super) registry: &'a Registry,
}

/// One pod on its node.
#[derive(Clone, Debug)]
pub(super) struct PodWorker {
    pub(super) pod: Arc<core::Pod>,
    pub(super) uid: String,
    pub(super) containers: Vec<Container>,
    started: SimTime,
    admitted: bool,
    sandbox: Sandbox,
    pub(super) volumes: Volumes,
    pub(super) terminating: Option<Terminating>,
    /// Everything but the sidecars has ended for good: they are stopped too.
    pub(super) winding_down: bool,
    /// The pod's last phase has been reported.
    done: bool,
    /// The API server no longer has it.
    vanished: bool,
}

#[derive(Clone, Debug)]
enum Sandbox {
    /// Volumes are not there yet; tried again at `retry`, `failures` times so far.
    Volumes { retry: SimTime, failures: u32 },
    /// Being made.
    Creating { ready: SimTime },
    /// Ready, with its address.
    Ready { ip: String },
}

/// Why and until when containers are being stopped.
#[derive(Clone, Debug)]
pub(super) struct Terminating {
    grace: Duration,
    /// Set for a pod that ends by its own deadline rather than by deletion.
    deadline: bool,
    /// Sidecars follow when the main containers have ended.
    sidecars: bool,
}

impl PodWorker {
    pub(super) fn new(pod: Arc<core::Pod>, now: SimTime) -> Self {
        let spec = pod.spec.clone().unwrap_or_default();
        let inits = spec.init_containers.into_iter().flatten().map(|c| {
            let sidecar = c.restart_policy.as_deref() == Some("Always");
            Container::new(c, if sidecar { Role::Sidecar } else { Role::Init })
        });
        let mains = spec.containers.into_iter().map(|c| Container::new(c, Role::Main));
        Self {
            uid: pod.metadata.uid.clone().unwrap_or_default(),
            containers: inits.chain(mains).collect(),
            pod,
            started: now,
            admitted: false,
            sandbox: Sandbox::Volumes { retry: now, failures: 0 },
            volumes: Volumes::default(),
            terminating: None,
            winding_down: false,
            done: false,
            vanished: false,
        }
    }

    /// Whether its resources count on the node.
    pub(super) const fn is_active(&self) -> bool {
        self.admitted && !self.done
    }

    /// When it wants to be looked at again.
    pub(super) fn next_wakeup(&self) -> Option<SimTime> {
        if self.done {
            return None;
        }
        let sandbox = match &self.sandbox {
            Sandbox::Volumes { retry, .. } => Some(*retry),
            Sandbox::Creating { ready } => Some(*ready),
            Sandbox::Ready { .. } => None,
        };
        let containers = self.containers.iter().filter_map(|c| {
            let recheck = c.ended().filter(|_| self.restarts(c)).map(|e| e.finished + RELIST);
            let recheck = if matches!(c.stage, Stage::Ended(_)) { recheck } else { None };
            [c.next_wakeup(), recheck].into_iter().flatten().min()
        });
        let deadline = self.deadline().filter(|_| self.terminating.is_none());
        containers.chain(sandbox).chain(deadline).min()
    }

    /// Takes note of the pod as the API server now has it.
    pub(super) fn update(&mut self, pod: Arc<core::Pod>) {
        self.pod = pod;
    }

    /// Takes note that the API server no longer has it.
    pub(super) fn vanish(&mut self) {
        self.vanished = true;
    }

    /// Whether nothing of it is left to look after.
    pub(super) const fn is_gone(&self) -> bool {
        self.vanished
    }

    /// Goes as far as it gets at this instant, then reports.
    pub(super) fn sync(&mut self, ctx: &mut Context<'_>) {
        if self.vanished {
            return self.kill(ctx);
        }
        if !self.admitted && !self.done && !self.deleted() {
            match self.admit(ctx) {
                Ok(()) => self.admitted = true,
                Err(rejection) => return self.reject(ctx, &rejection),
            }
        }
        while self.step(ctx) {}
        self.report(ctx);
        if self.deleted() && (self.done || !self.admitted) {
            self.remove(ctx);
        }
    }

    /// The pod vanished from the API server: everything of it ends at once.
    fn kill(&mut self, ctx: &mut Context<'_>) {
        for index in 0..self.containers.len() {
            if self.containers[index].is_running() {
                self.signal(ctx, index, Signal::Kill);
            }
        }
        ctx.agent.release(&self.uid);
        self.done = true;
    }

    fn deleted(&self) -> bool {
        self.pod.metadata.deletion_timestamp.is_some()
    }

    pub(super) fn policy(&self) -> &str {
        self.pod.spec.as_ref().and_then(|s| s.restart_policy.as_deref()).unwrap_or("Always")
    }

    fn deadline(&self) -> Option<SimTime> {
        let seconds = self.pod.spec.as_ref()?.active_deadline_seconds?;
        Some(self.started + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    }

    fn admit(&mut self, ctx: &mut Context<'_>) -> Result<(), Rejection> {
        let Some(spec) = self.pod.spec.as_ref() else { return Ok(()) };
        let node = ctx.api.read::<core::Node>("", &ctx.agent.name).cloned();
        if let Some(allocatable) = node.as_ref().and_then(|n| n.status.as_ref()?.allocatable.as_ref()) {
            let others = ctx.agent.active_specs.values().filter_map(|pod| pod.spec.as_ref());
            resources::admit(allocatable, spec, others)?;
        }
        for container in &mut self.containers {
            let wanted = resources::gpus(&container.spec);
            container.gpus = ctx.agent.grant(&self.uid, wanted, container.role == Role::Init).ok_or_else(|| {
                Rejection {
                    reason: "UnexpectedAdmissionError".to_owned(),
                    message: format!(
                        "Allocate failed due to requested number of devices unavailable for {}. Requested: {wanted}, Available: {}, which is unexpected",
                        resources::GPU,
                        ctx.agent.free_gpus(),
                    ),
                }
            })?;
        }
        ctx.agent.active_specs.insert(self.uid.clone(), Arc::clone(&self.pod));
        self.started = ctx.now;
        self.tell_not_modelled(ctx);
        Ok(())
    }

    /// Says once per container which parts of its spec have no effect here.
    fn tell_not_modelled(&self, ctx: &mut Context<'_>) {
        for (index, container) in self.containers.iter().enumerate() {
            let spec = &container.spec;
            let mounts = spec.volume_mounts.as_deref().unwrap_or_default();
            let parts = [
                ("livenessProbe", spec.liveness_probe.is_some()),
                ("readinessProbe", spec.readiness_probe.is_some()),
                ("startupProbe", spec.startup_probe.is_some()),
                ("lifecycle", spec.lifecycle.is_some()),
                ("volumeMounts.subPath", mounts.iter().any(|m| m.sub_path.is_some())),
                ("volumeMounts.subPathExpr", mounts.iter().any(|m| m.sub_path_expr.is_some())),
                ("volumeDevices", spec.volume_devices.as_ref().is_some_and(|list| !list.is_empty())),
                ("stdin", spec.stdin == Some(true)),
                ("tty", spec.tty == Some(true)),
            ];
            let named: Vec<_> = parts.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
            if !named.is_empty() {
                let message = format!("not modelled: {}", named.join(", "));
                self.event(ctx, Some(index), true, "NotModelled", message);
            }
        }
    }

    fn reject(&mut self, ctx: &mut Context<'_>, rejection: &Rejection) {
        self.done = true;
        ctx.agent.release(&self.uid);
        self.event(ctx, None, true, &rejection.reason, rejection.message.clone());
        let started =
            Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(ctx.epoch.timestamp_secs(ctx.now)));
        let (namespace, name) = self.key();
        let _gone = ctx.api.update_status::<core::Pod>(&namespace, &name, |pod| {
            let generation = pod.metadata.generation;
            let status = pod.status.get_or_insert_default();
            status.phase = Some("Failed".to_owned());
            status.reason = Some(rejection.reason.clone());
            status.message = Some(format!("Pod was rejected: {}", rejection.message));
            status.start_time = started;
            status.observed_generation = generation;
        });
    }

    /// One transition; whether there was one.
    fn step(&mut self, ctx: &mut Context<'_>) -> bool {
        if self.done || !self.admitted {
            return false;
        }
        self.begin_termination(ctx)
            || (0..self.containers.len()).any(|index| self.step_container(ctx, index))
            || self.step_sandbox(ctx)
            || self.start_next(ctx)
            || self.wind_down(ctx)
            || self.finish(ctx)
    }

    fn begin_termination(&mut self, ctx: &mut Context<'_>) -> bool {
        let deadline = self.deadline().is_some_and(|at| at <= ctx.now);
        match &self.terminating {
            None if self.deleted() || deadline => {
                let seconds = if self.deleted() {
                    self.pod.metadata.deletion_grace_period_seconds
                } else {
                    self.pod.spec.as_ref().and_then(|s| s.termination_grace_period_seconds)
                };
                let grace = Duration::from_secs(u64::try_from(seconds.unwrap_or(30)).unwrap_or(0));
                self.terminating = Some(Terminating { grace, deadline: !self.deleted(), sidecars: false });
                self.stop(ctx, Role::Main);
                self.stop(ctx, Role::Init);
                true
            }
            Some(t) if !t.sidecars && !self.any_running(|c| c.role != Role::Sidecar) => {
                if let Some(t) = &mut self.terminating {
                    t.sidecars = true;
                }
                self.stop(ctx, Role::Sidecar);
                true
            }
            _ => false,
        }
    }

    /// Stops the sidecars of a pod whose work is done.
    fn wind_down(&mut self, ctx: &mut Context<'_>) -> bool {
        let phase = status::phase(&self.containers, self.policy(), false);
        if self.winding_down || self.terminating.is_some() || !matches!(phase, "Succeeded" | "Failed") {
            return false;
        }
        self.winding_down = true;
        self.stop(ctx, Role::Sidecar);
        true
    }

    /// Asks the running containers of a role to end, and the others to stay where they are.
    fn stop(&mut self, ctx: &mut Context<'_>, role: Role) {
        let own = self.pod.spec.as_ref().and_then(|s| s.termination_grace_period_seconds);
        let own = Duration::from_secs(own.and_then(|s| u64::try_from(s).ok()).unwrap_or(30));
        let grace = self.terminating.as_ref().map_or(own, |t| t.grace);
        for index in
            (0..self.containers.len()).filter(|i| self.containers[*i].role == role).collect::<Vec<_>>()
        {
            if !self.containers[index].is_running() {
                continue;
            }
            let message = format!("Stopping container {}", self.containers[index].spec.name);
            self.event(ctx, Some(index), false, "Killing", message);
            if let Some(instance) = &mut self.containers[index].instance {
                instance.kill_at = Some(ctx.now + grace);
            }
            self.signal(ctx, index, Signal::Term);
        }
    }

    fn any_running(&self, which: impl Fn(&Container) -> bool) -> bool {
        self.containers.iter().any(|c| which(c) && c.is_running())
    }

    fn step_sandbox(&mut self, ctx: &mut Context<'_>) -> bool {
        match &self.sandbox {
            Sandbox::Volumes { retry, failures } if *retry <= ctx.now && self.terminating.is_none() => {
                let failures = *failures;
                match volumes::mount(ctx.api, &self.pod, &ctx.agent.ip) {
                    Ok(mounted) => {
                        self.volumes = mounted;
                        self.sandbox = Sandbox::Creating { ready: ctx.now + SANDBOX };
                    }
                    Err(message) => {
                        // nestedpendingoperations: 500 ms, doubled up to 2 min 2 s.
                        let delay =
                            Duration::from_millis(500 << failures.min(8)).min(Duration::from_secs(122));
                        self.event(ctx, None, true, "FailedMount", message);
                        self.sandbox = Sandbox::Volumes { retry: ctx.now + delay, failures: failures + 1 };
                    }
                }
                true
            }
            Sandbox::Creating { ready } if *ready <= ctx.now => {
                let host_network = self.pod.spec.as_ref().and_then(|s| s.host_network) == Some(true);
                let ip = if host_network { ctx.agent.ip.clone() } else { ctx.agent.next_pod_ip() };
                self.sandbox = Sandbox::Ready { ip };
                true
            }
            _ => false,
        }
    }

    /// Begins the container whose turn it is.
    fn start_next(&mut self, ctx: &mut Context<'_>) -> bool {
        if self.terminating.is_some() || !matches!(self.sandbox, Sandbox::Ready { .. }) {
            return false;
        }
        for index in 0..self.containers.len() {
            let container = &self.containers[index];
            match (container.role, &container.stage) {
                (_, Stage::Idle) => {
                    self.begin(ctx, index);
                    return true;
                }
                // An init container holds back all that follow until it succeeded, a sidecar until it runs.
                (Role::Init, _) if !container.succeeded() => return false,
                (Role::Sidecar, _) if container.id.is_none() => return false,
                // Main containers are started one after the other, but do not wait for one another's success.
                (Role::Main, Stage::Pulling { .. } | Stage::Starting { .. }) => return false,
                _ => {}
            }
        }
        false
    }

    pub(super) fn ip(&self) -> &str {
        match &self.sandbox {
            Sandbox::Ready { ip } => ip,
            _ => "",
        }
    }

    pub(super) fn hostname(&self, ctx: &Context<'_>) -> String {
        let spec = self.pod.spec.as_ref();
        if spec.and_then(|s| s.host_network) == Some(true) {
            return ctx.agent.name.clone();
        }
        spec.and_then(|s| s.hostname.clone()).unwrap_or_else(|| self.key().1)
    }

    /// Ends the pod's work when nothing is left to run.
    fn finish(&mut self, ctx: &mut Context<'_>) -> bool {
        if self.any_running(|_| true) {
            return false;
        }
        let terminating = self.terminating.is_some();
        let phase = status::phase(&self.containers, self.policy(), terminating);
        let waits = !terminating
            && (self.containers.iter().any(|c| c.role != Role::Sidecar && c.ended().is_none())
                && phase != "Failed");
        if waits || !terminating && !matches!(phase, "Succeeded" | "Failed") {
            return false;
        }
        ctx.agent.release(&self.uid);
        self.done = true;
        true
    }

    /// Writes the status, if it differs from what the API server has.
    fn report(&self, ctx: &mut Context<'_>) {
        if !self.admitted {
            return;
        }
        let terminating = self.terminating.is_some() && self.done;
        let mut phase = status::phase(&self.containers, self.policy(), terminating);
        let deadline = self.terminating.as_ref().is_some_and(|t| t.deadline);
        if deadline {
            phase = "Failed";
        }
        let report = Report {
            pod: &self.pod,
            containers: &self.containers,
            phase,
            sandbox_ready: matches!(self.sandbox, Sandbox::Ready { .. }) && !self.done,
            started: self.started,
            host_ip: &ctx.agent.ip,
            pod_ip: match &self.sandbox {
                Sandbox::Ready { ip } => Some(ip.as_str()),
                _ => None,
            },
            now: ctx.now,
            epoch: ctx.epoch,
        };
        let mut status = report.status();
        if deadline {
            status.reason = Some("DeadlineExceeded".to_owned());
            status.message = Some("Pod was active on the node longer than the specified deadline".to_owned());
        }
        let (namespace, name) = self.key();
        // The pod may have been deleted in the meantime; then there is nobody to tell.
        let _gone = ctx.api.update_status::<core::Pod>(&namespace, &name, |pod| pod.status = Some(status));
    }

    /// The pod has ended and was deleted: its object goes, unless finalizers keep it.
    fn remove(&mut self, ctx: &mut Context<'_>) {
        let (namespace, name) = self.key();
        let options = DeleteOptions {
            grace_period_seconds: Some(0),
            uid: Some(self.uid.clone()),
            ..DeleteOptions::default()
        };
        let _gone = ctx.api.delete(Kind::Pod, &namespace, &name, &options);
    }

    pub(super) fn key(&self) -> (String, String) {
        let meta = &self.pod.metadata;
        (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
    }

    pub(super) fn event(
        &self,
        ctx: &mut Context<'_>,
        container: Option<usize>,
        warning: bool,
        reason: &str,
        message: String,
    ) {
        let object: Object = Arc::clone(&self.pod).into_object();
        ctx.api.record(EventRecord {
            regarding: &object,
            field_path: container.map(|index| self.containers[index].field_path.clone()),
            warning,
            reason,
            message,
            component: "kubelet",
            host: Some(&ctx.agent.name),
            action: None,
        });
    }
}
