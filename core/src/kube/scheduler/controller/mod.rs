//! The scheduler in a cluster: it follows the API server's changes and binds through it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Node, Pod};
use k8s_openapi::api::scheduling::v1alpha2::PodGroup;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::cluster::PodInfo;
use super::config::{ConfigError, SchedulerConfiguration};
use super::decision::{Attempt, Decision, Outcome};
use super::engine::Scheduler;
use super::framework::{Binder, PodAnnotations, Registry};
use super::gang::GroupAttempt;
use crate::kube::api::{
    ApiServer, DeleteOptions, EventRecord, Kind, Object, WatchEvent, WatchVerb, set_pod_condition,
};
use crate::sim::SimTime;

/// An event's message is at most this long; the condition's is not cut (`NoteLengthLimit`).
const NOTE_LENGTH_LIMIT: usize = 1024;
/// The condition of a pod group.
const POD_GROUP_SCHEDULED: &str = "PodGroupScheduled";

/// kube-scheduler as a component of the cluster.
///
/// [`advance`](Self::advance) it whenever its [`next_wakeup`](Self::next_wakeup) has come or the
/// API server has changed ([`is_behind`](Self::is_behind)).
#[derive(Clone, Debug)]
pub struct SchedulerController {
    scheduler: Scheduler,
    /// The version of the store up to which everything is known.
    seen: u64,
}

impl SchedulerController {
    /// A scheduler that has seen nothing yet, with the plugins of kube-scheduler.
    ///
    /// # Errors
    ///
    /// As [`Scheduler::new`].
    pub fn new(config: &SchedulerConfiguration) -> Result<Self, ConfigError> {
        Self::with_registry(config, &Registry::default())
    }

    /// A scheduler that may also use the plugins of `registry`.
    ///
    /// # Errors
    ///
    /// As [`Scheduler::new`].
    pub fn with_registry(config: &SchedulerConfiguration, registry: &Registry) -> Result<Self, ConfigError> {
        Ok(Self { scheduler: Scheduler::with_registry(config, registry)?, seen: 0 })
    }

    /// The engine.
    pub fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    /// The engine, to set how much it records.
    pub fn scheduler_mut(&mut self) -> &mut Scheduler {
        &mut self.scheduler
    }

    /// Why a pod is where it is or waits: all attempts to place it that are still known, the latest last.
    pub fn attempts(&self, namespace: &str, name: &str) -> &[Arc<Attempt>] {
        self.scheduler.attempts(namespace, name)
    }

