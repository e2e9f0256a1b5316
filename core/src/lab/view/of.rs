//! How a view is read off a lab.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, ContainerStatus, Event, Node, Pod};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{
    AttemptView, CandidateView, ContainerStateView, ContainerView, EventView, GpuView, LabView, NodeView,
    PodView, PointsView, PreemptionView, Share, VerdictView, WhyView,
};
use crate::hardware;
use crate::kube::kubectl::print::{PodSummary, node_status};
use crate::kube::quantity::Amount;
use crate::kube::scheduler::preemption::Preemption;
use crate::kube::scheduler::{Attempt, Outcome};
use crate::lab::Lab;
use crate::order::{Collected, InOrder};
use crate::sim::{Epoch, SimTime};

const GPU: &str = "nvidia.com/gpu";

impl LabView {
    /// What is to be seen of `lab` now.
    pub fn of(lab: &Lab) -> Self {
        let epoch = lab.spec().epoch();
        let pods: Vec<PodView> = lab.api().iter::<Pod>().map(|pod| pod_view(lab, pod, epoch)).collect();
        let machines: BTreeMap<&str, &hardware::Node> =
            lab.machines().iter().map(|machine| (machine.name.as_str(), machine)).into_map();
        let mut on_node: BTreeMap<&str, Vec<&PodView>> = BTreeMap::new();
        for pod in &pods {
            if let Some(node) = &pod.node {
                on_node.entry(node).or_default().push(pod);
            }
        }
        let nodes = lab.api().iter::<Node>().map(|node| {
            let name = node.metadata.name.as_deref().unwrap_or_default();
            let pods = on_node.get(name).map_or(&[][..], Vec::as_slice);
            node_view(node, machines.get(name).copied(), pods, lab.now())
        });
        let nodes = nodes.collect();
        let mut events: Vec<EventView> =
            lab.api().iter::<Event>().map(|event| event_view(event, epoch)).collect();
        events.order_by(|a, b| a.last.cmp(&b.last).then_with(|| a.id.cmp(&b.id)));
        Self { now: lab.now(), nodes, pods, events }
    }
}

impl WhyView {
    /// What the scheduler of `lab` says of a pod; `None` if it has not tried to place it.
    pub fn of(lab: &Lab, namespace: &str, pod: &str) -> Option<Self> {
        let attempts: Vec<AttemptView> =
            lab.why(namespace, pod).iter().map(|attempt| attempt_view(attempt)).collect();
        (!attempts.is_empty()).then(|| Self {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            attempts,
        })
    }
}

fn attempt_view(attempt: &Attempt) -> AttemptView {
    let mut verdicts: BTreeMap<String, VerdictView> = BTreeMap::new();
    for (node, refused) in &attempt.filter {
        verdicts.insert(
            node.to_string(),
            VerdictView {
                node: node.to_string(),
                plugin: refused.plugin.to_string(),
                reasons: refused.reasons.iter().map(|reason| reason.as_str().to_owned()).collect(),
                ..VerdictView::default()
            },
        );
    }
    for node in &attempt.feasible {
        verdicts.insert(node.to_string(), VerdictView { node: node.to_string(), ..VerdictView::default() });
    }
    for score in &attempt.scores {
        if let Some(verdict) = verdicts.get_mut(&*score.node) {
            let points = score.raw.iter().zip(&score.normalized);
            verdict.scores = points.map(|(&raw, &normalized)| PointsView { raw, normalized }).collect();
            verdict.total = score.total;
        }
    }
    let node = match &attempt.outcome {
        Outcome::Scheduled { node } | Outcome::Waiting { node } => Some(node.to_string()),
        Outcome::Unschedulable | Outcome::Error | Outcome::Skipped => None,
    };
    AttemptView {
        at: attempt.at,
        scheduler: attempt.scheduler_name.to_string(),
        node,
        message: attempt.message.clone(),
        plugins: attempt
            .score_plugins
            .iter()
            .map(|plugin| (plugin.name.to_string(), plugin.weight))
            .collect(),
        verdicts: verdicts.into_values().collect(),
        preemption: attempt.preemption.as_ref().map(preemption_view),
    }
}

fn preemption_view(preemption: &Preemption) -> PreemptionView {
    let candidates = preemption.candidates.iter().map(|(node, candidate)| CandidateView {
        node: node.to_string(),
        victims: candidate.victims.clone(),
        pdb_violations: candidate.pdb_violations,
    });
    PreemptionView {
        target: preemption.target.as_ref().map(ToString::to_string),
        candidates: candidates.collect(),
    }
}

