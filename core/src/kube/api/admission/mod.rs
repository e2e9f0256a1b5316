//! Admission: what the API server adds to an object, or refuses it for, before it is stored.
//!
//! The plugins that a pod of this lab meets, in the real order: NamespaceLifecycle,
//! ServiceAccount, TaintNodesByCondition, Priority, DefaultTolerationSeconds, RuntimeClass, Kueue's webhook for pods; PodTopologyLabels acts on a binding.

mod kueue;
mod pod;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Node, Taint};

use super::{ApiServer, Object, Status, Subresource};

/// The namespaces that may not be deleted.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];
const TOPOLOGY_LABELS: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

pub(super) fn on_create(server: &mut ApiServer, object: &mut Object) -> Result<(), Status> {
    namespace_is_open(server, object)?;
    match object {
        Object::Node(node) => taint_new_node(Arc::make_mut(node)),
        Object::Pod(pod) => {
            let plain = Arc::make_mut(pod);
            pod::service_account(server, plain)?;
            pod::priority(server, plain)?;
            pod::default_toleration_seconds(plain);
            pod::runtime_class(plain)?;
            kueue::gate(pod)?;
        }
        _ => {}
    }
    Ok(())
}

pub(super) fn on_update(old: &Object, new: &mut Object, subresource: Subresource) {
    if let (Object::Pod(old), Object::Pod(new), Subresource::None) = (old, new, subresource) {
        pod::keep_priority(old, new);
        pod::default_toleration_seconds(Arc::make_mut(new));
    }
}

pub(super) fn on_delete(object: &Object) -> Result<(), Status> {
    match object {
        Object::Namespace(_) if IMMORTAL.contains(&object.name()) => {
            Err(Status::forbidden("namespaces", object.name(), "this namespace may not be deleted"))
        }
        _ => Ok(()),
    }
}

/// The zone and region of a node, which a pod takes over when it is bound.
pub(super) fn topology_labels(server: &ApiServer, node: &str) -> BTreeMap<String, String> {
    let labels = server.read::<Node>("", node).and_then(|node| node.metadata.labels.as_ref());
    let label = |key: &str| Some((key.to_owned(), labels?.get(key)?.clone()));
    TOPOLOGY_LABELS.into_iter().filter_map(label).collect()
}

/// NamespaceLifecycle: nothing comes into a namespace that is not there, or is going.
fn namespace_is_open(server: &ApiServer, object: &Object) -> Result<(), Status> {
    let Some(name) = &object.meta().namespace else { return Ok(()) };
    let Some(namespace) = server.read::<Namespace>("", name) else {
        return Err(Status::not_found("namespaces", name));
    };
    if namespace.metadata.deletion_timestamp.is_some() {
        return Err(Status::forbidden(
            &object.kind().info().qualified_plural(),
            object.name(),
            &format!("unable to create new content in namespace {name} because it is being terminated"),
        ));
    }
    Ok(())
}

/// A new node gets no pods until its kubelet has said that it is ready.
fn taint_new_node(node: &mut Node) {
    const NOT_READY: &str = "node.kubernetes.io/not-ready";
    let taints = node.spec.get_or_insert_default().taints.get_or_insert_default();
    if !taints.iter().any(|taint| taint.key == NOT_READY && taint.effect == "NoSchedule") {
        taints.push(Taint { key: NOT_READY.to_owned(), effect: "NoSchedule".to_owned(), ..Taint::default() });
    }
}
