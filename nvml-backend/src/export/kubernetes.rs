//! The machine as a Kubernetes `Node`.

use std::collections::{BTreeMap, BTreeSet};

use clusterlab::hardware::source::Inventory;
use clusterlab::hardware::source::labels::{GPU_RESOURCE, MigStrategy, feature_discovery, resources};
use k8s_openapi::api::core::v1::{Node, NodeStatus, NodeSystemInfo};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{HostFacts, Sysfs};

/// The pods that a kubelet takes by default.
const MAX_PODS: u32 = 110;

/// The node that a kubelet with NVIDIA's device plugin and GPU feature discovery would make of this machine: its
/// labels, capacity and what of it can be allocated. It has no conditions and no addresses: no kubelet has reported.
///
/// A GPU that does not answer counts to the capacity and cannot be allocated.
pub fn node(host: &HostFacts, inventory: &Inventory, sysfs: &Sysfs, strategy: MigStrategy) -> Node {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let name = host.hostname.to_lowercase();
    let mut labels = feature_discovery(inventory, &host.machine, strategy);
    if !labels.is_empty() {
        labels.insert("nvidia.com/gpu.mode".to_owned(), mode(inventory, sysfs).to_owned());
    }
    for (key, value) in [
        ("kubernetes.io/hostname", name.as_str()),
        ("kubernetes.io/arch", arch),
        ("kubernetes.io/os", std::env::consts::OS),
    ] {
        labels.insert(key.to_owned(), value.to_owned());
    }
    let offered = resources(inventory, strategy);
    let lost = inventory.gpus.iter().filter(|slot| slot.read.is_err()).count();
    let list = |lost: usize| {
        let mut list = BTreeMap::from([
            ("cpu".to_owned(), Quantity(host.cpus.to_string())),
            ("memory".to_owned(), Quantity(format!("{}Ki", host.memory_kib))),
            ("pods".to_owned(), Quantity(MAX_PODS.to_string())),
        ]);
        let mut offered = offered.clone();
        if lost > 0 {
            *offered.entry(GPU_RESOURCE.to_owned()).or_default() += lost;
        }
        list.extend(offered.into_iter().map(|(name, count)| (name, Quantity(count.to_string()))));
        list
    };
    Node {
        metadata: ObjectMeta { name: Some(name), labels: Some(labels), ..ObjectMeta::default() },
        spec: None,
        status: Some(NodeStatus {
            capacity: Some(list(lost)),
            allocatable: Some(list(0)),
            node_info: Some(NodeSystemInfo {
                architecture: arch.to_owned(),
                boot_id: host.boot_id.clone(),
                kernel_version: host.kernel.clone(),
                machine_id: host.machine_id.clone(),
                operating_system: std::env::consts::OS.to_owned(),
                os_image: host.os.clone(),
                ..NodeSystemInfo::default()
            }),
            ..NodeStatus::default()
        }),
    }
}

/// The label `nvidia.com/gpu.mode`, by the PCI class: display controllers are `graphics`, 3D controllers `compute`.
/// Of GPUs of different classes the first decides, as with the real program.
fn mode(inventory: &Inventory, sysfs: &Sysfs) -> &'static str {
    let classes: BTreeSet<String> =
        inventory.answering().take(1).filter_map(|(_, gpu)| sysfs.class(gpu.pci)).collect();
    match classes.first().map(String::as_str) {
        Some("0x030000") => "graphics",
        Some("0x030200") => "compute",
        _ => "unknown",
    }
}
