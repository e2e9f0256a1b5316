//! The columns of `kubectl get`, as the API server prints them for each kind
//! (`pkg/printers/internalversion`).

use k8s_openapi::api::core::v1::{Event, Node};

use super::Now;
use super::pod::pod_cells;
use crate::kube::api::{Kind, Object};

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the header shows it.
    pub name: &'static str,
    /// Only with `-o wide`.
    pub wide: bool,
}

const fn narrow(name: &'static str) -> Column {
    Column { name, wide: false }
}

const fn wide(name: &'static str) -> Column {
    Column { name, wide: true }
}

const POD: &[Column] = &[
    narrow("NAME"),
    narrow("READY"),
    narrow("STATUS"),
    narrow("RESTARTS"),
    narrow("AGE"),
    wide("IP"),
    wide("NODE"),
    wide("NOMINATED NODE"),
    wide("READINESS GATES"),
];
const NODE: &[Column] = &[
    narrow("NAME"),
    narrow("STATUS"),
    narrow("ROLES"),
    narrow("AGE"),
    narrow("VERSION"),
    wide("INTERNAL-IP"),
    wide("EXTERNAL-IP"),
    wide("OS-IMAGE"),
    wide("KERNEL-VERSION"),
    wide("CONTAINER-RUNTIME"),
];
const NAMESPACE: &[Column] = &[narrow("NAME"), narrow("STATUS"), narrow("AGE")];
const CONFIG_MAP: &[Column] = &[narrow("NAME"), narrow("DATA"), narrow("AGE")];
const SERVICE_ACCOUNT: &[Column] = &[narrow("NAME"), narrow("AGE")];
const PRIORITY_CLASS: &[Column] =
    &[narrow("NAME"), narrow("VALUE"), narrow("GLOBAL-DEFAULT"), narrow("AGE"), narrow("PREEMPTIONPOLICY")];
const NAME_AND_AGE: &[Column] = &[narrow("NAME"), narrow("AGE")];
const CLUSTER_QUEUE: &[Column] = &[
    narrow("NAME"),
    narrow("COHORT"),
    wide("STRATEGY"),
    narrow("PENDING WORKLOADS"),
    wide("ADMITTED WORKLOADS"),
];
const LOCAL_QUEUE: &[Column] =
    &[narrow("NAME"), narrow("CLUSTERQUEUE"), narrow("PENDING WORKLOADS"), narrow("ADMITTED WORKLOADS")];
const WORKLOAD: &[Column] = &[
    narrow("NAME"),
    narrow("QUEUE"),
    narrow("RESERVED IN"),
    narrow("ADMITTED"),
    narrow("FINISHED"),
    narrow("AGE"),
];
const WORKLOAD_PRIORITY_CLASS: &[Column] = &[narrow("NAME"), narrow("VALUE")];
const EVENT: &[Column] = &[
    narrow("LAST SEEN"),
    narrow("TYPE"),
    narrow("REASON"),
    narrow("OBJECT"),
    wide("SUBOBJECT"),
    wide("SOURCE"),
    narrow("MESSAGE"),
    wide("FIRST SEEN"),
    wide("COUNT"),
    wide("NAME"),
];

/// The columns of a kind.
pub const fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Pod => POD,
        Kind::Node => NODE,
        Kind::Namespace => NAMESPACE,
        Kind::ConfigMap => CONFIG_MAP,
        Kind::ServiceAccount => SERVICE_ACCOUNT,
        Kind::PriorityClass => PRIORITY_CLASS,
        Kind::Event => EVENT,
        Kind::PodGroup | Kind::ResourceFlavor => NAME_AND_AGE,
        Kind::ClusterQueue => CLUSTER_QUEUE,
        Kind::LocalQueue => LOCAL_QUEUE,
        Kind::Workload => WORKLOAD,
        Kind::WorkloadPriorityClass => WORKLOAD_PRIORITY_CLASS,
    }
}

