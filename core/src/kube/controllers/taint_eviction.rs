//! Evicts pods from nodes with `NoExecute` taints that they do not tolerate, or not for long
//! (`pkg/controller/tainteviction`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod, Taint, Toleration};

use crate::kube::api::{
    ApiServer, DeleteOptions, EventRecord, Kind, Object, Resource as _, set_pod_condition,
};
use crate::sim::SimTime;

const COMPONENT: &str = "taint-eviction-controller";

/// A pod that will be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    /// When its time began.
    since: SimTime,
    at: SimTime,
}

/// The controller.
#[derive(Clone, Debug, Default)]
pub struct TaintEviction {
    /// The version of the store up to which everything is known.
    seen: u64,
    /// Nodes with `NoExecute` taints.
    tainted: BTreeMap<String, Vec<Taint>>,
    due: BTreeMap<(String, String), Due>,
}

impl TaintEviction {
    /// A controller that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// When the next pod's time is over.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        self.due.values().map(|due| due.at).min()
    }

    /// Takes up what has happened, and evicts the pods whose time is over.
    pub fn advance(&mut self, now: SimTime, api: &mut ApiServer) {
        for (namespace, name) in self.changed(api) {
            match api.read::<Pod>(&namespace, &name).cloned() {
                Some(pod) => self.look_at(&pod, now, api),
                None => {
                    self.due.remove(&(namespace, name));
                }
            }
        }
        let over = self.due.iter().filter(|(_, due)| due.at <= now).map(|(key, _)| key.clone());
        for (namespace, name) in over.collect::<Vec<_>>() {
            self.due.remove(&(namespace.clone(), name.clone()));
            evict(api, &namespace, &name);
        }
    }

    /// Pods whose tolerations or whose node's taints may have changed.
    fn changed(&mut self, api: &ApiServer) -> BTreeSet<(String, String)> {
        let since = std::mem::replace(&mut self.seen, api.resource_version());
        let mut pods = BTreeSet::new();
        let mut nodes = BTreeSet::new();
        if since < api.oldest_version() {
            nodes.extend(api.iter::<Node>().filter_map(|node| node.metadata.name.clone()));
            pods.extend(self.due.keys().cloned());
        } else {
            for event in api.events_since(since) {
                match &event.object {
                    Object::Node(node) => nodes.extend(node.metadata.name.clone()),
                    Object::Pod(pod) => {
                        pods.insert(key(pod));
                    }
                    _ => {}
                }
            }
        }
        let mut concerned = BTreeSet::new();
        for name in nodes {
            let taints = api.read::<Node>("", &name).map(|node| no_execute(node)).unwrap_or_default();
            let before = self.tainted.get(&name).map_or(&[][..], Vec::as_slice);
            if before != taints {
                if taints.is_empty() {
                    self.tainted.remove(&name);
                } else {
                    self.tainted.insert(name.clone(), taints);
                }
                concerned.insert(name);
            }
        }
        // A pod that nobody will evict and whose node has no such taint is nothing to look at.
        pods.retain(|key| {
            let node = api.read::<Pod>(&key.0, &key.1).and_then(|pod| node_of(pod).map(str::to_owned));
            self.due.contains_key(key) || node.is_some_and(|node| self.tainted.contains_key(&node))
        });
        if !concerned.is_empty() {
            let there = |pod: &&Arc<Pod>| node_of(pod).is_some_and(|node| concerned.contains(node));
            pods.extend(api.iter::<Pod>().filter(there).map(|pod| key(pod)));
        }
        pods
    }

    /// Decides when a pod has to go, if it has to (`processPodOnNode`).
    fn look_at(&mut self, pod: &Arc<Pod>, now: SimTime, api: &mut ApiServer) {
        let key = key(pod);
        let taints = node_of(pod).and_then(|node| self.tainted.get(node));
        let time = match taints {
            _ if pod.metadata.deletion_timestamp.is_some() || has_ended(pod) => None,
            None => None,
            Some(taints) => patience(taints, pod),
        };
        let Some(time) = time else {
            if self.due.remove(&key).is_some() && pod.metadata.deletion_timestamp.is_none() {
                tell(api, pod, format!("Cancelling deletion of Pod {}/{}", key.0, key.1));
            }
            return;
        };
        let since = self.due.get(&key).map_or(now, |due| due.since);
        self.due.insert(key, Due { since, at: since + time });
    }
}

