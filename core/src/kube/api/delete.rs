//! Delete: at once, after a grace period, or when the last finalizer lets go.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Namespace, NamespaceStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{ApiServer, DeleteOptions, Deletion, Kind, Object, ObjectKey, Status};

impl ApiServer {
    /// Deletes an object, or marks it for deletion.
    ///
    /// A pod on a node gets its grace period: the kubelet ends it and deletes it again with a
    /// period of 0. Other objects go at once, unless finalizers hold them.
    ///
    /// # Errors
    ///
    /// `NotFound`, `Conflict` (preconditions), `Forbidden` (namespaces that may not go).
    pub fn delete(
        &mut self,
        kind: Kind,
        namespace: &str,
        name: &str,
        options: &DeleteOptions,
    ) -> Result<Deletion, Status> {
        let old = self.get(kind, namespace, name)?;
        super::admission::on_delete(&old)?;
        check_delete_preconditions(&old, options)?;
        if let Object::Namespace(_) = &old {
            return Ok(self.delete_namespace(old, options.dry_run));
        }
        let mut object = old.clone();
        let grace = match &old {
            Object::Pod(pod) => Some(grace_period(pod, options.grace_period_seconds)),
            _ => None,
        };
        let finalized = old.meta().finalizers.as_ref().is_none_or(Vec::is_empty);
        let mark = |server: &Self, object: &mut Object, seconds: i64| {
            let meta = object.meta_mut();
            meta.deletion_timestamp = Some(Time(server.timestamp().0 + SignedDuration::from_secs(seconds)));
            meta.deletion_grace_period_seconds = Some(seconds);
            if let Some(generation) = &mut meta.generation {
                *generation += 1;
            }
        };
        match (old.meta().deletion_timestamp.as_ref(), old.meta().deletion_grace_period_seconds) {
            // Being deleted with grace: the period may only become shorter.
            (Some(deadline), Some(present)) if present != 0 => {
                let Some(wanted) =
                    grace.filter(|wanted| *wanted < present && options.grace_period_seconds.is_some())
                else {
                    return Ok(Deletion::Pending(old));
                };
                let meta = object.meta_mut();
                meta.deletion_timestamp =
                    Some(Time(deadline.0 - SignedDuration::from_secs(present - wanted)));
                meta.deletion_grace_period_seconds = Some(wanted);
            }
            (Some(_), _) if !finalized => return Ok(Deletion::Pending(old)),
            (Some(_), _) => {}
            (None, _) => match grace {
                Some(seconds) => mark(self, &mut object, seconds),
                None if !finalized => mark(self, &mut object, 0),
                None => {}
            },
        }
        let gone = finalized && grace.is_none_or(|_| object.meta().deletion_grace_period_seconds == Some(0));
        if options.dry_run {
            return Ok(if gone { Deletion::Gone(object) } else { Deletion::Pending(object) });
        }
        if object != old {
            object = self.put(object);
        }
        if gone {
            return Ok(Deletion::Gone(self.remove(&object.key()).unwrap_or(object)));
        }
        Ok(Deletion::Pending(object))
    }

    /// A namespace first says that it terminates, then loses its contents, then goes.
    fn delete_namespace(&mut self, old: Object, dry_run: bool) -> Deletion {
        let Object::Namespace(namespace) = &old else { return Deletion::Pending(old) };
        if namespace.metadata.deletion_timestamp.is_some() {
            return Deletion::Pending(old);
        }
        let mut namespace = Arc::clone(namespace);
        let changed = Arc::make_mut(&mut namespace);
        changed.metadata.deletion_timestamp = Some(self.timestamp());
        changed.status.get_or_insert_with(NamespaceStatus::default).phase = Some("Terminating".to_owned());
        if dry_run {
            return Deletion::Pending(Object::Namespace(namespace));
        }
        let stored = self.put(Object::Namespace(namespace));
        self.empty_namespace(stored.name());
        // The answer is the namespace as it was marked, however soon it went.
        Deletion::Pending(stored)
    }

    /// Deletes everything in a namespace; pods take their time.
    fn empty_namespace(&mut self, name: &str) {
        let keys: Vec<ObjectKey> = Kind::ALL
            .iter()
            .filter(|kind| kind.info().namespaced)
            .flat_map(|kind| self.of_kind(*kind, name))
            .map(Object::key)
            .collect();
        for key in keys {
            // Only `NotFound` is possible here, and then there is nothing left to do.
            let _ = self.delete(key.kind, &key.namespace, &key.name, &DeleteOptions::default());
        }
        self.finish_namespace(name);
    }

