//! What a pod worker does with one container: image, creation, start, running,
//! restarts (`kuberuntime/kuberuntime_container.go`, `images/image_manager.go`).

use std::time::Duration;

use super::container::{Container, Ended, Instance, Role, Stage};
use super::environment;
use super::logs::{ContainerLog, LogStream};
use super::worker::{Context, PodWorker, RELIST};
use crate::process::container::ContainerHost;
use crate::process::images::PullError;
use crate::process::programs::ContainerProgram;
use crate::process::{Call, MemoryGroup, Process, ProcessState, Signal, Stream};
use crate::sim::SimTime;

/// Creating and starting a container whose image is here.
const START: Duration = Duration::from_millis(100);
/// From a failed pull to the next look at the pod, which finds it in back-off.
const RESYNC: Duration = Duration::from_millis(1500);
/// A failed configuration is tried again at the next periodic sync.
const CONFIG_RETRY: Duration = Duration::from_secs(10);
/// No more than this is kept of the end of a termination message file
/// (`MaxContainerTerminationMessageLength`).
const MESSAGE_BYTES: usize = 4096;
/// No more lines than this are taken from the end of a log for a message
/// (`MaxContainerTerminationMessageLogLines`)…
const LOG_MESSAGE_LINES: usize = 80;
/// …and no more bytes (`MaxContainerTerminationMessageLogLength`).
const LOG_MESSAGE_BYTES: usize = 2048;

impl PodWorker {
    pub(super) fn step_container(&mut self, ctx: &mut Context<'_>, index: usize) -> bool {
        let now = ctx.now;
        let stopping = self.terminating.is_some();
        let restarts = self.restarts(&self.containers[index]);
        let container = &mut self.containers[index];
        match &container.stage {
            Stage::Pulling { since, until } if *until <= now => {
                let since = *since;
                self.pulled(ctx, index, since);
                true
            }
            Stage::PullFailed { failed, until, reason, message, backing_off }
                if *until <= now && !stopping =>
            {
                let failed = *failed;
                if *backing_off || *reason == "ErrImageNeverPull" {
                    self.begin(ctx, index);
                } else {
                    let image = container.spec.image.clone().unwrap_or_default();
                    let text = format!("Back-off pulling image \"{image}\"");
                    container.stage = Stage::PullFailed {
                        failed,
                        until: failed + container.pull.delay(),
                        reason: "ImagePullBackOff",
                        message: format!("{text}: ErrImagePull: {message}"),
                        backing_off: true,
                    };
                    self.event(ctx, Some(index), false, "BackOff", text);
                    self.event(ctx, Some(index), true, "Failed", "Error: ImagePullBackOff".to_owned());
                }
                true
            }
            Stage::ConfigError { until, .. } if *until <= now && !stopping => {
                self.begin(ctx, index);
                true
            }
            Stage::Starting { at } if *at <= now => {
                self.started(ctx, index);
                true
            }
            Stage::Running { .. } => self.run(ctx, index),
            Stage::Ended(ended) if !stopping && ended.finished + RELIST <= now && restarts => {
                self.restart(ctx, index);
                true
            }
            Stage::CrashLoop { until, .. } if *until <= now && !stopping => {
                self.restart(ctx, index);
                true
            }
            _ => false,
        }
    }

    /// Whether a container that ended is started again.
    pub(super) fn restarts(&self, container: &Container) -> bool {
        let Some(ended) = container.ended() else { return false };
        match (container.role, self.policy()) {
            (Role::Sidecar, _) => !self.winding_down,
            (Role::Main, "Always") => true,
            (_, "Never") => false,
            _ => ended.code != 0,
        }
    }

    /// Starts an ended container anew, or holds it back.
    fn restart(&mut self, ctx: &mut Context<'_>, index: usize) {
        let (namespace, name) = self.key();
        let pod = format!("{name}_{namespace}({})", self.uid);
        let container = &mut self.containers[index];
        let Some(ended) = container.ended().cloned() else { return };
        if container.crash.holds(ended.finished, ctx.now) {
            let delay = container.crash.delay();
            let text = format!("Back-off restarting failed container {} in pod {pod}", container.spec.name);
            container.stage = Stage::CrashLoop {
                until: ended.finished + delay,
                message: format!(
                    "back-off {} restarting failed container={} pod={pod}",
                    go_duration(delay),
                    container.spec.name
                ),
            };
            container.last = Some(ended);
            self.event(ctx, Some(index), true, "BackOff", text);
        } else {
            container.crash.next(ctx.now);
            container.last = Some(ended);
            container.restarts += 1;
            self.begin(ctx, index);
        }
    }