/// How long the pod may stay; none is for ever.
fn patience(taints: &[Taint], pod: &Pod) -> Option<Duration> {
    let tolerations = pod.spec.as_ref().and_then(|spec| spec.tolerations.as_deref()).unwrap_or_default();
    let mut shortest: Option<Duration> = None;
    for taint in taints {
        let Some(toleration) = tolerations.iter().find(|toleration| tolerates(toleration, taint)) else {
            return Some(Duration::ZERO);
        };
        if let Some(seconds) = toleration.toleration_seconds {
            // Less than nothing counts as nothing.
            let time = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            shortest = Some(shortest.map_or(time, |shortest| shortest.min(time)));
        }
    }
    shortest
}

/// Whether a toleration is for a taint (`Toleration.ToleratesTaint`).
fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let (key, effect) = (text(&toleration.key), text(&toleration.effect));
    if (!effect.is_empty() && effect != taint.effect) || (!key.is_empty() && key != taint.key) {
        return false;
    }
    match text(&toleration.operator).as_str() {
        "" | "Equal" => text(&toleration.value) == text(&taint.value),
        "Exists" => true,
        _ => false,
    }
}

fn no_execute(node: &Node) -> Vec<Taint> {
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    taints.filter(|taint| taint.effect == "NoExecute").cloned().collect()
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref().filter(|node| !node.is_empty())
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn key(pod: &Pod) -> (String, String) {
    (pod.metadata.namespace.clone().unwrap_or_default(), pod.metadata.name.clone().unwrap_or_default())
}

fn tell(api: &mut ApiServer, pod: &Arc<Pod>, message: String) {
    api.record(EventRecord {
        regarding: &Arc::clone(pod).into_object(),
        field_path: None,
        warning: false,
        reason: "TaintManagerEviction",
        message,
        component: COMPONENT,
        host: None,
        action: None,
    });
}

fn evict(api: &mut ApiServer, namespace: &str, name: &str) {
    let Some(pod) = api.read::<Pod>(namespace, name).cloned() else { return };
    if pod.metadata.deletion_timestamp.is_some() {
        return;
    }
    tell(api, &pod, format!("Marking for deletion Pod {namespace}/{name}"));
    let now = api.timestamp();
    // A pod that went in the meantime needs neither a condition nor a deletion.
    let _ = api.update_status::<Pod>(namespace, name, |pod| {
        let message = "Taint manager: deleting due to NoExecute taint";
        set_pod_condition(pod, "DisruptionTarget", "True", "DeletionByTaintManager", message, &now);
    });
    let _ = api.delete(Kind::Pod, namespace, name, &DeleteOptions::default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    #[test]
    fn a_pod_stays_as_long_as_its_least_patient_toleration() {
        let taint = |key: &str| -> Taint { from_value(json!({"key": key, "effect": "NoExecute"})).unwrap() };
        let pod = |tolerations: serde_json::Value| -> Pod {
            from_value(json!({"spec": {"containers": [], "tolerations": tolerations}})).unwrap()
        };
        let both = [taint("a"), taint("b")];
        let of = |tolerations| patience(&both, &pod(tolerations));
        assert_eq!(of(json!([])), Some(Duration::ZERO));
        assert_eq!(of(json!([{"key": "a", "operator": "Exists"}])), Some(Duration::ZERO));
        assert_eq!(of(json!([{"operator": "Exists"}])), None);
        assert_eq!(
            of(json!([
                {"key": "a", "operator": "Exists", "tolerationSeconds": 60},
                {"key": "b", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30},
            ])),
            Some(Duration::from_secs(30))
        );
        assert_eq!(
            of(json!([{"operator": "Exists", "effect": "NoSchedule"}])),
            Some(Duration::ZERO),
            "another effect"
        );
    }
}
