//! Binding: what the scheduler says when it has chosen a node.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, PodCondition};

use super::{ApiServer, Object, Status, admission};

impl ApiServer {
    /// Binds a pod to a node, as the scheduler does (`POST …/pods/NAME/binding`): the pod also gets the
    /// node's zone and region labels and its `PodScheduled` condition.
    ///
    /// # Errors
    ///
    /// `NotFound` (the pod; a node is not looked for, as in the real server), `Conflict` (bound already, being deleted, gated).
    pub fn bind(&mut self, namespace: &str, name: &str, node: &str) -> Result<Arc<Pod>, Status> {
        let pod = self.read::<Pod>(namespace, name).ok_or_else(|| Status::not_found("pods", name))?;
        let mut pod = Arc::clone(pod);
        let spec = pod.spec.as_ref();
        let problem = if pod.metadata.deletion_timestamp.is_some() {
            Some(format!("pod {name} is being deleted, cannot be assigned to a host"))
        } else if let Some(other) = spec.and_then(|spec| spec.node_name.as_deref()).filter(|n| !n.is_empty())
        {
            Some(format!("pod {name} is already assigned to node \"{other}\""))
        } else if spec.and_then(|spec| spec.scheduling_gates.as_ref()).is_some_and(|gates| !gates.is_empty())
        {
            Some(format!("pod {name} has non-empty .spec.schedulingGates"))
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(Status::conflict("pods/binding", name, &problem));
        }
        let labels = admission::topology_labels(self, node);
        let now = self.timestamp();
        let changed = Arc::make_mut(&mut pod);
        changed.spec.get_or_insert_default().node_name = Some(node.to_owned());
        if !labels.is_empty() {
            let present = changed.metadata.labels.get_or_insert_default();
            for (key, value) in labels {
                present.entry(key).or_insert(value);
            }
        }
        let status = changed.status.get_or_insert_default();
        status.nominated_node_name = None;
        let conditions = status.conditions.get_or_insert_default();
        conditions.retain(|condition| condition.type_ != "PodScheduled");
        conditions.push(PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "True".to_owned(),
            last_transition_time: Some(now),
            ..PodCondition::default()
        });
        match self.put(Object::Pod(pod)) {
            Object::Pod(pod) => Ok(pod),
            // `put` answers what it was given.
            _ => Err(Status::not_found("pods", name)),
        }
    }
}
