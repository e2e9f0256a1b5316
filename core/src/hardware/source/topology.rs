//! How the devices of a machine are connected, as one table.

use std::fmt::Write as _;

use serde::Serialize;

use crate::hardware::{CpuSet, Link};

/// Every GPU and network card against every other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Topology {
    /// The GPUs, in the driver's order.
    pub gpus: Vec<TopologyGpu>,
    /// RDMA devices, such as `mlx5_0`.
    pub nics: Vec<String>,
    /// `links[a][b]`: first the GPUs, then the network cards. `None`: it is not known.
    #[serde(serialize_with = "words")]
    pub links: Vec<Vec<Option<Link>>>,
    /// `peer_links[a][b]`: the NVLinks of one GPU that end at another, without those that go through a switch. Slurm
    /// counts only these.
    #[serde(skip)]
    pub peer_links: Vec<Vec<u8>>,
}

/// Where a GPU sits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TopologyGpu {
    /// Its number.
    pub index: u32,
    /// The logical CPUs that are near.
    #[serde(serialize_with = "ranges")]
    pub cpus: Option<CpuSet>,
    /// NUMA node of its slot.
    pub numa: Option<u32>,
    /// NUMA node that its own memory is, on Grace systems.
    pub memory_numa: Option<u32>,
}

fn words<S: serde::Serializer>(links: &[Vec<Option<Link>>], serializer: S) -> Result<S::Ok, S::Error> {
    let word = |link: &Option<Link>| link.map(|link| link.to_string().trim().to_owned());
    let rows: Vec<Vec<Option<String>>> = links.iter().map(|row| row.iter().map(word).collect()).collect();
    rows.serialize(serializer)
}

#[allow(clippy::ref_option, reason = "serde calls it with a reference to the field")]
pub(super) fn ranges<S: serde::Serializer>(cpus: &Option<CpuSet>, serializer: S) -> Result<S::Ok, S::Error> {
    cpus.as_ref().map(ToString::to_string).serialize(serializer)
}

const LEGEND: &str = "
Legend:

  X    = Self
  SYS  = Connection traversing PCIe as well as the SMP interconnect between NUMA nodes (e.g., QPI/UPI)
  NODE = Connection traversing PCIe as well as the interconnect between PCIe Host Bridges within a NUMA node
  PHB  = Connection traversing PCIe as well as a PCIe Host Bridge (typically the CPU)
  PXB  = Connection traversing multiple PCIe bridges (without traversing the PCIe Host Bridge)
  PIX  = Connection traversing at most a single PCIe bridge
  NV#  = Connection traversing a bonded set of # NVLinks
";

impl Topology {
    /// The text of `nvidia-smi topo -m`: tabs between the cells. The real program underlines the header, even into a
    /// file.
    pub fn matrix(&self, underlined: bool) -> String {
        let (on, off) = if underlined { ("\x1b[4m", "\x1b[0m") } else { ("", "") };
        let cell = |link: Option<Link>| link.map_or_else(|| "N/A".to_owned(), |link| link.to_string());
        let number = |numa: Option<u32>| numa.map_or_else(|| "N/A".to_owned(), |numa| numa.to_string());
        let mut text = format!("\t{on}");
        for gpu in &self.gpus {
            let _ = write!(text, "GPU{}\t", gpu.index);
        }
        for nic in 0..self.nics.len() {
            let _ = write!(text, "NIC{nic}\t");
        }
        let _ = writeln!(text, "CPU Affinity\tNUMA Affinity\tGPU NUMA ID{off}");
        for (i, row) in self.links.iter().enumerate() {
            let gpu = self.gpus.get(i);
            match gpu {
                Some(gpu) => {
                    let _ = write!(text, "GPU{}\t", gpu.index);
                }
                None => {
                    let _ = write!(text, "NIC{}\t", i - self.gpus.len());
                }
            }
            for link in row {
                let _ = write!(text, "{}\t", cell(*link));
            }
            match gpu {
                Some(gpu) => {
                    let cpus = gpu.cpus.as_ref().map_or_else(|| "N/A".to_owned(), CpuSet::to_string);
                    let _ = writeln!(text, "{cpus}\t{}\t\t{}", number(gpu.numa), number(gpu.memory_numa));
                }
                None => text += "\t\t\t\n",
            }
        }
        text += LEGEND;
        if !self.nics.is_empty() {
            text += "\nNIC Legend:\n\n";
            for (i, name) in self.nics.iter().enumerate() {
                let _ = writeln!(text, "  NIC{i}: {name}");
            }
            text += "\n";
        }
        text
    }
}