fn instant(epoch: Epoch, time: Option<&Time>) -> SimTime {
    time.map_or(SimTime::ZERO, |time| epoch.instant(time.0))
}

/// An amount of a resource; 0 for text that is no quantity, which validation lets nobody store.
fn amount(text: &Quantity, read: fn(Amount) -> i64) -> u64 {
    text.0.parse::<Amount>().map_or(0, |amount| u64::try_from(read(amount)).unwrap_or(0))
}

fn pod_view(lab: &Lab, pod: &Pod, epoch: Epoch) -> PodView {
    let summary = PodSummary::of(pod);
    let status = pod.status.as_ref();
    let spec = pod.spec.as_ref();
    let containers = spec.map_or(&[][..], |spec| spec.containers.as_slice());
    let init = spec.and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
    let request = |name: &str, read: fn(Amount) -> i64| {
        let of = |container: &Container| {
            let resources = container.resources.as_ref()?;
            let requests = resources.requests.as_ref().and_then(|requests| requests.get(name));
            requests.or_else(|| resources.limits.as_ref()?.get(name)).map(|text| amount(text, read))
        };
        let all: u64 = containers.iter().filter_map(of).sum();
        // Init containers run one after the other: the largest counts.
        init.iter().filter_map(of).max().unwrap_or(0).max(all)
    };
    let unscheduled = status
        .and_then(|status| status.conditions.as_ref())
        .and_then(|conditions| conditions.iter().find(|c| c.type_ == "PodScheduled" && c.status == "False"))
        .and_then(|condition| condition.message.clone());
    let statuses = |init: bool| {
        status
            .and_then(|status| {
                if init {
                    status.init_container_statuses.as_ref()
                } else {
                    status.container_statuses.as_ref()
                }
            })
            .map_or(&[][..], Vec::as_slice)
    };
    let view = |container: &Container, init: bool| {
        let status = statuses(init).iter().find(|status| status.name == container.name);
        container_view(container, status, init, epoch)
    };
    PodView {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        name: pod.metadata.name.clone().unwrap_or_default(),
        phase: status.and_then(|status| status.phase.clone()).unwrap_or_default(),
        status: summary.status,
        ready: (summary.ready as u32, summary.total as u32),
        restarts: u32::try_from(summary.restarts).unwrap_or(0),
        created: instant(epoch, pod.metadata.creation_timestamp.as_ref()),
        node: spec.and_then(|spec| spec.node_name.clone()).filter(|node| !node.is_empty()),
        gpus: lab.kubelets().gpus_of(pod).into_iter().map(|gpu| gpu as u32).collect(),
        gpus_requested: request(GPU, Amount::value),
        cpu_milli: request("cpu", Amount::milli_value),
        memory_bytes: request("memory", Amount::value),
        message: unscheduled.or_else(|| status.and_then(|status| status.message.clone())).unwrap_or_default(),
        containers: init
            .iter()
            .map(|c| view(c, true))
            .chain(containers.iter().map(|c| view(c, false)))
            .collect(),
    }
}

fn container_view(
    container: &Container,
    status: Option<&ContainerStatus>,
    init: bool,
    epoch: Epoch,
) -> ContainerView {
    let state = status.and_then(|status| status.state.as_ref());
    let state = if let Some(running) = state.and_then(|state| state.running.as_ref()) {
        ContainerStateView::Running { since: instant(epoch, running.started_at.as_ref()) }
    } else if let Some(ended) = state.and_then(|state| state.terminated.as_ref()) {
        ContainerStateView::Terminated {
            reason: ended.reason.clone().unwrap_or_default(),
            exit_code: ended.exit_code,
            at: instant(epoch, ended.finished_at.as_ref()),
        }
    } else {
        let waiting = state.and_then(|state| state.waiting.as_ref());
        ContainerStateView::Waiting {
            reason: waiting.and_then(|waiting| waiting.reason.clone()).unwrap_or_default(),
            message: waiting.and_then(|waiting| waiting.message.clone()).unwrap_or_default(),
        }
    };
    ContainerView {
        name: container.name.clone(),
        image: container.image.clone().unwrap_or_default(),
        init,
        ready: status.is_some_and(|status| status.ready),
        restarts: status.map_or(0, |status| u32::try_from(status.restart_count).unwrap_or(0)),
        state,
    }
}

