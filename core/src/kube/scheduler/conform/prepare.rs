//! What the API server of the recordings did to objects before the scheduler saw them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Namespace, Node, Pod, Service, Toleration};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::scheduling::v1::PriorityClass;
use serde_json::{Value, json};

use super::super::engine::Scheduler;
use super::{list, pod_name, read};

/// The objects of a scenario, as they are at present.
pub(super) struct Cluster {
    pub namespace: String,
    pub pods: BTreeMap<String, Pod>,
    input: Value,
    nodes: BTreeMap<String, Value>,
    classes: Vec<PriorityClass>,
}

impl Cluster {
    pub fn new(input: &Value) -> Result<Self, String> {
        let classes = list(&input["priorityClasses"]).iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self {
            namespace: input["namespace"].as_str().unwrap_or_default().to_owned(),
            pods: BTreeMap::new(),
            input: input.clone(),
            nodes: BTreeMap::new(),
            classes,
        })
    }

    /// Tells the scheduler of everything that was there before the first pod was created.
    pub fn fill(&self, scheduler: &mut Scheduler) -> Result<(), String> {
        let own = json!({"metadata": {"name": self.namespace}});
        for namespace in [&own].into_iter().chain(list(&self.input["namespaces"])) {
            let namespace: Namespace = read(namespace)?;
            let name = namespace.metadata.name.unwrap_or_default();
            let mut labels = namespace.metadata.labels.unwrap_or_default();
            labels.insert("kubernetes.io/metadata.name".to_owned(), name.clone());
            scheduler.set_namespace(&name, &labels);
        }
        for budget in list(&self.input["podDisruptionBudgets"]) {
            let mut budget: PodDisruptionBudget = read(budget)?;
            budget.metadata.namespace.get_or_insert_with(|| self.namespace.clone());
            scheduler.set_budget(&budget);
        }
        for service in list(&self.input["services"]) {
            let mut service: Service = read(service)?;
            service.metadata.namespace.get_or_insert_with(|| self.namespace.clone());
            scheduler.set_service(&service);
        }
        for node in list(&self.input["nodes"]) {
            let node: Node = read(node)?;
            scheduler.add_node(node);
        }
        for pod in list(&self.input["existingPods"]) {
            let pod = self.defaulted(pod)?;
            scheduler.add_pod(pod);
        }
        Ok(())
    }

    /// A pod as the API server stores it.
    pub fn pod(&mut self, pod: &Value) -> Result<Pod, String> {
        let pod = self.defaulted(pod)?;
        self.pods.insert(pod_name(&pod), pod.clone());
        Ok(pod)
    }

    pub fn priority(&self, name: &str) -> i32 {
        let spec = self.pods.get(name).and_then(|pod| pod.spec.as_ref());
        spec.and_then(|spec| spec.priority).unwrap_or(0)
    }

    fn defaulted(&self, pod: &Value) -> Result<Pod, String> {
        let mut pod: Pod = read(pod)?;
        pod.metadata.namespace.get_or_insert_with(|| self.namespace.clone());
        let spec = pod.spec.get_or_insert_default();
        let class = match spec.priority_class_name.as_deref() {
            Some("system-cluster-critical") => Some((Some(2_000_000_000), None)),
            Some("system-node-critical") => Some((Some(2_000_001_000), None)),
            Some(name) => {
                let known = |class: &&PriorityClass| class.metadata.name.as_deref() == Some(name);
                let class = self.classes.iter().find(known);
                class.map(|class| (class.value, class.preemption_policy.clone()))
            }
            None => {
                let default = self.classes.iter().find(|class| class.global_default == Some(true));
                default.map(|class| (class.value, class.preemption_policy.clone()))
            }
        };
        let (priority, policy) = class.unwrap_or_default();
        spec.priority.get_or_insert(priority.unwrap_or(0));
        if spec.preemption_policy.is_none() {
            spec.preemption_policy = policy;
        }
        let tolerations = spec.tolerations.get_or_insert_default();
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            tolerations.push(Toleration {
                key: Some(key.to_owned()),
                operator: Some("Exists".to_owned()),
                effect: Some("NoExecute".to_owned()),
                toleration_seconds: Some(300),
                ..Toleration::default()
            });
        }
        Ok(pod)
    }

    /// Does a step of the scenario.
    pub fn apply(&mut self, step: &Value, scheduler: &mut Scheduler) -> Result<(), String> {
        let object = &step["object"];
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        match (step["op"].as_str(), object["kind"].as_str()) {
            (Some("create"), Some("Node")) => {
                self.nodes.insert(name, object.clone());
                scheduler.add_node(read::<Node>(object)?);
            }
            (Some("create"), Some("Pod")) => {
                let pod = self.pod(object)?;
                scheduler.add_pod(pod);
            }
            (Some("delete"), Some("Node")) => scheduler.remove_node(&name),
            (Some("delete"), Some("Pod")) => scheduler.remove_pod(&self.namespace, &name),
            (Some("patch"), Some("Node")) => {
                let first = list(&self.input["nodes"]).iter().find(|node| node["metadata"]["name"] == *name);
                let first = first.cloned().unwrap_or_default();
                let node = self.nodes.entry(name).or_insert(first);
                merge(node, &step["patch"]);
                scheduler.update_node(read::<Node>(node)?);
            }
            (Some("patch"), Some("Pod")) => {
                let bound = scheduler.node_of(&self.namespace, &name).map(ToString::to_string);
                let mut pod = if let Some(pod) = self.pods.get(&name) {
                    serde_json::to_value(pod).map_err(|error| error.to_string())?
                } else {
                    let mut existing = list(&self.input["existingPods"]).iter();
                    existing.find(|pod| pod["metadata"]["name"] == *name).cloned().unwrap_or_default()
                };
                merge(&mut pod, &step["patch"]);
                let mut pod: Pod = read(&pod)?;
                pod.metadata.namespace.get_or_insert_with(|| self.namespace.clone());
                if bound.is_some() {
                    pod.spec.get_or_insert_default().node_name = bound;
                }
                self.pods.insert(name, pod.clone());
                scheduler.update_pod(pod);
            }
            other => return Err(format!("a step of an unknown kind: {other:?}")),
        }
        Ok(())
    }
}

/// JSON merge patch (RFC 7386).
fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                if value.is_null() {
                    target.remove(key);
                } else {
                    merge(target.entry(key).or_insert(Value::Null), value);
                }
            }
        }
        (target, patch) if patch.is_object() => {
            *target = json!({});
            merge(target, patch);
        }
        (target, patch) => *target = patch.clone(),
    }
}
