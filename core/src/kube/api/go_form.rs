//! Fields that the real API server writes even when they say nothing.
//!
//! Go's types have fields that are always there (`omitempty` is missing from their tag), such as `lastProbeTime: null` in a pod's
//! conditions. `k8s-openapi` leaves them out, so that they are added to the JSON form here.

use serde_json::{Map, Value, json};

use super::Kind;

type Fields = Map<String, Value>;

/// Adds the fields that are always there.
pub(super) fn complete(kind: Kind, object: &mut Value) {
    let Value::Object(object) = object else { return };
    match kind {
        Kind::Pod => {
            ensure(object, "spec", &json!({}));
            let status = ensure(object, "status", &json!({}));
            each(status, "conditions", |condition| {
                times(condition, &["lastProbeTime", "lastTransitionTime"]);
            });
            for list in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
                each(status, list, container_status);
            }
        }
        Kind::Node => {
            ensure(object, "spec", &json!({}));
            let status = ensure(object, "status", &json!({}));
            each(status, "conditions", |condition| {
                times(condition, &["lastHeartbeatTime", "lastTransitionTime"]);
            });
            let endpoints = ensure(status, "daemonEndpoints", &json!({}));
            let kubelet = ensure(endpoints, "kubeletEndpoint", &json!({}));
            ensure_value(kubelet, "Port", &json!(0));
            let info = ensure(status, "nodeInfo", &json!({}));
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
                ensure_value(info, field, &json!(""));
            }
        }
        Kind::Namespace => {
            ensure(object, "spec", &json!({}));
            ensure(object, "status", &json!({}));
        }
        Kind::Event => {
            times(object, &["eventTime", "firstTimestamp", "lastTimestamp"]);
            for field in ["reportingComponent", "reportingInstance"] {
                ensure_value(object, field, &json!(""));
            }
            ensure(object, "source", &json!({}));
        }
        Kind::PriorityClass => ensure_value(object, "value", &json!(0)),
        Kind::ConfigMap | Kind::ServiceAccount => {}
    }
}

fn container_status(status: &mut Fields) {
    for (field, value) in [
        ("image", json!("")),
        ("imageID", json!("")),
        ("lastState", json!({})),
        ("ready", json!(false)),
        ("restartCount", json!(0)),
        ("state", json!({})),
    ] {
        ensure_value(status, field, &value);
    }
}

fn times(fields: &mut Fields, names: &[&str]) {
    for name in names {
        ensure_value(fields, name, &Value::Null);
    }
}

fn ensure_value(fields: &mut Fields, name: &str, value: &Value) {
    if !fields.contains_key(name) {
        fields.insert(name.to_owned(), value.clone());
    }
}

/// The object in a field, made if it is missing.
fn ensure<'a>(fields: &'a mut Fields, name: &str, value: &Value) -> &'a mut Fields {
    let entry = fields.entry(name).or_insert_with(|| value.clone());
    if !entry.is_object() {
        *entry = value.clone();
    }
    match entry {
        Value::Object(fields) => fields,
        // Just made an object, if it was not one.
        _ => unreachable!("the field holds an object"),
    }
}

fn each(fields: &mut Fields, list: &str, complete: impl Fn(&mut Fields)) {
    for item in fields.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
        if let Value::Object(item) = item {
            complete(item);
        }
    }
}
