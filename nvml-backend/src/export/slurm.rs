//! The machine as lines of `slurm.conf` and `gres.conf`.

use std::collections::BTreeMap;

use clusterlab::hardware::source::{GpuInfo, Inventory, Topology};
use clusterlab::hardware::{CpuSet, GpuModel};

use crate::HostFacts;

/// Lines for Slurm's two files, each ended by a newline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SlurmLines {
    /// For `slurm.conf`.
    pub slurm_conf: String,
    /// For `gres.conf`: what `AutoDetect=nvml` finds, written out.
    pub gres_conf: String,
    /// What the lines leave out, one sentence each.
    pub left_out: Vec<String>,
}

/// The machine's lines. `Type`, `File`, `Cores` and `Links` are those that `slurmd -G` prints with `AutoDetect=nvml`:
/// NVLinks to a switch do not count as links to a GPU there.
pub fn slurm(host: &HostFacts, inventory: &Inventory, topology: &Topology) -> SlurmLines {
    let mut lines = SlurmLines::default();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (index, gpu) in inventory.answering() {
        if gpu.mig.enabled {
            lines.left_out.push(format!(
                "not modelled: MIG devices of GPU {index} as gres.conf lines; AutoDetect=nvml finds them"
            ));
            continue;
        }
        let Some(minor) = gpu.minor else {
            lines.left_out.push(format!("GPU {index} has no device file"));
            continue;
        };
        let kind = gres_type(gpu);
        *counts.entry(kind.clone()).or_default() += 1;
        let cores = gpu.cpus.as_ref().map(|cpus| cores(host, cpus)).filter(|cores| !cores.0.is_empty());
        let cores = cores.map_or_else(String::new, |cores| format!(" Cores={cores}"));
        let links = topology.peer_links.get(index as usize).map_or_else(String::new, |links| {
            let shown = links.iter().enumerate().map(|(other, links)| {
                if other == index as usize { "-1".to_owned() } else { links.to_string() }
            });
            format!(" Links={}", shown.collect::<Vec<_>>().join(","))
        });
        lines.gres_conf += &format!(
            "NodeName={} Name=gpu Type={kind} File=/dev/nvidia{minor}{cores}{links}\n",
            host.hostname
        );
    }
    for slot in inventory.gpus.iter().filter(|slot| slot.read.is_err()) {
        lines.left_out.push(format!("GPU {} does not answer", slot.index));
    }
    let gres: Vec<String> = counts.iter().map(|(kind, count)| format!("gpu:{kind}:{count}")).collect();
    let gres = if gres.is_empty() { String::new() } else { format!(" Gres={}", gres.join(",")) };
    let memory =
        if host.memory_kib == 0 { String::new() } else { format!(" RealMemory={}", host.memory_kib / 1024) };
    lines.slurm_conf = format!(
        "GresTypes=gpu\nNodeName={} CPUs={} Boards=1 SocketsPerBoard={} CoresPerSocket={} ThreadsPerCore={}{memory}{gres} \
         State=UNKNOWN\n",
        host.hostname, host.cpus, host.sockets, host.cores_per_socket, host.threads_per_core
    );
    lines
}

/// The type that `AutoDetect=nvml` gives: the name in lower case, blanks as underscores.
fn gres_type(gpu: &GpuInfo) -> String {
    match GpuModel::ALL.iter().map(|model| model.spec()).find(|spec| spec.name == gpu.name) {
        Some(spec) => spec.gres_type(),
        None => gpu.name.trim().to_lowercase().replace(' ', "_"),
    }
}

/// The cores (Slurm counts them socket by socket) that logical CPUs belong to.
fn cores(host: &HostFacts, cpus: &CpuSet) -> CpuSet {
    let mut cores: Vec<u32> = cpus
        .0
        .iter()
        .flat_map(|(first, last)| *first..=(*last).min(host.cpus.saturating_sub(1)))
        .filter_map(|cpu| host.core_of.get(cpu as usize).copied())
        .collect();
    cores.sort_unstable();
    cores.dedup();
    CpuSet::from_ascending(cores)
}