/// The cells of an object, one per column, the wide ones too.
pub fn cells(object: &Object, now: Now) -> Vec<String> {
    let meta = object.meta();
    let name = object.name().to_owned();
    let age = now.since(meta.creation_timestamp.as_ref());
    match object {
        Object::Pod(pod) => pod_cells(pod, now),
        Object::Node(node) => node_cells(node, now),
        Object::Event(event) => event_cells(event, now),
        Object::Namespace(namespace) => {
            let phase = namespace.status.as_ref().and_then(|status| status.phase.clone());
            vec![name, phase.unwrap_or_default(), age]
        }
        Object::ConfigMap(map) => {
            let count = map.data.as_ref().map_or(0, std::collections::BTreeMap::len)
                + map.binary_data.as_ref().map_or(0, std::collections::BTreeMap::len);
            vec![name, count.to_string(), age]
        }
        Object::ServiceAccount(_) | Object::PodGroup(_) | Object::ResourceFlavor(_) => vec![name, age],
        Object::ClusterQueue(queue) => super::kueue::cluster_queue(queue),
        Object::LocalQueue(queue) => super::kueue::local_queue(queue),
        Object::Workload(workload) => super::kueue::workload(workload, age),
        Object::WorkloadPriorityClass(class) => vec![name, class.value.to_string()],
        Object::PriorityClass(class) => vec![
            name,
            class.value.unwrap_or(0).to_string(),
            class.global_default.unwrap_or(false).to_string(),
            age,
            class.preemption_policy.clone().unwrap_or_default(),
        ],
    }
}

fn node_cells(node: &Node, now: Now) -> Vec<String> {
    let status = node.status.as_ref();
    let info = status.and_then(|status| status.node_info.as_ref());
    let address = |kind: &str| {
        status
            .and_then(|status| status.addresses.as_ref())
            .and_then(|addresses| addresses.iter().find(|address| address.type_ == kind))
            .map_or_else(|| "<none>".to_owned(), |address| address.address.clone())
    };
    let known = |text: Option<&String>| {
        text.filter(|text| !text.is_empty()).cloned().unwrap_or_else(|| "<unknown>".to_owned())
    };
    vec![
        node.metadata.name.clone().unwrap_or_default(),
        node_status(node),
        node_roles(node),
        now.since(node.metadata.creation_timestamp.as_ref()),
        info.map(|info| info.kubelet_version.clone()).unwrap_or_default(),
        address("InternalIP"),
        address("ExternalIP"),
        known(info.map(|info| &info.os_image)),
        known(info.map(|info| &info.kernel_version)),
        known(info.map(|info| &info.container_runtime_version)),
    ]
}

/// The STATUS column of a node: `Ready`, `NotReady,SchedulingDisabled`, …
pub fn node_status(node: &Node) -> String {
    let ready = node
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref())
        .and_then(|conditions| conditions.iter().find(|condition| condition.type_ == "Ready"));
    let mut text = match ready {
        None => "Unknown",
        Some(condition) if condition.status == "True" => "Ready",
        Some(_) => "NotReady",
    }
    .to_owned();
    if node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or(false) {
        text.push_str(",SchedulingDisabled");
    }
    text
}

/// The ROLES column of a node, from its labels.
pub fn node_roles(node: &Node) -> String {
    let mut roles: Vec<&str> = node
        .metadata
        .labels
        .iter()
        .flatten()
        .filter_map(|(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) if !role.is_empty() => Some(role),
            _ if key == "kubernetes.io/role" && !value.is_empty() => Some(value.as_str()),
            _ => None,
        })
        .collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") }
}

fn event_cells(event: &Event, now: Now) -> Vec<String> {
    let first = match &event.first_timestamp {
        Some(time) => now.since(Some(time)),
        None => now.since_micro(event.event_time.as_ref()),
    };
    let mut last = match &event.last_timestamp {
        Some(time) => now.since(Some(time)),
        None => first.clone(),
    };
    let mut count = event.count.unwrap_or(0).max(1);
    if let Some(series) = &event.series {
        last = now.since_micro(series.last_observed_time.as_ref());
        count = series.count.unwrap_or(0);
    }
    let object = &event.involved_object;
    let kind = object.kind.clone().unwrap_or_default().to_lowercase();
    let target = match object.name.as_deref() {
        Some(name) if !name.is_empty() => format!("{kind}/{name}"),
        _ => kind,
    };
    vec![
        last,
        event.type_.clone().unwrap_or_default(),
        event.reason.clone().unwrap_or_default(),
        target,
        object.field_path.clone().unwrap_or_default(),
        event_source(event),
        event.message.as_deref().unwrap_or_default().trim().to_owned(),
        first,
        count.to_string(),
        event.metadata.name.clone().unwrap_or_default(),
    ]
}

/// Who reported an event: `kubelet, gpu-1`.
pub fn event_source(event: &Event) -> String {
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let source = event.source.as_ref();
    let mut component = text(source.and_then(|source| source.component.as_ref()));
    if component.is_empty() {
        component = text(event.reporting_component.as_ref());
    }
    let mut host = text(source.and_then(|source| source.host.as_ref()));
    if host.is_empty() {
        host = text(event.reporting_instance.as_ref());
    }
    if host.is_empty() { component } else { format!("{component}, {host}") }
}