    /// The instant at which there is something to do even if nothing happens until then.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        self.scheduler.next_wakeup()
    }

    /// Whether the API server has changed since the last [`advance`](Self::advance).
    pub fn is_behind(&self, api: &ApiServer) -> bool {
        self.seen < api.resource_version()
    }

    /// Takes up what has happened, and schedules all pods that can be tried now.
    pub fn advance(&mut self, now: SimTime, api: &mut ApiServer) {
        api.set_now(now);
        loop {
            for decision in self.scheduler.advance(now) {
                write(&decision, api);
            }
            self.follow(api);
            let Some(decision) = self.scheduler.schedule_one_with(now, &mut ApiBinder(api)) else {
                // What was written last may have come back as an event that wakes somebody.
                if self.is_behind(api) {
                    continue;
                }
                return;
            };
            write(&decision, api);
        }
    }

    /// Takes up the changes since the last time.
    fn follow(&mut self, api: &ApiServer) {
        if !self.is_behind(api) {
            return;
        }
        if self.seen < api.oldest_version() {
            self.list(api);
        } else {
            for event in api.events_since(self.seen) {
                self.take_up(event);
            }
        }
        self.seen = api.resource_version();
    }

    /// Takes up everything there is: the history does not reach back far enough.
    fn list(&mut self, api: &ApiServer) {
        for name in self.scheduler.known_nodes() {
            if api.read::<Node>("", &name).is_none() {
                self.scheduler.remove_node(&name);
            }
        }
        for (namespace, name) in self.scheduler.known_pods() {
            if api.read::<Pod>(&namespace, &name).is_none() {
                self.scheduler.remove_pod(&namespace, &name);
            }
        }
        for namespace in api.iter::<Namespace>() {
            self.take_up_namespace(namespace);
        }
        for node in api.iter::<Node>() {
            self.scheduler.update_node(Arc::clone(node));
        }
        for group in api.iter::<PodGroup>() {
            self.scheduler.set_pod_group(group);
        }
        for pod in api.iter::<Pod>() {
            self.scheduler.update_pod(Arc::clone(pod));
        }
    }

    fn take_up(&mut self, event: &WatchEvent) {
        let gone = event.verb == WatchVerb::Deleted;
        match &event.object {
            Object::Node(_) if gone => self.scheduler.remove_node(event.object.name()),
            Object::Node(node) => self.scheduler.update_node(Arc::clone(node)),
            Object::Pod(_) if gone => {
                self.scheduler.remove_pod(event.object.namespace(), event.object.name());
            }
            Object::Pod(pod) => {
                // Most changes of a pod are the kubelet's and mean nothing here.
                let same = match &event.previous {
                    Some(Object::Pod(previous)) => looks_the_same(previous, pod),
                    _ => false,
                };
                if !same {
                    self.scheduler.update_pod(Arc::clone(pod));
                }
            }
            Object::PodGroup(_) if gone => {
                self.scheduler.remove_pod_group(event.object.namespace(), event.object.name());
            }
            Object::PodGroup(group) => self.scheduler.set_pod_group(group),
            Object::Namespace(_) if gone => self.scheduler.remove_namespace(event.object.name()),
            Object::Namespace(namespace) => self.take_up_namespace(namespace),
            _ => {}
        }
    }

    fn take_up_namespace(&mut self, namespace: &Namespace) {
        let labels = namespace.metadata.labels.clone().unwrap_or_default();
        self.scheduler.set_namespace(namespace.metadata.name.as_deref().unwrap_or_default(), &labels);
    }
}

/// Writes down what came of a pod group's cycle (`updatePodGroupCondition`).
fn write_group(group: &GroupAttempt, api: &mut ApiServer) {
    let now = api.timestamp();
    // A group that went in the meantime needs no condition.
    let _ = api.update_status::<PodGroup>(&group.namespace, &group.name, |object| {
        let generation = object.metadata.generation;
        let conditions = object.status.get_or_insert_default().conditions.get_or_insert_default();
        let status = if group.scheduled { "True" } else { "False" };
        let known = conditions.iter_mut().find(|condition| condition.type_ == POD_GROUP_SCHEDULED);
        if known.as_ref().is_some_and(|known| known.status == "True" && !group.scheduled) {
            // Scheduled once, it stays so, whatever becomes of further pods.
            return;
        }
        let since = known.as_ref().filter(|known| known.status == status);
        let condition = Condition {
            type_: POD_GROUP_SCHEDULED.to_owned(),
            status: status.to_owned(),
            reason: group.reason.clone(),
            message: group.message.clone(),
            last_transition_time: since
                .map_or_else(|| now.clone(), |known| known.last_transition_time.clone()),
            observed_generation: generation,
        };
        match known {
            Some(known) => *known = condition,
            None => conditions.push(condition),
        }
    });
}

/// Writes a decision down: condition, nomination, events, victims.
fn write(decision: &Decision, api: &mut ApiServer) {
    write_pod(decision, api);
    if let Some(group) = &decision.group {
        write_group(group, api);
    }
}

