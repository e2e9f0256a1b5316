//! The machine as a lab: what you have, in the browser.

use std::collections::BTreeSet;

use clusterlab::hardware::source::{GpuInfo, Inventory};
use clusterlab::hardware::{Driver, GpuGroup, GpuModel, SystemModel};
use clusterlab::lab::{LabSpec, NodeSpec};

use crate::HostFacts;

/// A lab with this machine in it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabExport {
    /// The spec; [`LabSpec::from_yaml`] reads its YAML.
    pub spec: LabSpec,
    /// What the lab does not show of the machine, one sentence each.
    pub left_out: Vec<String>,
}

/// A machine that no lab can have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotModelled {
    /// A GPU that is not in the catalogue.
    #[error(
        "not modelled: the lab's catalogue has no {0:?}; --gpu-model takes one of {catalogue} in its place",
        catalogue = GpuModel::ALL.map(GpuModel::id).join(", ")
    )]
    Model(String),
    /// Two models in one machine.
    #[error("not modelled: GPUs of several models in one machine ({0}); --gpu-model takes one for all")]
    Mixed(String),
}

/// The lab. `stand_in` is the model that all GPUs shall be, if the catalogue lacks theirs.
///
/// # Errors
///
/// [`NotModelled`] if the catalogue lacks the GPU, or the machine has several models.
pub fn lab_spec(
    host: &HostFacts,
    inventory: &Inventory,
    stand_in: Option<GpuModel>,
) -> Result<LabExport, NotModelled> {
    let gpus: Vec<(u32, &GpuInfo)> = inventory.answering().collect();
    let mut left_out = Vec::new();
    let names: BTreeSet<&str> = gpus.iter().map(|(_, gpu)| gpu.name.as_str()).collect();
    let model = match (stand_in, gpus.first()) {
        (_, None) => None,
        (Some(model), Some(_)) => {
            if names.iter().any(|name| *name != model.spec().name) {
                left_out.push(format!("{} stands for {}", model.spec().name, list(&names)));
            }
            Some(model)
        }
        (None, Some((_, first))) if names.len() == 1 => {
            Some(catalogued(first).ok_or_else(|| NotModelled::Model(first.name.clone()))?)
        }
        (None, Some(_)) => return Err(NotModelled::Mixed(list(&names))),
    };
    for (index, gpu) in &gpus {
        if gpu.mig.enabled {
            left_out.push(format!("not modelled: MIG devices; GPU {index} is whole in the lab"));
        }
    }
    for slot in inventory.gpus.iter().filter(|slot| slot.read.is_err()) {
        left_out.push(format!("GPU {} does not answer and is not in the lab", slot.index));
    }
    let count = gpus.len() as u32;
    // A system with the very GPUs, if there is one: it has their wiring.
    let own = |system: &SystemModel| system.spec().gpus == model.map(|model| (model, count));
    let system = SystemModel::ALL.into_iter().find(own).unwrap_or(SystemModel::Server);
    let driver = inventory.driver_version.clone().filter(|_| count > 0).map(|version| Driver {
        version,
        cuda: inventory.cuda_version.map_or_else(String::new, |(major, minor)| format!("{major}.{minor}")),
    });
    let node = NodeSpec {
        name: host.hostname.to_lowercase().replace('_', "-"),
        system,
        count: None,
        cpus: (system.spec().cpu.logical() != host.cpus).then_some(host.cpus),
        memory_mib: (host.memory_kib > 0).then_some(host.memory_kib / 1024),
        gpus: (system.spec().gpus.map_or(0, |(_, count)| count) != count)
            .then_some(GpuGroup { count, model }),
        driver,
        labels: std::collections::BTreeMap::new(),
        taints: Vec::new(),
        zone: None,
        region: None,
    };
    let spec = LabSpec { name: host.hostname.clone(), nodes: vec![node], ..LabSpec::default() };
    Ok(LabExport { spec, left_out })
}

fn list(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

/// The catalogue's model: by its PCI id, which tells cards of one name apart; else by its name.
fn catalogued(gpu: &GpuInfo) -> Option<GpuModel> {
    let by = |same: &dyn Fn(&GpuModel) -> bool| GpuModel::ALL.into_iter().find(same);
    by(&|model| model.spec().name == gpu.name && Some(model.spec().pci_device_id) == gpu.pci_device_id)
        .or_else(|| by(&|model| model.spec().name == gpu.name))
}
