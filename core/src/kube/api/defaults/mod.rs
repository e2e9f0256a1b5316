//! Defaulting: what the API server fills in where the caller said nothing
//! (`pkg/apis/*/v1/defaults.go`), and the canonical form of quantities.

mod container;
mod pod;

pub(super) use pod::requested_together;

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Node};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

use super::Object;
use super::bootstrap::NAME_LABEL;
use super::kueue::ClusterQueue;
use crate::kube::quantity::Amount;

/// Fills in the defaults of an object that a client sent.
pub(super) fn apply(object: &mut Object) {
    match object {
        Object::Pod(pod) => pod::apply(Arc::make_mut(pod)),
        Object::Node(node) => apply_node(Arc::make_mut(node)),
        Object::Namespace(namespace) => apply_namespace(Arc::make_mut(namespace)),
        Object::PriorityClass(class) => apply_priority_class(Arc::make_mut(class)),
        Object::ClusterQueue(queue) => apply_cluster_queue(Arc::make_mut(queue)),
        Object::LocalQueue(queue) => {
            Arc::make_mut(queue).spec.stop_policy.get_or_insert_with(|| "None".to_owned());
        }
        Object::Workload(workload) => {
            Arc::make_mut(workload).spec.active.get_or_insert(true);
        }
        Object::ConfigMap(_)
        | Object::Event(_)
        | Object::ServiceAccount(_)
        | Object::PodGroup(_)
        | Object::ResourceFlavor(_)
        | Object::WorkloadPriorityClass(_) => {}
    }
}

fn apply_namespace(namespace: &mut Namespace) {
    let Some(name) = namespace.metadata.name.clone().filter(|name| !name.is_empty()) else { return };
    namespace.metadata.labels.get_or_insert_default().insert(NAME_LABEL.to_owned(), name);
}

fn apply_node(node: &mut Node) {
    let Some(status) = &mut node.status else { return };
    resource_list(status.capacity.as_mut());
    resource_list(status.allocatable.as_mut());
    if status.allocatable.is_none() {
        status.allocatable.clone_from(&status.capacity);
    }
}

/// As the `default` of the fields in the resource's schema says.
fn apply_cluster_queue(queue: &mut ClusterQueue) {
    let spec = &mut queue.spec;
    let never = || "Never".to_owned();
    spec.queueing_strategy.get_or_insert_with(|| "BestEffortFIFO".to_owned());
    spec.stop_policy.get_or_insert_with(|| "None".to_owned());
    let preemption = spec.preemption.get_or_insert_default();
    preemption.within_cluster_queue.get_or_insert_with(never);
    preemption.reclaim_within_cohort.get_or_insert_with(never);
    preemption.borrow_within_cohort.get_or_insert_default().policy.get_or_insert_with(never);
}

fn apply_priority_class(class: &mut PriorityClass) {
    class.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".to_owned());
}

/// Rounds the amounts of a resource list up to thousandths and writes them canonically.
fn resource_list(list: Option<&mut BTreeMap<String, Text>>) {
    for text in list.into_iter().flat_map(BTreeMap::values_mut) {
        if let Ok(quantity) = Amount::try_from(&*text) {
            *text = quantity.round_up_to_milli().into();
        }
    }
}

fn canonical(text: Option<&mut Text>) {
    if let Some(text) = text
        && let Ok(quantity) = Amount::try_from(&*text)
    {
        *text = quantity.into();
    }
}
