//! Objects as Go writes them.
//!
//! Go's types have fields that are always there (`omitempty` is missing from their tag), such as `lastState: {}` of a
//! container's status or `lastProbeTime: null` of a condition, and leave out lists and maps that are empty. `k8s-openapi`
//! writes what the Rust object holds, so that its JSON is brought into Go's form here.

use serde_json::{Value, json};

use super::Kind;

/// Maps, which are left out when they are empty; other empty objects are structures, which stay.
pub(in crate::kube) const MAPS: [&str; 13] = [
    "allocatable",
    "allocatedResources",
    "annotations",
    "binaryData",
    "capacity",
    "data",
    "labels",
    "limits",
    "matchLabels",
    "nodeSelector",
    "overhead",
    "requests",
    "volumeAttributes",
];

/// Brings an object's JSON into Go's form.
pub(super) fn complete(kind: Kind, object: &mut Value) {
    match kind {
        Kind::Pod => {
            ensure(object, "spec", json!({}));
            ensure(object, "status", json!({}));
            within(object, "/spec", pod_spec);
            within(object, "/status", pod_status);
        }
        Kind::Node => {
            ensure(object, "spec", json!({}));
            ensure(object, "status", json!({}));
            within(object, "/status", node_status);
        }
        Kind::Namespace => {
            ensure(object, "spec", json!({}));
            ensure(object, "status", json!({}));
        }
        Kind::Event => {
            nulls(object, &["eventTime", "firstTimestamp", "lastTimestamp"]);
            ensure(object, "involvedObject", json!({}));
            ensure(object, "source", json!({}));
            for field in ["reportingComponent", "reportingInstance"] {
                ensure(object, field, json!(""));
            }
        }
        Kind::PriorityClass => ensure(object, "value", json!(0)),
        Kind::ConfigMap | Kind::ServiceAccount => {}
        Kind::PodGroup
        | Kind::ClusterQueue
        | Kind::LocalQueue
        | Kind::ResourceFlavor
        | Kind::Workload
        | Kind::WorkloadPriorityClass => {}
    }
    drop_empty(object);
}

/// Takes out empty lists and maps.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(drop_empty);
            fields.retain(|key, field| match field {
                Value::Array(list) => !list.is_empty() || key == "containers",
                Value::Object(inner) => !inner.is_empty() || !MAPS.contains(&key.as_str()),
                _ => true,
            });
        }
        Value::Array(list) => list.iter_mut().for_each(drop_empty),
        _ => {}
    }
}

fn pod_spec(spec: &mut Value) {
    ensure(spec, "containers", Value::Null);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, list, |container| ensure(container, "resources", json!({})));
    }
    each(spec, "volumes", |volume| {
        within(volume, "/projected", |projected| ensure(projected, "sources", Value::Null));
        within(volume, "/ephemeral/volumeClaimTemplate/spec", |claim| ensure(claim, "resources", json!({})));
    });
}

fn pod_status(status: &mut Value) {
    each(status, "conditions", |condition| nulls(condition, &["lastProbeTime", "lastTransitionTime"]));
    for list in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
        each(status, list, container_status);
    }
}

fn container_status(status: &mut Value) {
    for (field, value) in [
        ("image", json!("")),
        ("imageID", json!("")),
        ("lastState", json!({})),
        ("ready", json!(false)),
        ("restartCount", json!(0)),
        ("state", json!({})),
    ] {
        ensure(status, field, value);
    }
    for path in ["/state/terminated", "/lastState/terminated"] {
        within(status, path, |state| {
            nulls(state, &["finishedAt", "startedAt"]);
            ensure(state, "exitCode", json!(0));
        });
    }
    for path in ["/state/running", "/lastState/running"] {
        within(status, path, |state| nulls(state, &["startedAt"]));
    }
}

fn node_status(status: &mut Value) {
    each(status, "conditions", |condition| nulls(condition, &["lastHeartbeatTime", "lastTransitionTime"]));
    each(status, "images", |image| nulls(image, &["names"]));
    ensure(status, "daemonEndpoints", json!({}));
    within(status, "/daemonEndpoints", |endpoints| ensure(endpoints, "kubeletEndpoint", json!({"Port": 0})));
    ensure(status, "nodeInfo", json!({}));
    within(status, "/nodeInfo", |info| {
        for field in [
            "architecture",
            "bootID",
            "containerRuntimeVersion",
            "kernelVersion",
            "kubeProxyVersion",
            "kubeletVersion",
            "machineID",
            "operatingSystem",
            "osImage",
            "systemUUID",
        ] {
            ensure(info, field, json!(""));
        }
    });
}

fn ensure(object: &mut Value, field: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.entry(field).or_insert(value);
    }
}

fn nulls(object: &mut Value, fields: &[&str]) {
    for field in fields {
        ensure(object, field, Value::Null);
    }
}

fn within(object: &mut Value, path: &str, complete: impl FnOnce(&mut Value)) {
    if let Some(value) = object.pointer_mut(path).filter(|value| value.is_object()) {
        complete(value);
    }
}

fn each(object: &mut Value, list: &str, complete: impl Fn(&mut Value)) {
    object.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().for_each(complete);
}
