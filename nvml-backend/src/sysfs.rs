//! What Linux knows of PCI devices and NVML does not say: NUMA nodes, RDMA devices, the bridges between.

use std::fs;
use std::path::{Path, PathBuf};

use clusterlab::hardware::{Link, PciAddress};

/// `/sys`, or a folder that stands for it.
#[derive(Clone, Debug)]
pub struct Sysfs(PathBuf);

impl Default for Sysfs {
    fn default() -> Self {
        Self::new("/sys")
    }
}

/// Where a device hangs: the folders from the host bridge to the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// `pci0000:15`, then every bridge, then the device itself.
    path: Vec<String>,
    numa: Option<u32>,
}

impl Place {
    /// How two different devices are connected, by the words of `nvidia-smi topo -m`.
    pub(crate) fn link(&self, other: &Self) -> Link {
        let shared = self.path.iter().zip(&other.path).take_while(|(a, b)| a == b).count();
        if shared == 0 {
            return if self.numa.is_some() && self.numa == other.numa { Link::Node } else { Link::Sys };
        }
        // Bridges on the way that belong to one of the two only.
        let own = |place: &Self| place.path.len().saturating_sub(shared + 1);
        match (shared, own(self) + own(other)) {
            // Nothing but the host bridge is shared.
            (1, _) => Link::Phb,
            // One switch: the ports of both below its upstream port.
            (_, 0..=2) => Link::Pix,
            _ => Link::Pxb,
        }
    }
}

impl Sysfs {
    /// The folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self(root.into())
    }

    fn device(&self, pci: PciAddress) -> PathBuf {
        // Linux writes domains with four digits and everything in lower case.
        let name = format!("{:04x}:{:02x}:{:02x}.{}", pci.domain, pci.bus, pci.device, pci.function);
        self.0.join("bus/pci/devices").join(name)
    }

    /// The NUMA node of a PCI device; Linux writes -1 if it has none.
    pub(crate) fn numa(&self, pci: PciAddress) -> Option<u32> {
        numa(&self.device(pci))
    }

    /// The PCI class of a device, such as `0x030200`.
    pub(crate) fn class(&self, pci: PciAddress) -> Option<String> {
        let text = fs::read_to_string(self.device(pci).join("class")).ok()?;
        Some(text.trim().to_owned())
    }

    pub(crate) fn place(&self, pci: PciAddress) -> Option<Place> {
        place(&self.device(pci))
    }

    /// RDMA devices by name, with their places.
    pub(crate) fn rdma_devices(&self) -> Vec<(String, Place)> {
        let Ok(folder) = fs::read_dir(self.0.join("class/infiniband")) else { return Vec::new() };
        let mut devices: Vec<(String, Place)> = folder
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().to_string_lossy().into_owned();
                Some((name, place(&entry.path().join("device"))?))
            })
            .collect();
        // mlx5_10 comes after mlx5_9.
        devices.sort_by_key(|(name, _)| {
            let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let (stem, number) = name.split_at(name.len() - digits);
            (stem.to_owned(), number.parse::<u32>().unwrap_or(0))
        });
        devices
    }
}

fn numa(device: &Path) -> Option<u32> {
    fs::read_to_string(device.join("numa_node")).ok()?.trim().parse().ok()
}

fn place(device: &Path) -> Option<Place> {
    let real = fs::canonicalize(device).ok()?;
    let names = real.iter().map(|part| part.to_string_lossy().into_owned());
    let path: Vec<String> = names.skip_while(|name| !name.starts_with("pci")).collect();
    (path.len() > 1).then(|| Place { path, numa: numa(&real) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &[&str], numa: u32) -> Place {
        Place { path: path.iter().map(|part| (*part).to_owned()).collect(), numa: Some(numa) }
    }

    #[test]
    fn the_bridges_between_two_devices_name_their_connection() {
        let gpu = place(&["pci0000:15", "15:01.0", "16:00.0", "17:00.0", "1b:00.0"], 0);
        let check = |other: Place, expect| {
            assert_eq!(gpu.link(&other), expect);
            assert_eq!(other.link(&gpu), expect);
        };
        check(place(&["pci0000:15", "15:01.0", "16:00.0", "17:00.0", "1b:00.1"], 0), Link::Pix);
        check(place(&["pci0000:15", "15:01.0", "16:00.0", "17:01.0", "18:00.0"], 0), Link::Pix);
        check(
            place(&["pci0000:15", "15:01.0", "16:00.0", "17:02.0", "19:00.0", "1c:00.0", "1d:00.0"], 0),
            Link::Pxb,
        );
        check(place(&["pci0000:15", "15:05.0", "1a:00.0"], 0), Link::Phb);
        check(place(&["pci0000:37", "37:01.0", "38:00.0"], 0), Link::Node);
        check(place(&["pci0000:97", "97:01.0", "98:00.0"], 1), Link::Sys);
    }
}
