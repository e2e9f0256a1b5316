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

    /// PCI bus and place of each of `count` GPUs, in the order in which the
    /// driver counts them (ascending bus).
    pub(super) fn gpu_slots(self, count: u32) -> Vec<(PciAddress, PciePath)> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let board: &[Slot] = match self {
            Self::DgxA100 => &DGX_A100_GPUS,
            Self::DgxH100 | Self::DgxH200 | Self::DgxB200 => &DGX_H100_GPUS,
            _ => &[],
        };
        if count <= board.len() {
            return board[..count].iter().map(|slot| (PciAddress::bus(slot.bus), slot.path())).collect();
        }
        // A server has its slots half at each socket, every one on a host bridge of its own.
        let buses: [&[u8]; 2] = match (self, count) {
            (Self::T4Server, 0..=4) => [&[0x3b, 0x5e], &[0xaf, 0xd8]],
            (_, 0..=8) => [&[0x01, 0x25, 0x41, 0x61], &[0x81, 0xa1, 0xc1, 0xe1]],
            _ => [
                &[0x01, 0x11, 0x21, 0x31, 0x41, 0x51, 0x61, 0x71],
                &[0x81, 0x91, 0xa1, 0xb1, 0xc1, 0xd1, 0xe1, 0xf1],
            ],
        };
        let near = count.div_ceil(2);
        let first = buses[0].iter().take(near).map(|bus| (0, *bus));
        let second = buses[1].iter().take(count - near).map(|bus| (1, *bus));
        first.chain(second).map(|(numa, bus)| (PciAddress::bus(bus), own_host_bridge(numa, bus))).collect()
    }

    /// Its network cards.
    pub(super) fn nics(self) -> Vec<Nic> {
        let (ports, gbit_per_s): (&[Slot], u32) = match self {
            Self::DgxA100 => (&DGX_A100_NICS, 200),
            Self::DgxH100 | Self::DgxH200 | Self::DgxB200 => (&DGX_H100_NICS, 400),
            // Plain servers: one dual-port 25 GbE card without RDMA in use.
            Self::L40sServer | Self::T4Server | Self::Server => {
                return (0..2)
                    .map(|function| Nic {
                        name: String::new(),
                        kind: NicKind::Ethernet,
                        gbit_per_s: 25,
                        pci: PciAddress { function, ..PciAddress::bus(0x1a) },
                        path: PciePath { bridge: Some(0x1a), ..own_host_bridge(0, 0x1a) },
                    })
                    .collect();
            }
        };
        ports
            .iter()
            .enumerate()
            .map(|(i, slot)| Nic {
                name: format!("mlx5_{i}"),
                kind: if slot.switch == 0 { NicKind::Ethernet } else { NicKind::InfiniBand },
                gbit_per_s: if slot.switch == 0 { 200 } else { gbit_per_s },
                pci: PciAddress { function: slot.function, ..PciAddress::bus(slot.bus) },
                path: slot.path(),
            })
            .collect()
    }
}

/// A device of a DGX: where it sits.
#[derive(Clone, Copy)]
struct Slot {
    bus: u8,
    function: u8,
    numa: u8,
    /// The PCIe switch that it shares with its neighbours; 0: none.
    switch: u16,
}

impl Slot {
    fn path(self) -> PciePath {
        if self.switch == 0 {
            PciePath { bridge: Some(u16::from(self.bus)), ..own_host_bridge(self.numa, self.bus) }
        } else {
            PciePath { numa: self.numa, host_bridge: self.switch, switch: Some(self.switch), bridge: None }
        }
    }
}

/// The place of a device that shares nothing: bus numbers make the host bridge
/// unique, well above those of the switches.
fn own_host_bridge(numa: u8, bus: u8) -> PciePath {
    PciePath { numa, host_bridge: 0x100 + u16::from(bus), switch: None, bridge: None }
}

const fn slot(bus: u8, numa: u8, switch: u16) -> Slot {
    Slot { bus, function: 0, numa, switch }
}

const fn port(bus: u8, function: u8, numa: u8) -> Slot {
    Slot { bus, function, numa, switch: 0 }
}

const DGX_A100_GPUS: [Slot; 8] = [
    slot(0x07, 3, 1),
    slot(0x0f, 3, 1),
    slot(0x47, 1, 2),
    slot(0x4e, 1, 2),
    slot(0x87, 7, 3),
    slot(0x90, 7, 3),
    slot(0xb7, 5, 4),
    slot(0xbd, 5, 4),
];

/// Compute ports beside the GPUs, and one dual-port storage card in between.
const DGX_A100_NICS: [Slot; 10] = [
    slot(0x0c, 3, 1),
    slot(0x12, 3, 1),
    slot(0x4b, 1, 2),
    slot(0x54, 1, 2),
    port(0x61, 0, 0),
    port(0x61, 1, 0),
    slot(0x8d, 7, 3),
    slot(0x94, 7, 3),
    slot(0xba, 5, 4),
    slot(0xcc, 5, 4),
];

const DGX_H100_GPUS: [Slot; 8] = [
    slot(0x1b, 0, 1),
    slot(0x43, 0, 2),
    slot(0x52, 0, 3),
    slot(0x61, 0, 4),
    slot(0x9d, 1, 5),
    slot(0xc3, 1, 6),
    slot(0xd1, 1, 7),
    slot(0xdf, 1, 8),
];

/// One compute port per GPU, and two dual-port storage cards, one per socket.
const DGX_H100_NICS: [Slot; 12] = [
    slot(0x18, 0, 1),
    port(0x29, 0, 0),
    port(0x29, 1, 0),
    slot(0x40, 0, 2),
    slot(0x4f, 0, 3),
    slot(0x5e, 0, 4),
    slot(0x9a, 1, 5),
    port(0xaa, 0, 1),
    port(0xaa, 1, 1),
    slot(0xc0, 1, 6),
    slot(0xce, 1, 7),
    slot(0xdc, 1, 8),
];

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

    #[test]
    fn slots_ascend_and_none_is_used_twice() {
        for system in SystemModel::ALL {
            for count in 0..=16 {
                let slots = system.gpu_slots(count);
                assert_eq!(slots.len(), count as usize, "{system} with {count}");
                assert!(slots.is_sorted_by(|a, b| a.0 < b.0), "{system} with {count}");
            }
        }
    }
}