fn write_pod(decision: &Decision, api: &mut ApiServer) {
    let Some(pod) = api.read::<Pod>(&decision.namespace, &decision.name).cloned() else { return };
    let time = api.timestamp();
    let component = &*decision.attempt.scheduler_name;
    let record = |api: &mut ApiServer, pod: &Arc<Pod>, warning, reason, action, message| {
        let regarding = Object::Pod(Arc::clone(pod));
        let (field_path, host, action) = (None, None, Some(action));
        api.record(EventRecord {
            regarding: &regarding,
            field_path,
            warning,
            reason,
            message,
            component,
            host,
            action,
        });
    };
    let reason = match &decision.attempt.outcome {
        Outcome::Scheduled { node } => {
            let message = format!("Successfully assigned {}/{} to {node}", decision.namespace, decision.name);
            record(api, &pod, false, "Scheduled", "Binding", message);
            return;
        }
        Outcome::Waiting { .. } => return,
        Outcome::Skipped => {
            let message = decision.attempt.message.clone();
            record(api, &pod, true, "FailedScheduling", "Scheduling", message);
            return;
        }
        Outcome::Unschedulable => "Unschedulable",
        Outcome::Error => "SchedulerError",
    };
    let message = &decision.attempt.message;
    record(api, &pod, true, "FailedScheduling", "Scheduling", cut(message));
    // A pod that went in the meantime needs no condition.
    let _ = api.update_status::<Pod>(&decision.namespace, &decision.name, |pod| {
        set_pod_condition(pod, "PodScheduled", "False", reason, message, &time);
        if let Some(node) = &decision.nominated_node {
            let nominated = (!node.is_empty()).then(|| node.to_string());
            pod.status.get_or_insert_default().nominated_node_name = nominated;
        }
    });
    for (namespace, name) in &decision.cleared_nominations {
        let _ = api.update_status::<Pod>(namespace, name, |pod| {
            pod.status.get_or_insert_default().nominated_node_name = None;
        });
    }
    for (namespace, name) in &decision.victims {
        let Some(victim) = api.read::<Pod>(namespace, name).cloned() else { continue };
        if victim.metadata.deletion_timestamp.is_some() {
            continue;
        }
        let text = format!("{component}: preempting to accommodate a higher priority pod");
        let _ = api.update_status::<Pod>(namespace, name, |victim| {
            set_pod_condition(victim, "DisruptionTarget", "True", "PreemptionByScheduler", &text, &time);
        });
        if api.delete(Kind::Pod, namespace, name, &DeleteOptions::default()).is_ok() {
            let uid = pod.metadata.uid.as_deref().unwrap_or_default();
            let node = decision.nominated_node.as_deref().unwrap_or_default();
            let message = format!("Preempted by pod {uid} on node {node}");
            record(api, &victim, false, "Preempted", "Preempting", message);
        }
    }
}

/// Binds through the API server.
struct ApiBinder<'a>(&'a mut ApiServer);

impl Binder for ApiBinder<'_> {
    fn bind(&mut self, pod: &PodInfo, node: &str) -> Result<(), String> {
        let (namespace, name) = (&*pod.rest.namespace, &*pod.rest.name);
        self.0.bind(namespace, name, node).map(|_| ()).map_err(|status| status.message)
    }

    fn annotate(&mut self, pod: &PodInfo, annotations: &PodAnnotations) -> Result<(), String> {
        let (namespace, name) = (&*pod.rest.namespace, &*pod.rest.name);
        let write = |pod: &mut Pod| {
            let all = pod.metadata.annotations.get_or_insert_default();
            all.extend(annotations.0.iter().map(|(key, value)| (key.clone(), value.clone())));
        };
        self.0.update::<Pod>(namespace, name, write).map(|_| ()).map_err(|status| status.message)
    }
}

/// Whether nothing has changed that the scheduler looks at.
fn looks_the_same(old: &Pod, new: &Pod) -> bool {
    let status = |pod: &Pod| {
        pod.status.as_ref().map(|status| {
            let conditions = status.conditions.iter().flatten();
            (
                status.start_time.clone(),
                status.nominated_node_name.clone(),
                conditions.filter(|condition| condition.type_ == "DisruptionTarget").count(),
            )
        })
    };
    super::cluster::is_terminal(old) == super::cluster::is_terminal(new)
        && old.metadata.uid == new.metadata.uid
        && old.metadata.labels == new.metadata.labels
        && old.metadata.deletion_timestamp == new.metadata.deletion_timestamp
        && status(old) == status(new)
        && old.spec == new.spec
}

/// The message of an event, cut as the recorder cuts it.
fn cut(message: &str) -> String {
    if message.len() <= NOTE_LENGTH_LIMIT {
        return message.to_owned();
    }
    let suffix = " ...";
    let mut end = NOTE_LENGTH_LIMIT - suffix.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{suffix}", &message[..end])
}

#[cfg(test)]
mod tests;
