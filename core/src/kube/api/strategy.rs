//! What each kind does to an object on its way in (`pkg/registry/*/strategy.go`): which
//! parts of it the caller may not set, and when its generation counts up.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{NamespaceSpec, NamespaceStatus, PodCondition, PodStatus};

use super::kueue::{ClusterQueueStatus, LocalQueueStatus, WorkloadStatus};
use super::write::has_generation;
use super::{Object, Subresource, qos};

/// Sets what only the server may set on a new object.
pub(super) fn prepare_for_create(object: &mut Object) {
    if has_generation(object.kind()) {
        object.meta_mut().generation = Some(1);
    }
    match object {
        Object::Pod(pod) => {
            let pod = Arc::make_mut(pod);
            // A negative period means the shortest one.
            if let Some(seconds) =
                pod.spec.as_mut().and_then(|spec| spec.termination_grace_period_seconds.as_mut())
            {
                *seconds = if *seconds < 0 { 1 } else { *seconds };
            }
            let gated = pod
                .spec
                .as_ref()
                .and_then(|spec| spec.scheduling_gates.as_ref())
                .is_some_and(|g| !g.is_empty());
            let gate = PodCondition {
                type_: "PodScheduled".to_owned(),
                status: "False".to_owned(),
                reason: Some("SchedulingGated".to_owned()),
                message: Some("Scheduling is blocked due to non-empty scheduling gates".to_owned()),
                ..PodCondition::default()
            };
            pod.status = Some(PodStatus {
                phase: Some("Pending".to_owned()),
                qos_class: Some(qos::class(pod).to_owned()),
                conditions: gated.then(|| vec![gate]),
                ..PodStatus::default()
            });
        }
        Object::Namespace(namespace) => {
            let namespace = Arc::make_mut(namespace);
            namespace.status =
                Some(NamespaceStatus { phase: Some("Active".to_owned()), ..NamespaceStatus::default() });
            let finalizers =
                namespace.spec.get_or_insert_with(NamespaceSpec::default).finalizers.get_or_insert_default();
            if !finalizers.iter().any(|finalizer| finalizer == "kubernetes") {
                finalizers.push("kubernetes".to_owned());
            }
        }
        Object::PodGroup(group) => Arc::make_mut(group).status = None,
        Object::ClusterQueue(queue) => Arc::make_mut(queue).status = ClusterQueueStatus::default(),
        Object::LocalQueue(queue) => Arc::make_mut(queue).status = LocalQueueStatus::default(),
        Object::Workload(workload) => Arc::make_mut(workload).status = WorkloadStatus::default(),
        _ => {}
    }
}

/// Carries over from the old version what this request may not change.
pub(super) fn prepare_for_update(old: &Object, new: &mut Object, subresource: Subresource) {
    let kept = old.meta().clone();
    let meta = new.meta_mut();
    meta.resource_version = kept.resource_version;
    meta.uid = kept.uid;
    meta.creation_timestamp = kept.creation_timestamp;
    meta.deletion_timestamp = kept.deletion_timestamp;
    meta.deletion_grace_period_seconds = kept.deletion_grace_period_seconds;
    meta.generation = kept.generation;
    meta.self_link = None;
    meta.managed_fields = None;
    if subresource == Subresource::Status {
        meta.owner_references = kept.owner_references;
    }
    keep_untouchable(old, new, subresource);
    if spec_differs(old, new) {
        new.meta_mut().generation = old.meta().generation.map(|generation| generation + 1);
    }
}

/// A request to the object itself leaves its status alone, one to its status all the rest.
fn keep_untouchable(old: &Object, new: &mut Object, subresource: Subresource) {
    macro_rules! keep {
        ($old:ident, $new:ident, $($field:ident),*) => {{
            $(if $new.$field != $old.$field {
                Arc::make_mut($new).$field.clone_from(&$old.$field);
            })*
        }};
    }
    match (old, new, subresource) {
        (Object::Pod(old), Object::Pod(new), Subresource::None) => keep!(old, new, status),
        (Object::Pod(old), Object::Pod(new), Subresource::Status) => keep!(old, new, spec),
        (Object::Node(old), Object::Node(new), Subresource::None) => keep!(old, new, status),
        (Object::Node(old), Object::Node(new), Subresource::Status) => keep!(old, new, spec),
        (Object::PodGroup(old), Object::PodGroup(new), Subresource::None) => keep!(old, new, status),
        (Object::PodGroup(old), Object::PodGroup(new), Subresource::Status) => keep!(old, new, spec),
        (Object::ClusterQueue(old), Object::ClusterQueue(new), Subresource::None) => keep!(old, new, status),
        (Object::ClusterQueue(old), Object::ClusterQueue(new), Subresource::Status) => keep!(old, new, spec),
        (Object::LocalQueue(old), Object::LocalQueue(new), Subresource::None) => keep!(old, new, status),
        (Object::LocalQueue(old), Object::LocalQueue(new), Subresource::Status) => keep!(old, new, spec),
        (Object::Workload(old), Object::Workload(new), Subresource::None) => keep!(old, new, status),
        (Object::Workload(old), Object::Workload(new), Subresource::Status) => keep!(old, new, spec),
        // The finalizers in a namespace's spec have an endpoint of their own.
        (Object::Namespace(old), Object::Namespace(new), Subresource::None) => keep!(old, new, spec, status),
        (Object::Namespace(old), Object::Namespace(new), Subresource::Status) => keep!(old, new, spec),
        _ => {}
    }
}

fn spec_differs(old: &Object, new: &Object) -> bool {
    match (old, new) {
        (Object::Pod(old), Object::Pod(new)) => old.spec != new.spec,
        (Object::PodGroup(old), Object::PodGroup(new)) => old.spec != new.spec,
        (Object::ClusterQueue(old), Object::ClusterQueue(new)) => old.spec != new.spec,
        (Object::LocalQueue(old), Object::LocalQueue(new)) => old.spec != new.spec,
        (Object::ResourceFlavor(old), Object::ResourceFlavor(new)) => old.spec != new.spec,
        (Object::Workload(old), Object::Workload(new)) => old.spec != new.spec,
        (Object::PriorityClass(old), Object::PriorityClass(new)) => {
            old.description != new.description || old.global_default != new.global_default
        }
        _ => false,
    }
}