    /// The first half of starting a container: its image.
    pub(super) fn begin(&mut self, ctx: &mut Context<'_>, index: usize) {
        let container = &self.containers[index];
        let image = container.spec.image.clone().unwrap_or_default();
        if let Err(PullError::Invalid(error)) = ctx.registry.resolve(&image) {
            let message = error.to_string();
            self.containers[index].stage = Stage::ConfigError {
                until: ctx.now + CONFIG_RETRY,
                reason: "InvalidImageName",
                message: message.clone(),
            };
            self.event(ctx, Some(index), true, "InspectFailed", message);
            return self.event(ctx, Some(index), true, "Failed", "Error: InvalidImageName".to_owned());
        }
        let present = ctx.agent.images.contains_key(&image);
        match container.spec.image_pull_policy.as_deref() {
            Some("Never") if !present => {
                let message = format!("Container image \"{image}\" is not present with pull policy of Never");
                let first = !matches!(container.stage, Stage::PullFailed { .. });
                self.containers[index].stage = Stage::PullFailed {
                    failed: ctx.now,
                    until: ctx.now + CONFIG_RETRY,
                    reason: "ErrImageNeverPull",
                    message: message.clone(),
                    backing_off: false,
                };
                if first {
                    self.event(ctx, Some(index), true, "ErrImageNeverPull", message);
                    self.event(ctx, Some(index), true, "Failed", "Error: ErrImageNeverPull".to_owned());
                }
            }
            Some("Always") | None => self.pull(ctx, index, &image),
            _ if !present => self.pull(ctx, index, &image),
            _ => {
                let message = format!(
                    "Container image \"{image}\" already present on machine and can be accessed by the pod"
                );
                self.event(ctx, Some(index), false, "Pulled", message);
                self.create(ctx, index);
            }
        }
    }

    fn pull(&mut self, ctx: &mut Context<'_>, index: usize, image: &str) {
        self.event(ctx, Some(index), false, "Pulling", format!("Pulling image \"{image}\""));
        // Pulls of a node run one at a time (serializeImagePulls).
        let begin = ctx.agent.pull_free_at.max(ctx.now);
        let until = begin + ctx.agent.pull_time(ctx.registry, image);
        ctx.agent.pull_free_at = until;
        self.containers[index].stage = Stage::Pulling { since: ctx.now, until };
    }

    fn pulled(&mut self, ctx: &mut Context<'_>, index: usize, since: SimTime) {
        let image = self.containers[index].spec.image.clone().unwrap_or_default();
        match ctx.registry.resolve(&image) {
            Ok(found) => {
                let took = ctx.agent.pull_time(ctx.registry, &image);
                let size = found.size_bytes;
                ctx.agent.images.insert(image.clone(), found);
                self.containers[index].pull = super::backoff::BackOff::default();
                let message = format!(
                    "Successfully pulled image \"{image}\" in {} ({} including waiting). Image size: {size} bytes.",
                    go_duration(took),
                    go_duration(ctx.now - since),
                );
                self.event(ctx, Some(index), false, "Pulled", message);
                self.create(ctx, index);
            }
            Err(error) => {
                let container = &mut self.containers[index];
                container.pull.next(ctx.now);
                let message = error.to_string();
                container.stage = Stage::PullFailed {
                    failed: ctx.now,
                    until: ctx.now + RESYNC,
                    reason: "ErrImagePull",
                    message: message.clone(),
                    backing_off: false,
                };
                self.event(
                    ctx,
                    Some(index),
                    true,
                    "Failed",
                    format!("Failed to pull image \"{image}\": {message}"),
                );
                self.event(ctx, Some(index), true, "Failed", "Error: ErrImagePull".to_owned());
            }
        }
    }

    /// The second half: the container is made from its configuration.
    fn create(&mut self, ctx: &mut Context<'_>, index: usize) {
        if let Err(message) = self.check_config(ctx, index) {
            self.containers[index].stage = Stage::ConfigError {
                until: ctx.now + CONFIG_RETRY,
                reason: "CreateContainerConfigError",
                message: message.clone(),
            };
            return self.event(ctx, Some(index), true, "Failed", format!("Error: {message}"));
        }
        let id = format!("containerd://{}", ctx.agent.container_id());
        let container = &mut self.containers[index];
        if let Some(image) = container.spec.image.as_ref().and_then(|name| ctx.agent.images.get(name)) {
            container.image = Some((image.reference.to_string(), image.id()));
        }
        container.id = Some(id);
        container.stage = Stage::Starting { at: ctx.now + START };
        self.event(ctx, Some(index), false, "Created", "Container created".to_owned());
    }

