//! Validation: what may be stored, with the field path and the words of the real API server
//! (`pkg/apis/core/validation`).
//!
//! Errors come in the order in which the real one looks, one file per part of the API. Not modelled: Windows, SELinux and
//! AppArmor, device claims, the rarer sources of volumes; they are stored as they come.

mod container;
mod environment;
mod field;
mod go_spec;
mod kueue;
mod meta;
mod names;
mod other;
mod placement;
mod pod;
mod probe;
mod resources;
mod update;
mod volume;

pub use names::{
    is_config_map_key, is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_valid_label_value,
};

use super::{Object, Status, Subresource};
use field::Errors;
pub(super) use field::go_quote;

/// What is wrong with a new object, as field and problem; empty if nothing is.
pub(super) fn problems_of_new(object: &Object) -> Vec<(String, String)> {
    let mut errors = Errors::default();
    meta::validate(object.kind(), object.meta(), &mut errors);
    meta::finalizer_names(object.meta(), &mut errors);
    validate_content(object, &mut errors);
    if let Object::Pod(new) = object {
        pod::validate_new(new, &mut errors);
    }
    errors.into_causes()
}

fn validate_content(object: &Object, errors: &mut Errors) {
    match object {
        Object::Node(node) => other::node(node, errors),
        Object::ConfigMap(map) => other::config_map(map, errors),
        Object::PriorityClass(class) => other::priority_class(class, errors),
        Object::PodGroup(group) => kueue::pod_group(group, errors),
        Object::ClusterQueue(queue) => kueue::cluster_queue(queue, errors),
        Object::LocalQueue(queue) => kueue::local_queue(queue, errors),
        Object::ResourceFlavor(flavor) => kueue::resource_flavor(flavor, errors),
        Object::Workload(workload) => kueue::workload(workload, errors),
        Object::Pod(_)
        | Object::Event(_)
        | Object::Namespace(_)
        | Object::ServiceAccount(_)
        | Object::WorkloadPriorityClass(_) => {}
    }
}

pub(super) fn on_create(object: &Object) -> Result<(), Status> {
    refuse(object, problems_of_new(object))
}

pub(super) fn on_update(old: &Object, new: &Object, subresource: Subresource) -> Result<(), Status> {
    let mut errors = Errors::default();
    meta::validate(new.kind(), new.meta(), &mut errors);
    meta::validate_update(new.meta(), old.meta(), &mut errors);
    meta::finalizer_names(new.meta(), &mut errors);
    if subresource == Subresource::None {
        validate_content(new, &mut errors);
        match (new, old) {
            (Object::Pod(new), Object::Pod(old)) => {
                if let Some(spec) = &new.spec {
                    pod::validate(spec, &mut errors);
                }
                update::validate(new, old, &mut errors);
            }
            (Object::ConfigMap(new), Object::ConfigMap(old)) => {
                other::config_map_update(new, old, &mut errors);
            }
            (Object::Node(new), Object::Node(old)) => other::node_update(new, old, &mut errors),
            (Object::PriorityClass(new), Object::PriorityClass(old)) => {
                other::priority_class_update(new, old, &mut errors);
            }
            _ => {}
        }
    }
    refuse(new, errors.into_causes())
}

fn refuse(object: &Object, causes: Vec<(String, String)>) -> Result<(), Status> {
    if causes.is_empty() {
        return Ok(());
    }
    let info = object.kind().info();
    let kind =
        if info.group.is_empty() { info.kind.to_owned() } else { format!("{}.{}", info.kind, info.group) };
    Err(Status { kind: info.kind.to_owned(), ..Status::invalid(&kind, object.name(), causes) })
}

#[cfg(test)]
mod tests;
