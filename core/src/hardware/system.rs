//! The catalogue of systems: the machines that labs are built of.
//!
//! DGX systems follow NVIDIA's user guides (processors, memory, PCI addresses,
//! which network card shares a PCIe switch with which GPU); the plain servers
//! are typical two-socket machines.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{GpuModel, PciAddress, PciePath};

/// The processors of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cpu {
    /// Model name, as `/proc/cpuinfo` has it.
    pub model: &'static str,
    /// Sockets.
    pub sockets: u32,
    /// Cores of one socket.
    pub cores_per_socket: u32,
    /// Hardware threads of one core.
    pub threads_per_core: u32,
    /// NUMA nodes of one socket.
    pub numa_per_socket: u32,
}

impl Cpu {
    /// Physical cores.
    pub const fn cores(&self) -> u32 {
        self.sockets * self.cores_per_socket
    }

    /// Logical CPUs, which is what Kubernetes counts as `cpu`.
    pub const fn logical(&self) -> u32 {
        self.cores() * self.threads_per_core
    }

    /// NUMA nodes.
    pub const fn numa_nodes(&self) -> u32 {
        self.sockets * self.numa_per_socket
    }

    /// The same processors with `logical` CPUs: sockets, threads and NUMA nodes
    /// stay where the number divides by them, else it is one socket of single
    /// threads, as in a virtual machine.
    #[must_use]
    pub const fn with_logical(self, logical: u32) -> Self {
        let threads = self.sockets * self.threads_per_core;
        if logical.is_multiple_of(threads * self.numa_per_socket) {
            Self { cores_per_socket: logical / threads, ..self }
        } else {
            Self { sockets: 1, cores_per_socket: logical, threads_per_core: 1, numa_per_socket: 1, ..self }
        }
    }
}

/// What a network card speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum NicKind {
    /// InfiniBand.
    InfiniBand,
    /// Ethernet.
    Ethernet,
}

/// A port of a network card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Nic {
    /// RDMA device name, such as `mlx5_0`; empty if it has no RDMA.
    pub name: String,
    /// What it speaks.
    pub kind: NicKind,
    /// Line rate, in Gbit/s.
    pub gbit_per_s: u32,
    /// PCI address.
    pub pci: PciAddress,
    /// Where it hangs in the PCIe tree.
    pub path: PciePath,
}

/// What is fixed about a system.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SystemSpec {
    /// The name in this catalogue, as a lab's description uses it.
    pub id: &'static str,
    /// Its maker's name for it.
    pub product: &'static str,
    /// Processors.
    pub cpu: Cpu,
    /// Main memory, in MiB.
    pub memory_mib: u64,
    /// Local disks for images and scratch, in GB (10⁹ bytes).
    pub local_storage_gb: u64,
    /// GPUs as delivered: model and number.
    pub gpus: Option<(GpuModel, u32)>,
    /// Whether NVSwitches connect all GPUs.
    pub nvswitch: bool,
    /// Driver that it is delivered with, and the newest CUDA that it supports.
    pub driver: (&'static str, &'static str),
}

/// A system of the catalogue, written by its [id](SystemSpec::id).
///
/// ```
/// use clusterlab::hardware::SystemModel;
///
/// let dgx: SystemModel = "dgx-h100".parse().unwrap();
/// assert_eq!(dgx.spec().cpu.logical(), 224);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SystemModel {
    /// DGX A100 640GB: 8 × A100 80 GB.
    DgxA100,
    /// DGX H100: 8 × H100.
    DgxH100,
    /// DGX H200: 8 × H200.
    DgxH200,
    /// DGX B200: 8 × B200.
    DgxB200,
    /// A server with 8 × L40S.
    L40sServer,
    /// A server with 4 × T4.
    T4Server,
    /// A server without GPUs; some may be put in.
    Server,
}

impl SystemModel {
    /// The whole catalogue.
    pub const ALL: [Self; 7] = [
        Self::DgxA100,
        Self::DgxH100,
        Self::DgxH200,
        Self::DgxB200,
        Self::L40sServer,
        Self::T4Server,
        Self::Server,
    ];

    /// Its row of the catalogue.
    pub const fn spec(self) -> &'static SystemSpec {
        match self {
            Self::DgxA100 => &DGX_A100,
            Self::DgxH100 => &DGX_H100,
            Self::DgxH200 => &DGX_H200,
            Self::DgxB200 => &DGX_B200,
            Self::L40sServer => &L40S_SERVER,
            Self::T4Server => &T4_SERVER,
            Self::Server => &SERVER,
        }
    }

    /// The name in this catalogue.
    pub const fn id(self) -> &'static str {
        self.spec().id
    }
}

const GIB: u64 = 1024;

