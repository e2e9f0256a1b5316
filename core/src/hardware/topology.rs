//! How two devices of a machine are connected, in the words of
//! `nvidia-smi topo -m`.
//!
//! A device hangs in a tree: NUMA node, PCIe host bridge, switch, slot. The
//! lowest level that two devices share decides the word; NVLink, where there is
//! some, comes before PCIe (NVML: `nvmlDeviceGetTopologyCommonAncestor`).

use std::fmt;

use serde::Serialize;

/// A connection between two devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Link {
    /// The device itself.
    X,
    /// A bonded set of that many NVLinks.
    NvLink(u8),
    /// At most a single PCIe bridge.
    Pix,
    /// Several PCIe bridges, but not the host bridge.
    Pxb,
    /// PCIe and a PCIe host bridge (typically the CPU).
    Phb,
    /// PCIe and the interconnect between host bridges within a NUMA node.
    Node,
    /// PCIe and the interconnect between NUMA nodes.
    Sys,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X => f.pad(" X "),
            Self::NvLink(links) => f.pad(&format!("NV{links}")),
            Self::Pix => f.pad("PIX"),
            Self::Pxb => f.pad("PXB"),
            Self::Phb => f.pad("PHB"),
            Self::Node => f.pad("NODE"),
            Self::Sys => f.pad("SYS"),
        }
    }
}

/// Where a device hangs in the machine's PCIe tree. The numbers are unique
/// within the machine; `None` means that there is no switch at that level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PciePath {
    /// NUMA node.
    pub numa: u8,
    /// Host bridge (root complex port).
    pub host_bridge: u16,
    /// The switch under the host bridge.
    pub switch: Option<u16>,
    /// The single bridge within that switch that the device shares with its
    /// next neighbour, if it does.
    pub bridge: Option<u16>,
}

impl PciePath {
    /// The connection of two different devices over PCIe.
    pub fn link(&self, other: &Self) -> Link {
        let same = |a: Option<u16>, b: Option<u16>| a.is_some() && a == b;
        if same(self.bridge, other.bridge) {
            Link::Pix
        } else if same(self.switch, other.switch) {
            Link::Pxb
        } else if self.host_bridge == other.host_bridge {
            Link::Phb
        } else if self.numa == other.numa {
            Link::Node
        } else {
            Link::Sys
        }
    }
}

/// A PCI address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct PciAddress {
    /// Domain, 0 on the machines of the catalogue.
    pub domain: u32,
    /// Bus number.
    pub bus: u8,
    /// Device (slot) on the bus.
    pub device: u8,
    /// Function of the device: the second port of a network card is function 1.
    pub function: u8,
}

impl PciAddress {
    /// The address of the first function of device 0 on `bus`.
    pub const fn bus(bus: u8) -> Self {
        Self { domain: 0, bus, device: 0, function: 0 }
    }
}

/// As NVML writes it: `00000000:1B:00.0`.
impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}:{:02X}:{:02X}.{}", self.domain, self.bus, self.device, self.function)
    }
}

impl From<PciAddress> for String {
    fn from(address: PciAddress) -> Self {
        address.to_string()
    }
}

/// A set of CPUs as ranges, first and last inclusive, ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CpuSet(pub Vec<(u32, u32)>);

impl CpuSet {
    /// The set of ascending numbers.
    pub fn from_ascending(numbers: impl IntoIterator<Item = u32>) -> Self {
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for number in numbers {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        Self(ranges)
    }
}

/// As Linux and `nvidia-smi` write it: `0-55,112-167`.
impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}-{last}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_common_level_names_the_connection() {
        let path = |numa, host_bridge, switch, bridge| PciePath { numa, host_bridge, switch, bridge };
        let a = path(0, 1, Some(1), Some(1));
        let check = |b: PciePath, expect: Link| {
            assert_eq!(a.link(&b), expect);
            assert_eq!(b.link(&a), expect, "a connection has no direction");
        };
        check(path(0, 1, Some(1), Some(1)), Link::Pix);
        check(path(0, 1, Some(1), Some(2)), Link::Pxb);
        check(path(0, 1, Some(1), None), Link::Pxb);
        check(path(0, 1, Some(2), None), Link::Phb);
        check(path(0, 1, None, None), Link::Phb);
        check(path(0, 2, None, None), Link::Node);
        check(path(1, 3, None, None), Link::Sys);
    }

    #[test]
    fn addresses_and_cpu_sets_print_as_the_driver_prints_them() {
        assert_eq!(PciAddress::bus(0x1b).to_string(), "00000000:1B:00.0");
        assert_eq!(CpuSet(vec![(0, 55), (112, 167)]).to_string(), "0-55,112-167");
        assert_eq!(CpuSet(vec![(3, 3)]).to_string(), "3");
        assert_eq!(CpuSet::from_ascending([0, 1, 2, 7, 9, 10]).to_string(), "0-2,7,9-10");
    }
}