    /// Called after every removal: the last object of a terminating namespace takes it along.
    pub(super) fn after_removal(&mut self, key: &ObjectKey) {
        if key.namespace.is_empty() {
            return;
        }
        self.finish_namespace(&key.namespace);
        // Controllers put back what belongs to every namespace.
        let furniture = matches!(
            (key.kind, key.name.as_str()),
            (Kind::ServiceAccount, "default") | (Kind::ConfigMap, "kube-root-ca.crt")
        );
        if furniture && self.is_active(&key.namespace) {
            super::bootstrap::furnish_namespace(self, &key.namespace);
        }
    }

    /// Whether a namespace is there and stays.
    pub(super) fn is_active(&self, namespace: &str) -> bool {
        self.read::<Namespace>("", namespace)
            .is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_none())
    }

    fn finish_namespace(&mut self, name: &str) {
        let key = Self::key(Kind::Namespace, "", name);
        let terminating =
            self.objects.get(&key).is_some_and(|object| object.meta().deletion_timestamp.is_some());
        let empty = || {
            Kind::ALL
                .iter()
                .filter(|kind| kind.info().namespaced)
                .all(|kind| self.of_kind(*kind, name).next().is_none())
        };
        if !terminating || !empty() {
            return;
        }
        let Some(Object::Namespace(namespace)) = self.objects.get(&key) else { return };
        let mut namespace = Arc::clone(namespace);
        if let Some(spec) = &mut Arc::make_mut(&mut namespace).spec {
            spec.finalizers = None;
        }
        self.put(Object::Namespace(namespace));
        self.remove(&key);
    }

    /// Deletes a pod for good, as the kubelet does once its containers have ended.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub fn finish_deletion(&mut self, namespace: &str, name: &str) -> Result<Deletion, Status> {
        let options = DeleteOptions { grace_period_seconds: Some(0), ..DeleteOptions::default() };
        self.delete(Kind::Pod, namespace, name, &options)
    }

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
        let labels = super::admission::topology_labels(self, node);
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
        conditions.push(k8s_openapi::api::core::v1::PodCondition {
            type_: "PodScheduled".to_owned(),
            status: "True".to_owned(),
            last_transition_time: Some(now),
            ..Default::default()
        });
        match self.put(Object::Pod(pod)) {
            Object::Pod(pod) => Ok(pod),
            // `put` answers what it was given.
            _ => Err(Status::not_found("pods", name)),
        }
    }
}

fn check_delete_preconditions(object: &Object, options: &DeleteOptions) -> Result<(), Status> {
    let kind = object.kind().info().kind;
    let refuse = |what: &str, wanted: &str, present: &str, hint: &str| {
        let why = format!(
            "the {what} in the precondition ({wanted}) does not match the {what} in record ({present}). The object might have been {hint}"
        );
        Err(Status::conflict(kind, object.name(), &why))
    };
    let meta = object.meta();
    let (uid, version) =
        (meta.uid.as_deref().unwrap_or_default(), meta.resource_version.as_deref().unwrap_or_default());
    match (&options.uid, &options.resource_version) {
        (Some(wanted), _) if wanted != uid => refuse("UID", wanted, uid, "deleted and then recreated"),
        (_, Some(wanted)) if wanted != version => refuse("ResourceVersion", wanted, version, "modified"),
        _ => Ok(()),
    }
}

/// The seconds that a pod gets to end.
fn grace_period(pod: &Pod, wanted: Option<i64>) -> i64 {
    let spec = pod.spec.as_ref();
    let assigned = spec.and_then(|spec| spec.node_name.as_deref()).is_some_and(|node| !node.is_empty());
    let ended = matches!(
        pod.status.as_ref().and_then(|status| status.phase.as_deref()),
        Some("Succeeded" | "Failed")
    );
    if !assigned || ended {
        return 0;
    }
    let own = spec.and_then(|spec| spec.termination_grace_period_seconds).unwrap_or(0);
    match wanted.unwrap_or(own) {
        negative if negative < 0 => 1,
        // A span that the calendar cannot hold is cut to what it can.
        period => period.min(Duration::from_hours(24 * 365 * 100).as_secs() as i64),
    }
}