const DGX_A100: SystemSpec = SystemSpec {
    id: "dgx-a100",
    product: "NVIDIA DGX A100 640GB",
    cpu: Cpu {
        model: "AMD EPYC 7742 64-Core Processor",
        sockets: 2,
        cores_per_socket: 64,
        threads_per_core: 2,
        numa_per_socket: 4,
    },
    memory_mib: 2048 * GIB,
    local_storage_gb: 30_720,
    gpus: Some((GpuModel::A100Sxm4_80, 8)),
    nvswitch: true,
    driver: ("550.163.01", "12.4"),
};

const DGX_H100: SystemSpec = SystemSpec {
    id: "dgx-h100",
    product: "NVIDIA DGX H100",
    cpu: Cpu {
        model: "Intel(R) Xeon(R) Platinum 8480C",
        sockets: 2,
        cores_per_socket: 56,
        threads_per_core: 2,
        numa_per_socket: 1,
    },
    memory_mib: 2048 * GIB,
    local_storage_gb: 30_720,
    gpus: Some((GpuModel::H100Sxm5, 8)),
    nvswitch: true,
    driver: ("550.163.01", "12.4"),
};

const DGX_H200: SystemSpec = SystemSpec {
    id: "dgx-h200",
    product: "NVIDIA DGX H200",
    gpus: Some((GpuModel::H200Sxm5, 8)),
    ..DGX_H100
};

const DGX_B200: SystemSpec = SystemSpec {
    id: "dgx-b200",
    product: "NVIDIA DGX B200",
    cpu: Cpu { model: "INTEL(R) XEON(R) PLATINUM 8570", ..DGX_H100.cpu },
    gpus: Some((GpuModel::B200, 8)),
    // The 550 branch does not know Blackwell.
    driver: ("570.133.20", "12.8"),
    ..DGX_H100
};

const L40S_SERVER: SystemSpec = SystemSpec {
    id: "l40s-server",
    product: "GPU server, 8 x L40S",
    cpu: Cpu {
        model: "AMD EPYC 9354 32-Core Processor",
        sockets: 2,
        cores_per_socket: 32,
        threads_per_core: 2,
        numa_per_socket: 1,
    },
    memory_mib: 768 * GIB,
    local_storage_gb: 7_680,
    gpus: Some((GpuModel::L40s, 8)),
    nvswitch: false,
    driver: ("550.163.01", "12.4"),
};

const T4_SERVER: SystemSpec = SystemSpec {
    id: "t4-server",
    product: "GPU server, 4 x T4",
    cpu: Cpu {
        model: "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz",
        sockets: 2,
        cores_per_socket: 20,
        threads_per_core: 2,
        numa_per_socket: 1,
    },
    memory_mib: 384 * GIB,
    local_storage_gb: 3_840,
    gpus: Some((GpuModel::T4, 4)),
    nvswitch: false,
    driver: ("550.163.01", "12.4"),
};

const SERVER: SystemSpec = SystemSpec {
    id: "server",
    product: "Server",
    cpu: Cpu {
        model: "Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz",
        sockets: 2,
        cores_per_socket: 16,
        threads_per_core: 2,
        numa_per_socket: 1,
    },
    memory_mib: 256 * GIB,
    local_storage_gb: 1_920,
    gpus: None,
    nvswitch: false,
    driver: ("550.163.01", "12.4"),
};

/// A name that is not in the catalogue of systems.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown system {name:?}: the catalogue has {}", SystemModel::ALL.map(SystemModel::id).join(", "))]
pub struct UnknownSystem {
    /// The name that was asked for.
    pub name: String,
}

impl FromStr for SystemModel {
    type Err = UnknownSystem;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let wanted = name.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|model| model.id() == wanted)
            .ok_or_else(|| UnknownSystem { name: name.to_owned() })
    }
}

impl fmt::Display for SystemModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for SystemModel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for SystemModel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_system_is_found_by_its_id() {
        for system in SystemModel::ALL {
            assert_eq!(system.id().parse(), Ok(system));
        }
        insta::assert_snapshot!(
            "cray".parse::<SystemModel>().unwrap_err(),
            @r#"unknown system "cray": the catalogue has dgx-a100, dgx-h100, dgx-h200, dgx-b200, l40s-server, t4-server, server"#
        );
    }

    #[test]
    fn other_cpu_counts_keep_the_sockets_where_they_can() {
        let cpu = SystemModel::DgxH100.spec().cpu;
        let check = |logical, sockets, cores, threads| {
            let cpu = cpu.with_logical(logical);
            assert_eq!((cpu.sockets, cpu.cores_per_socket, cpu.threads_per_core), (sockets, cores, threads));
            assert_eq!(cpu.logical(), logical);
        };
        check(224, 2, 56, 2);
        check(8, 2, 2, 2);
        check(6, 1, 6, 1);
        check(1, 1, 1, 1);
    }
}