fn node_view(node: &Node, machine: Option<&hardware::Node>, pods: &[&PodView], now: SimTime) -> NodeView {
    let labels = node.metadata.labels.as_ref();
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).cloned().unwrap_or_default();
    let spec = node.spec.as_ref();
    let status = node_status(node);
    let allocatable = |name: &str, read: fn(Amount) -> i64| {
        let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
        allocatable.and_then(|all| all.get(name)).map_or(0, |text| amount(text, read))
    };
    // Pods that have ended give their resources back.
    let active = || pods.iter().filter(|pod| !matches!(pod.phase.as_str(), "Succeeded" | "Failed"));
    let share = |name: &str, read: fn(Amount) -> i64, of: fn(&PodView) -> u64| Share {
        requested: active().map(|pod| of(pod)).sum(),
        allocatable: allocatable(name, read),
    };
    let taints = spec.and_then(|spec| spec.taints.as_deref()).unwrap_or_default().iter().map(|taint| {
        let value = taint.value.as_deref().filter(|value| !value.is_empty());
        value.map_or_else(
            || format!("{}:{}", taint.key, taint.effect),
            |value| format!("{}={value}:{}", taint.key, taint.effect),
        )
    });
    NodeView {
        name: node.metadata.name.clone().unwrap_or_default(),
        ready: status == "Ready" || status.starts_with("Ready,"),
        status,
        cordoned: spec.and_then(|spec| spec.unschedulable).unwrap_or(false),
        gpu_product: label("nvidia.com/gpu.product"),
        zone: label("topology.kubernetes.io/zone"),
        taints: taints.collect(),
        labels: labels.into_iter().flatten().map(|(key, value)| format!("{key}={value}")).collect(),
        cpu_milli: share("cpu", Amount::milli_value, |pod| pod.cpu_milli),
        memory_bytes: share("memory", Amount::value, |pod| pod.memory_bytes),
        gpu: share(GPU, Amount::value, |pod| pod.gpus_requested),
        pods: share("pods", Amount::value, |_| 1),
        gpus: machine.map_or_else(Vec::new, |machine| gpu_views(machine, pods, now)),
    }
}

fn gpu_views(machine: &hardware::Node, pods: &[&PodView], now: SimTime) -> Vec<GpuView> {
    let gpus = machine.gpus.iter().enumerate().map(|(index, gpu)| {
        let index = index as u32;
        let holder = pods.iter().find(|pod| pod.gpus.contains(&index));
        let unhealthy = if gpu.is_allocatable() {
            String::new()
        } else {
            gpu.xids().last().map_or_else(|| "unhealthy".to_owned(), |event| format!("XID {}", event.xid))
        };
        GpuView {
            index,
            model: gpu.spec.name.to_owned(),
            uuid: gpu.uuid.clone(),
            unhealthy,
            utilization: gpu.utilization_percent().min(100) as u8,
            memory_used_mib: u64::from(gpu.used_mib()),
            memory_total_mib: u64::from(gpu.used_mib()) + u64::from(gpu.free_mib()),
            temperature_c: gpu.celsius(now),
            power_w: gpu.power_mw() / 1000,
            pod: holder.map(|pod| format!("{}/{}", pod.namespace, pod.name)),
        }
    });
    gpus.collect()
}

fn event_view(event: &Event, epoch: Epoch) -> EventView {
    let object = &event.involved_object;
    let last = event.last_timestamp.as_ref().or(event.first_timestamp.as_ref());
    let at = last.or(event.metadata.creation_timestamp.as_ref());
    let namespace = event.metadata.namespace.clone().unwrap_or_default();
    EventView {
        id: format!("{namespace}/{}", event.metadata.name.as_deref().unwrap_or_default()),
        last: instant(epoch, at),
        count: event.count.map_or(1, |count| u32::try_from(count).unwrap_or(1)),
        warning: event.type_.as_deref() == Some("Warning"),
        reason: event.reason.clone().unwrap_or_default(),
        object: format!(
            "{}/{}",
            object.kind.as_deref().unwrap_or_default().to_ascii_lowercase(),
            object.name.as_deref().unwrap_or_default()
        ),
        namespace: object.namespace.clone().unwrap_or_default(),
        message: event.message.clone().unwrap_or_default(),
        component: event.source.as_ref().and_then(|source| source.component.clone()).unwrap_or_default(),
    }
}
