//! Objects as the real API server sends them.
//!
//! Go writes some fields even when they are empty (those without `omitempty`),
//! which typed Rust objects leave out: `resources: {}` of a container,
//! `lastState: {}` of its status, `lastProbeTime: null` of a condition. Printed
//! objects show them, so they are put back here.

use serde_json::{Map, Value, json};

use crate::kube::api::{Kind, Object};

/// The JSON of an object, as a client receives it.
pub fn wire_json(object: &Object) -> Value {
    let mut value = object.to_json();
    match object.kind() {
        Kind::Pod => {
            ensure(&mut value, "spec", || json!({}));
            ensure(&mut value, "status", || json!({}));
            if let Some(spec) = value.get_mut("spec") {
                pod_spec(spec);
            }
            if let Some(status) = value.get_mut("status") {
                pod_status(status);
            }
        }
        Kind::Node => {
            ensure(&mut value, "spec", || json!({}));
            ensure(&mut value, "status", || json!({}));
            if let Some(status) = value.get_mut("status") {
                ensure(status, "daemonEndpoints", || json!({"kubeletEndpoint": {"Port": 0}}));
                each(status, "conditions", |condition| {
                    ensure(condition, "lastHeartbeatTime", || Value::Null);
                    ensure(condition, "lastTransitionTime", || Value::Null);
                });
                each(status, "images", |image| ensure(image, "names", || Value::Null));
            }
        }
        Kind::Namespace => {
            ensure(&mut value, "spec", || json!({}));
            ensure(&mut value, "status", || json!({}));
        }
        Kind::Event => {
            for field in ["firstTimestamp", "lastTimestamp", "eventTime"] {
                ensure(&mut value, field, || Value::Null);
            }
            ensure(&mut value, "source", || json!({}));
            ensure(&mut value, "involvedObject", || json!({}));
            for field in ["reportingComponent", "reportingInstance"] {
                ensure(&mut value, field, || json!(""));
            }
        }
        Kind::ConfigMap | Kind::ServiceAccount | Kind::PriorityClass => {}
    }
    drop_empty(&mut value);
    value
}

/// Maps that Go leaves out when they are empty; other empty objects are structures, which it writes.
const MAPS: [&str; 13] = [
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

/// Takes out empty lists and maps, which Go leaves out of its JSON.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(drop_empty);
            map.retain(|key, field| match field {
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
    ensure(spec, "containers", || Value::Null);
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, field, |container| ensure(container, "resources", || json!({})));
    }
    each(spec, "volumes", |volume| {
        if let Some(projected) = volume.get_mut("projected") {
            ensure(projected, "sources", || Value::Null);
        }
        if let Some(claim) = volume.pointer_mut("/ephemeral/volumeClaimTemplate/spec") {
            ensure(claim, "resources", || json!({}));
        }
    });
}

fn pod_status(status: &mut Value) {
    each(status, "conditions", |condition| {
        ensure(condition, "lastProbeTime", || Value::Null);
        ensure(condition, "lastTransitionTime", || Value::Null);
    });
    for field in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
        each(status, field, |container| {
            ensure(container, "lastState", || json!({}));
            ensure(container, "state", || json!({}));
            ensure(container, "image", || json!(""));
            ensure(container, "imageID", || json!(""));
            for path in ["/state/terminated", "/lastState/terminated"] {
                if let Some(state) = container.pointer_mut(path) {
                    ensure(state, "startedAt", || Value::Null);
                    ensure(state, "finishedAt", || Value::Null);
                    ensure(state, "exitCode", || json!(0));
                }
            }
            for path in ["/state/running", "/lastState/running"] {
                if let Some(state) = container.pointer_mut(path) {
                    ensure(state, "startedAt", || Value::Null);
                }
            }
        });
    }
}

fn ensure(value: &mut Value, field: &str, default: impl FnOnce() -> Value) {
    if let Some(map) = value.as_object_mut()
        && !map.contains_key(field)
    {
        map.insert(field.to_owned(), default());
    }
}

fn each(value: &mut Value, field: &str, change: impl Fn(&mut Value)) {
    if let Some(list) = value.get_mut(field).and_then(Value::as_array_mut) {
        list.iter_mut().for_each(change);
    }
}

/// Takes what the server manages alone out of an object's metadata.
pub(super) fn without_managed_fields(value: &mut Value) {
    if let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
    }
}

/// An empty JSON object.
pub(super) fn empty() -> Value {
    Value::Object(Map::new())
}
