//! The plugins of kube-scheduler v1.36, one file each.

mod default_binder;
mod default_preemption;
mod dynamic_resources;
mod gang_scheduling;
mod image_locality;
mod inter_pod_affinity;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources;
mod node_unschedulable;
mod node_volume_limits;
mod pod_group_pods_count;
mod pod_topology_spread;
mod priority_sort;
mod scheduling_gates;
mod taint_toleration;
mod topology_placement;
mod volume_binding;
mod volume_restrictions;
mod volume_zone;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::framework::Factory;

/// The default plugins in their order, with the weights of their scores (`apis/config/v1/default_plugins.go`).
///
/// Plugins of features that no pod here can use yet are absent; a pod that would
/// need one is refused with `not modelled`.
pub(super) const DEFAULT: &[(&str, i64, Factory)] = &[
    (scheduling_gates::NAME, 0, scheduling_gates::new),
    (priority_sort::NAME, 0, priority_sort::new),
    (node_unschedulable::NAME, 0, node_unschedulable::new),
    (node_name::NAME, 0, node_name::new),
    (taint_toleration::NAME, 3, taint_toleration::new),
    (node_affinity::NAME, 2, node_affinity::new),
    (node_ports::NAME, 0, node_ports::new),
    (node_resources::FIT_NAME, 1, node_resources::new_fit),
    (volume_restrictions::NAME, 0, volume_restrictions::new),
    (node_volume_limits::NAME, 0, node_volume_limits::new),
    (volume_binding::NAME, 0, volume_binding::new),
    (volume_zone::NAME, 0, volume_zone::new),
    (pod_topology_spread::NAME, 2, pod_topology_spread::new),
    (inter_pod_affinity::NAME, 2, inter_pod_affinity::new),
    (dynamic_resources::NAME, 2, dynamic_resources::new),
    (default_preemption::NAME, 0, default_preemption::new),
    (node_resources::BALANCED_NAME, 1, node_resources::new_balanced),
    (image_locality::NAME, 1, image_locality::new),
    (default_binder::NAME, 0, default_binder::new),
    (gang_scheduling::NAME, 0, gang_scheduling::new),
    (topology_placement::NAME, 0, topology_placement::new),
    (pod_group_pods_count::NAME, 1, pod_group_pods_count::new),
];

pub(super) use gang_scheduling::NAME as GANG_SCHEDULING;

/// Reads the arguments of a plugin; null stands for its defaults.
pub(super) fn arguments<T: DeserializeOwned + Default>(args: &Value) -> Result<T, String> {
    let Value::Object(fields) = args else {
        return if args.is_null() { Ok(T::default()) } else { Err("args must be an object".to_owned()) };
    };
    let mut fields = fields.clone();
    fields.remove("apiVersion");
    fields.remove("kind");
    serde_json::from_value(Value::Object(fields)).map_err(|error| error.to_string())
}

/// For plugins without arguments.
pub(super) fn no_arguments(args: &Value) -> Result<(), String> {
    if args.is_null() { Ok(()) } else { Err("this plugin takes no args".to_owned()) }
}