    fn check_config(&self, ctx: &Context<'_>, index: usize) -> Result<(), String> {
        let container = &self.containers[index];
        let pod_context = self.pod.spec.as_ref().and_then(|s| s.security_context.as_ref());
        let own = container.spec.security_context.as_ref();
        let non_root = own.and_then(|c| c.run_as_non_root).or(pod_context.and_then(|c| c.run_as_non_root));
        let user = own.and_then(|c| c.run_as_user).or(pod_context.and_then(|c| c.run_as_user));
        if non_root == Some(true) && user.unwrap_or(0) == 0 {
            let (namespace, name) = self.key();
            let what = if user.is_some() {
                "container's runAsUser breaks non-root policy"
            } else {
                "container has runAsNonRoot and image will run as root"
            };
            return Err(format!(
                "{what} (pod: \"{name}_{namespace}({})\", container: {})",
                self.uid, container.spec.name
            ));
        }
        environment::environment(ctx.api, &self.pod, &container.spec, &[], &ctx.agent.ip, self.ip()).map(drop)
    }

    /// The process begins.
    fn started(&mut self, ctx: &mut Context<'_>, index: usize) {
        let container = &self.containers[index];
        let image = container.spec.image.as_ref().and_then(|name| ctx.agent.images.get(name)).cloned();
        let Some(image) = image else { return self.begin(ctx, index) };
        let mut env = environment::environment(
            ctx.api,
            &self.pod,
            &container.spec,
            &image.env,
            &ctx.agent.ip,
            self.ip(),
        )
        .unwrap_or_default();
        let hostname = self.hostname(ctx);
        env.insert("HOSTNAME".to_owned(), hostname.clone());
        if !container.gpus.is_empty() {
            let uuids: Vec<_> = container.gpus.iter().map(|g| ctx.machine.gpus[*g].uuid.clone()).collect();
            env.insert("NVIDIA_VISIBLE_DEVICES".to_owned(), uuids.join(","));
        }
        let expand = |list: &Option<Vec<String>>| -> Option<Vec<String>> {
            list.as_ref().map(|l| l.iter().map(|text| environment::expand(text, &env)).collect())
        };
        let (command, args) = (expand(&container.spec.command), expand(&container.spec.args));
        let argv = image.argv(command.as_deref(), args.as_deref());
        let cwd = container.spec.working_dir.clone().unwrap_or_else(|| image.working_dir.clone());
        let mut files = image.files();
        if let Err(message) = self.volumes.mount_copies(&mut files, &container.spec) {
            return self.start_failed(ctx, index, &message);
        }
        self.volumes.lend(&mut files, &self.containers[index].spec);
        let container = &self.containers[index];
        let call = Call { argv, env, cwd, pid: ctx.agent.next_pid() };
        let gpus = container.gpus.clone();
        let mut memory = MemoryGroup::limited_to(container.memory_limit_mib());
        let mut host = ContainerHost {
            now: ctx.now,
            epoch: ctx.epoch,
            hostname: &hostname,
            node: &mut *ctx.machine,
            gpus: &gpus,
            files: &mut files,
            image: &image,
            memory: &mut memory,
            bare: false,
        };
        let process = Process::exec(call, &mut host);
        self.volumes.take_back(&mut files, &self.containers[index].spec);
        let container = &mut self.containers[index];
        if container.restarts > 0 {
            container.previous_log = Some(std::mem::take(&mut container.log));
        }
        container.log = ContainerLog::default();
        match process {
            Ok(process) => {
                container.instance = Some(Instance { process, files, memory, kill_at: None });
                container.stage = Stage::Running { since: ctx.now };
                self.event(ctx, Some(index), false, "Started", "Container started".to_owned());
            }
            Err(error) => self.start_failed(ctx, index, &error.to_string()),
        }
    }

    fn start_failed(&mut self, ctx: &mut Context<'_>, index: usize, error: &str) {
        let message = format!(
            "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
             unable to start container process: error during container init: {error}"
        );
        let container = &mut self.containers[index];
        container.stage = Stage::Ended(Ended {
            code: 128,
            reason: "StartError",
            message: Some(message.clone()),
            started: None,
            finished: ctx.now,
            id: container.id.clone().unwrap_or_default(),
        });
        self.event(ctx, Some(index), true, "Failed", format!("Error: {message}"));
    }

