//! Taints that mirror a node's conditions.
//!
//! In a real cluster the node lifecycle controller does this a moment after the change
//! (`pkg/controller/nodelifecycle`, `doNoScheduleTaintingPass`); until the controllers are there, the API server does it
//! itself, as a change of its own.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Taint};

use super::{ApiServer, Object};

/// Condition, the status that taints, and the taint.
const MIRRORED: [(&str, &str, &str); 6] = [
    ("Ready", "False", "node.kubernetes.io/not-ready"),
    ("Ready", "Unknown", "node.kubernetes.io/unreachable"),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
    ("NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"),
];
const UNSCHEDULABLE: &str = "node.kubernetes.io/unschedulable";

impl ApiServer {
    /// Brings the `NoSchedule` taints of a node in line with its conditions and with `spec.unschedulable`.
    pub(super) fn mirror_node_conditions(&mut self, object: Object) -> Object {
        let Object::Node(node) = &object else { return object };
        let Some(taints) = mirrored(node) else { return object };
        let now = self.timestamp();
        let mut node = Arc::clone(node);
        let spec = Arc::make_mut(&mut node).spec.get_or_insert_default();
        let mut present = spec.taints.take().unwrap_or_default();
        present.retain(|taint| !is_ours(taint) || taints.contains(&taint.key.as_str()));
        for key in taints {
            if !present.iter().any(|taint| taint.key == key && taint.effect == "NoSchedule") {
                present.push(Taint {
                    key: key.to_owned(),
                    effect: "NoSchedule".to_owned(),
                    time_added: Some(now.clone()),
                    ..Taint::default()
                });
            }
        }
        spec.taints = (!present.is_empty()).then_some(present);
        self.put(Object::Node(node))
    }
}

fn is_ours(taint: &Taint) -> bool {
    taint.effect == "NoSchedule"
        && (taint.key == UNSCHEDULABLE || MIRRORED.iter().any(|(_, _, key)| *key == taint.key))
}

/// The taints that a node should have, if it has others now. A node that says nothing of itself has none.
fn mirrored(node: &Node) -> Option<Vec<&'static str>> {
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let mut wanted: Vec<&str> = MIRRORED
        .iter()
        .filter(|(kind, status, _)| conditions.iter().any(|c| c.type_ == *kind && c.status == *status))
        .map(|(_, _, key)| *key)
        .collect();
    if node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) {
        wanted.push(UNSCHEDULABLE);
    }
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    let present: Vec<&str> =
        taints.iter().filter(|taint| is_ours(taint)).map(|taint| taint.key.as_str()).collect();
    let same = present.len() == wanted.len() && wanted.iter().all(|key| present.contains(key));
    (!same).then_some(wanted)
}
