//! How the GPUs and RDMA devices of this machine are connected.

use clusterlab::hardware::source::{SourceError, Topology, TopologyGpu};
use clusterlab::hardware::{CpuSet, Link, PciAddress};

use crate::library::{Handle, Library, Remote};
use crate::sysfs::{Place, Sysfs};

/// What is known of one GPU.
struct Node {
    index: u32,
    /// `None`: it does not answer; its row stays empty.
    handle: Option<Handle>,
    pci: Option<PciAddress>,
    links: Vec<Remote>,
    place: Option<Place>,
}

impl Node {
    fn read(library: &Library, sysfs: &Sysfs, index: u32) -> Self {
        let handle = library.gpu(index).ok();
        let pci = handle.and_then(|handle| Some(library.pci(handle).ok()?.0));
        Self {
            index,
            handle,
            pci,
            links: handle.map(|handle| library.links(handle)).unwrap_or_default(),
            place: pci.and_then(|pci| sysfs.place(pci)),
        }
    }

    fn switches(&self) -> usize {
        self.links.iter().filter(|remote| **remote == Remote::Switch).count()
    }
}

pub(crate) fn read(library: &Library, sysfs: &Sysfs) -> Result<Topology, SourceError> {
    let mut nodes: Vec<Node> = (0..library.count()?).map(|index| Node::read(library, sysfs, index)).collect();
    // Drivers that do not tell what is at the other end: what is no GPU of this machine is a switch.
    let gpus: Vec<PciAddress> = nodes.iter().filter_map(|node| node.pci).collect();
    for remote in nodes.iter_mut().flat_map(|node| &mut node.links) {
        if matches!(remote, Remote::Device(pci) if !gpus.contains(pci)) {
            *remote = Remote::Switch;
        }
    }
    let nics = sysfs.rdma_devices();
    let places = nodes.iter().map(|node| node.place.as_ref());
    let places: Vec<Option<&Place>> = places.chain(nics.iter().map(|(_, place)| Some(place))).collect();
    let links = (0..places.len())
        .map(|a| {
            (0..places.len())
                .map(|b| match (nodes.get(a), nodes.get(b)) {
                    _ if a == b => Some(Link::X),
                    (Some(one), Some(other)) => gpu_link(library, one, other),
                    _ => Some(places[a]?.link(places[b]?)),
                })
                .collect()
        })
        .collect();
    let peer_links =
        nodes.iter().map(|one| nodes.iter().map(|other| direct_links(one, other) as u8).collect()).collect();
    let gpus = nodes
        .iter()
        .map(|node| TopologyGpu {
            index: node.index,
            cpus: node.handle.and_then(|handle| library.near_cpus(handle).ok()).map(CpuSet::from_ascending),
            numa: node.pci.and_then(|pci| sysfs.numa(pci)),
            memory_numa: node.handle.and_then(|handle| library.memory_numa(handle).ok()),
        })
        .collect();
    Ok(Topology { gpus, nics: nics.into_iter().map(|(name, _)| name).collect(), links, peer_links })
}

/// The NVLinks of one that end at the other.
fn direct_links(one: &Node, other: &Node) -> usize {
    one.links.iter().filter(|remote| Some(**remote) == other.pci.map(Remote::Device)).count()
}

/// NVLink first, directly or through switches; else what the PCIe trees share.
fn gpu_link(library: &Library, one: &Node, other: &Node) -> Option<Link> {
    let (from, to) = (one.handle?, other.handle?);
    let links = direct_links(one, other) + one.switches().min(other.switches());
    if links > 0 {
        return Some(Link::NvLink(links as u8));
    }
    match library.common_ancestor(from, to) {
        // Two chips of one board.
        Ok(0 | 10) => Some(Link::Pix),
        Ok(20) => Some(Link::Pxb),
        Ok(30) => Some(Link::Phb),
        Ok(40) => Some(Link::Node),
        Ok(50) => Some(Link::Sys),
        // A level of a newer driver, or none at all: what Linux knows.
        Ok(_) | Err(_) => Some(one.place.as_ref()?.link(other.place.as_ref()?)),
    }
}