    /// Lets a running container run; whether it ended.
    fn run(&mut self, ctx: &mut Context<'_>, index: usize) -> bool {
        let now = ctx.now;
        let kill =
            self.containers[index].instance.as_ref().is_some_and(|i| i.kill_at.is_some_and(|at| at <= now));
        if kill {
            self.signal(ctx, index, Signal::Kill);
        }
        let state = self.with_process(ctx, index, |process, host| {
            let state = process.advance(host);
            if host.memory.oom_kills() == 0 {
                return state;
            }
            // The kubelet has the kernel kill all of the container with the one that asked for too much.
            process.signal_all(host, Signal::Kill);
            process.advance(host)
        });
        self.collect(now, index);
        let Some(ProcessState::Exited(code)) = state else { return false };
        let Stage::Running { since } = self.containers[index].stage else { return false };
        let message = self.termination_message(index, code != 0);
        let container = &mut self.containers[index];
        let reason = match container.instance.as_ref() {
            Some(instance) if instance.memory.oom_kills() > 0 => "OOMKilled",
            _ if code == 0 => "Completed",
            _ => "Error",
        };
        container.instance = None;
        container.stage = Stage::Ended(Ended {
            code: i32::from(code),
            reason,
            message,
            started: Some(since),
            finished: now,
            id: container.id.clone().unwrap_or_default(),
        });
        true
    }

    /// What the container left in its termination message file; where that is
    /// empty, it failed, and the policy is `FallbackToLogsOnError`, the end of its log.
    fn termination_message(&self, index: usize, failed: bool) -> Option<String> {
        let container = &self.containers[index];
        let path = container.spec.termination_message_path.as_deref().unwrap_or("/dev/termination-log");
        let bytes = container.instance.as_ref().and_then(|i| i.files.read(path).ok()).unwrap_or_default();
        let mut text =
            String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(MESSAGE_BYTES)..]).into_owned();
        let policy = container.spec.termination_message_policy.as_deref();
        if text.is_empty() && failed && policy == Some("FallbackToLogsOnError") {
            text = container.log.tail(LOG_MESSAGE_LINES, LOG_MESSAGE_BYTES);
        }
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn signal(&mut self, ctx: &mut Context<'_>, index: usize, signal: Signal) {
        self.with_process(ctx, index, |process, host| process.signal(host, signal));
    }

    /// Lends a container's process the world that it sees.
    pub(super) fn with_process<R>(
        &mut self,
        ctx: &mut Context<'_>,
        index: usize,
        call: impl FnOnce(&mut Process<ContainerProgram>, &mut ContainerHost<'_>) -> R,
    ) -> Option<R> {
        let hostname = self.hostname(ctx);
        let container = &mut self.containers[index];
        let image = container.spec.image.as_ref().and_then(|name| ctx.agent.images.get(name))?;
        let instance = container.instance.as_mut()?;
        self.volumes.lend(&mut instance.files, &container.spec);
        let mut host = ContainerHost {
            now: ctx.now,
            epoch: ctx.epoch,
            hostname: &hostname,
            node: &mut *ctx.machine,
            gpus: &container.gpus,
            files: &mut instance.files,
            image,
            memory: &mut instance.memory,
            bare: false,
        };
        let result = call(&mut instance.process, &mut host);
        self.volumes.take_back(&mut instance.files, &container.spec);
        Some(result)
    }

    /// Moves what the process wrote into the container's log.
    fn collect(&mut self, now: SimTime, index: usize) {
        let container = &mut self.containers[index];
        let Some(instance) = container.instance.as_mut() else { return };
        for (stream, bytes) in instance.process.take_output() {
            let stream = match stream {
                Stream::Stdout => LogStream::Stdout,
                Stream::Stderr => LogStream::Stderr,
            };
            container.log.write(now, stream, &bytes);
        }
    }
}

/// A duration as Go prints it: `1.349s`, `10s`, `1m20s`, `5m0s`, `850ms`.
pub(super) fn go_duration(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        return format!("{}ms", span.as_millis());
    }
    let (secs, millis) = (span.as_secs(), span.subsec_millis());
    let fraction = format!(".{millis:03}");
    let fraction = if millis == 0 { "" } else { fraction.trim_end_matches('0') };
    match (secs / 3600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s}{fraction}s"),
        (0, m, s) => format!("{m}m{s}{fraction}s"),
        (h, m, s) => format!("{h}h{m}m{s}{fraction}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_prints_them() {
        for (millis, text) in [
            (850, "850ms"),
            (1349, "1.349s"),
            (10_000, "10s"),
            (80_000, "1m20s"),
            (300_000, "5m0s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }
}
