//! Which slot hangs where: PCI addresses of GPUs and network cards, and who
//! shares a PCIe switch with whom.

use super::{Nic, NicKind, PciAddress, PciePath, SystemModel};

impl SystemModel {
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

#[cfg(test)]
mod tests {
    use super::*;

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
