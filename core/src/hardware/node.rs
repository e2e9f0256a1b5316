//! One machine, built from the catalogue.

use serde::{Deserialize, Serialize};

use super::{Cpu, CpuSet, Gpu, GpuModel, Link, Nic, PciePath, SystemModel};
use crate::sim::{Seed, SimTime};

/// The NVIDIA driver of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Driver {
    /// Version, such as `550.163.01`.
    pub version: String,
    /// The newest CUDA that it supports, such as `12.4`.
    pub cuda: String,
}

/// GPUs of one kind, to put into a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuGroup {
    /// How many.
    pub count: u32,
    /// Which; the system's own if it is not said.
    #[serde(default)]
    pub model: Option<GpuModel>,
}

/// What a node shall be: a system of the catalogue, and what is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NodeSpec {
    /// The system.
    pub system: SystemModel,
    /// Logical CPUs instead of the system's.
    #[serde(default)]
    pub cpus: Option<u32>,
    /// Main memory in MiB instead of the system's.
    #[serde(default)]
    pub memory_mib: Option<u64>,
    /// GPUs instead of the system's.
    #[serde(default)]
    pub gpus: Option<GpuGroup>,
    /// Driver instead of the system's.
    #[serde(default)]
    pub driver: Option<Driver>,
}

impl From<SystemModel> for NodeSpec {
    fn from(system: SystemModel) -> Self {
        Self { system, cpus: None, memory_mib: None, gpus: None, driver: None }
    }
}

/// A node that cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// A machine without CPUs.
    #[error("cpus: must be from 1 to {max}", max = Node::MAX_CPUS)]
    Cpus,
    /// A machine without memory.
    #[error("memory: must be from 1 MiB to {max} TiB", max = Node::MAX_MEMORY_MIB >> 20)]
    Memory,
    /// More GPUs than a machine has slots for.
    #[error("gpus: a node has room for {max} GPUs, not for {0}", max = Node::MAX_GPUS)]
    Gpus(u32),
    /// GPUs, but nobody said which.
    #[error("gpus: the system {0} has no GPUs of its own, so say which model")]
    GpuModel(SystemModel),
}

/// One machine.
///
/// ```
/// use clusterlab::hardware::{Link, Node, SystemModel};
/// use clusterlab::sim::Seed;
///
/// let node = Node::new("gpu-1", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap();
/// assert_eq!(node.gpus.len(), 8);
/// assert_eq!(node.gpu_link(0, 7), Some(Link::NvLink(18)));
/// assert_eq!(node.gpus[0].pci.to_string(), "00000000:1B:00.0");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Host name.
    pub name: String,
    /// The system that it is.
    pub system: SystemModel,
    /// Processors.
    pub cpu: Cpu,
    /// Main memory, in MiB.
    pub memory_mib: u64,
    /// Local disks for images and scratch, in GB (10⁹ bytes).
    pub local_storage_gb: u64,
    /// GPUs, in the order of their minor numbers.
    pub gpus: Vec<Gpu>,
    /// Network ports.
    pub nics: Vec<Nic>,
    /// The NVIDIA driver, if one is loaded.
    pub driver: Option<Driver>,
    /// The firmware's UUID of the machine.
    pub system_uuid: String,
    /// `/etc/machine-id`.
    pub machine_id: String,
    /// `/proc/sys/kernel/random/boot_id`, new with every boot.
    pub boot_id: String,
    boots: u32,
    seed: Seed,
}

impl Node {
    /// Most logical CPUs that a node can have.
    pub const MAX_CPUS: u32 = 4096;
    /// Most memory that a node can have, in MiB (64 TiB).
    pub const MAX_MEMORY_MIB: u64 = 64 << 20;
    /// Most GPUs that a node can have.
    pub const MAX_GPUS: u32 = 16;

    /// Builds the machine called `name`. Its UUIDs and serial numbers follow
    /// from the name and the seed.
    ///
    /// # Errors
    ///
    /// [`NodeError`] if the numbers in `spec` make no machine.
    pub fn new(name: &str, spec: &NodeSpec, seed: Seed) -> Result<Self, NodeError> {
        let system = spec.system.spec();
        let cpu = match spec.cpus {
            None => system.cpu,
            Some(cpus @ 1..=Self::MAX_CPUS) => system.cpu.with_logical(cpus),
            Some(_) => return Err(NodeError::Cpus),
        };
        let memory_mib = match spec.memory_mib {
            None => system.memory_mib,
            Some(mib @ 1..=Self::MAX_MEMORY_MIB) => mib,
            Some(_) => return Err(NodeError::Memory),
        };
        let (model, count) = match (spec.gpus, system.gpus) {
            (None, None) => (None, 0),
            (None, Some((model, count))) => (Some(model), count),
            (Some(group), own) => (group.model.or(own.map(|(model, _)| model)), group.count),
        };
        if count > Self::MAX_GPUS {
            return Err(NodeError::Gpus(count));
        }
        let model = match model {
            Some(model) => model,
            None if count == 0 => GpuModel::T4,
            None => return Err(NodeError::GpuModel(spec.system)),
        };
        let mut rng = seed.rng(&format!("hardware/{name}"));
        let (system_uuid, machine_id) = (rng.uuid(), rng.uuid().replace('-', ""));
        // One batch of boards: serial numbers that follow each other.
        let serial = 1_650_000_000_000 + rng.below(100_000_000) * 100;
        let numa_nodes = cpu.numa_nodes().max(1);
        let numa = |path: PciePath| PciePath { numa: (u32::from(path.numa) % numa_nodes) as u8, ..path };
        let gpus: Vec<Gpu> = spec
            .system
            .gpu_slots(count)
            .into_iter()
            .zip(0u32..)
            .map(|((pci, path), minor)| {
                let uuid = format!("GPU-{}", rng.uuid());
                Gpu::new(model, minor, uuid, (serial + u64::from(minor)).to_string(), pci, numa(path))
            })
            .collect();
        let mut nics = spec.system.nics();
        for nic in &mut nics {
            nic.path = numa(nic.path);
        }
        let driver = if gpus.is_empty() {
            None
        } else {
            let (version, cuda) = system.driver;
            Some(spec.driver.clone().unwrap_or(Driver { version: version.to_owned(), cuda: cuda.to_owned() }))
        };
        let mut node = Self {
            name: name.to_owned(),
            system: spec.system,
            cpu,
            memory_mib,
            local_storage_gb: system.local_storage_gb,
            gpus,
            nics,
            driver,
            system_uuid,
            machine_id,
            boot_id: String::new(),
            boots: 0,
            seed,
        };
        node.boot(SimTime::ZERO);
        Ok(node)
    }

    /// Boots the machine (again): a new boot id, and GPUs as after a reset.
    pub fn boot(&mut self, now: SimTime) {
        self.boots += 1;
        self.boot_id = self.seed.rng(&format!("hardware/{}/boot/{}", self.name, self.boots)).uuid();
        for gpu in &mut self.gpus {
            gpu.reset(now);
        }
    }

    /// How two of its GPUs are connected; `None` if it has no such GPU.
    ///
    /// With NVSwitches every pair is joined by all links of a GPU; without, the
    /// links of up to four GPUs are shared out evenly among the others, as on a
    /// four-GPU HGX board (`NV6` for H100, `NV4` for A100).
    pub fn gpu_link(&self, a: usize, b: usize) -> Option<Link> {
        let (from, to) = (self.gpus.get(a)?, self.gpus.get(b)?);
        if a == b {
            return Some(Link::X);
        }
        if let (Some(nvlink), Some(_)) = (from.spec.nvlink, to.spec.nvlink) {
            let others = self.gpus.len() - 1;
            let shared = self.system.spec().nvswitch || others > 3;
            return Some(Link::NvLink(if shared { nvlink.links } else { nvlink.links / others as u8 }));
        }
        Some(from.path.link(&to.path))
    }

    /// How a GPU and a network port are connected; `None` if there is no such device.
    pub fn gpu_nic_link(&self, gpu: usize, nic: usize) -> Option<Link> {
        Some(self.gpus.get(gpu)?.path.link(&self.nics.get(nic)?.path))
    }

    /// How two network ports are connected; `None` if there is no such port.
    pub fn nic_link(&self, a: usize, b: usize) -> Option<Link> {
        let (from, to) = (self.nics.get(a)?, self.nics.get(b)?);
        Some(if a == b { Link::X } else { from.path.link(&to.path) })
    }

    /// The logical CPUs of a NUMA node. Linux counts the first threads of all
    /// cores, then the second ones.
    pub fn numa_cpus(&self, numa: u8) -> CpuSet {
        let (cores, nodes) = (self.cpu.cores(), self.cpu.numa_nodes().max(1));
        let (numa, per_node) = (u32::from(numa), cores / nodes);
        if numa >= nodes || per_node == 0 {
            return CpuSet::default();
        }
        let first = numa * per_node;
        CpuSet(
            (0..self.cpu.threads_per_core)
                .map(|thread| (thread * cores + first, thread * cores + first + per_node - 1))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(spec: &NodeSpec) -> Node {
        Node::new("node-1", spec, Seed::new(1)).unwrap()
    }

    fn with_gpus(system: SystemModel, count: u32, model: Option<GpuModel>) -> NodeSpec {
        NodeSpec { gpus: Some(GpuGroup { count, model }), ..system.into() }
    }

    #[test]
    fn the_same_name_and_seed_give_the_same_machine() {
        let spec = SystemModel::DgxH100.into();
        let one = Node::new("a", &spec, Seed::new(1)).unwrap();
        assert_eq!(one, Node::new("a", &spec, Seed::new(1)).unwrap());
        let other = Node::new("b", &spec, Seed::new(1)).unwrap();
        assert_ne!(one.gpus[0].uuid, other.gpus[0].uuid);
        assert_ne!(one.gpus[0].uuid, one.gpus[1].uuid);
        assert_ne!(one.boot_id, {
            let mut again = one.clone();
            again.boot(SimTime::ZERO);
            again.boot_id
        });
    }

    #[test]
    fn systems_have_the_gpus_and_processors_of_the_real_ones() {
        let check = |system: SystemModel, gpus: usize, bus: &str, cpus: u32, gib: u64| {
            let node = node(&system.into());
            let buses: Vec<String> = node.gpus.iter().map(|g| format!("{:02X}", g.pci.bus)).collect();
            assert_eq!((node.gpus.len(), buses.join(" ").as_str()), (gpus, bus), "{system}");
            assert_eq!((node.cpu.logical(), node.memory_mib / 1024), (cpus, gib), "{system}");
            assert_eq!(node.driver.is_some(), gpus > 0);
        };
        check(SystemModel::DgxA100, 8, "07 0F 47 4E 87 90 B7 BD", 256, 2048);
        check(SystemModel::DgxH100, 8, "1B 43 52 61 9D C3 D1 DF", 224, 2048);
        check(SystemModel::DgxH200, 8, "1B 43 52 61 9D C3 D1 DF", 224, 2048);
        check(SystemModel::DgxB200, 8, "1B 43 52 61 9D C3 D1 DF", 224, 2048);
        check(SystemModel::L40sServer, 8, "01 25 41 61 81 A1 C1 E1", 128, 768);
        check(SystemModel::T4Server, 4, "3B 5E AF D8", 80, 384);
        check(SystemModel::Server, 0, "", 64, 256);
    }

    #[test]
    fn a_gpu_knows_its_neighbours_and_its_processors() {
        let dgx = node(&SystemModel::DgxH100.into());
        assert_eq!(dgx.gpu_link(0, 1), Some(Link::NvLink(18)));
        assert_eq!(dgx.gpu_nic_link(0, 0), Some(Link::Pxb));
        assert_eq!(dgx.gpu_nic_link(0, 1), Some(Link::Node));
        assert_eq!(dgx.gpu_nic_link(0, 11), Some(Link::Sys));
        assert_eq!(dgx.nic_link(1, 2), Some(Link::Pix));
        assert_eq!(dgx.gpu_link(0, 8), None);
        assert_eq!(dgx.numa_cpus(0).to_string(), "0-55,112-167");
        assert_eq!(dgx.numa_cpus(1).to_string(), "56-111,168-223");

        let a100 = node(&SystemModel::DgxA100.into());
        assert_eq!(a100.numa_cpus(a100.gpus[0].path.numa).to_string(), "48-63,176-191");
        assert_eq!(a100.gpu_nic_link(1, 0), Some(Link::Pxb));

        let t4 = node(&SystemModel::T4Server.into());
        assert_eq!(t4.gpu_link(0, 1), Some(Link::Node));
        assert_eq!(t4.gpu_link(0, 2), Some(Link::Sys));

        let hgx = node(&with_gpus(SystemModel::Server, 4, Some(GpuModel::H100Sxm5)));
        assert_eq!(hgx.gpu_link(0, 3), Some(Link::NvLink(6)));
        let hgx = node(&with_gpus(SystemModel::Server, 4, Some(GpuModel::A100Sxm4_40)));
        assert_eq!(hgx.gpu_link(0, 3), Some(Link::NvLink(4)));
    }

    #[test]
    fn what_is_said_replaces_what_the_system_has() {
        let spec = NodeSpec {
            cpus: Some(16),
            memory_mib: Some(65536),
            gpus: Some(GpuGroup { count: 2, model: Some(GpuModel::L40s) }),
            driver: Some(Driver { version: "535.261.03".into(), cuda: "12.2".into() }),
            ..SystemModel::Server.into()
        };
        let node = node(&spec);
        assert_eq!((node.cpu.logical(), node.memory_mib, node.gpus.len()), (16, 65536, 2));
        assert_eq!(node.gpus[1].spec.name, "NVIDIA L40S");
        assert_eq!(node.driver.unwrap().cuda, "12.2");
        let json = r#"{"system": "dgx-h100", "gpus": {"count": 4}}"#;
        assert_eq!(serde_json::from_str::<NodeSpec>(json).unwrap(), with_gpus(SystemModel::DgxH100, 4, None));
    }

    #[test]
    fn numbers_that_make_no_machine_are_refused() {
        let check = |spec: NodeSpec, expect: &str| {
            assert_eq!(Node::new("n", &spec, Seed::new(1)).unwrap_err().to_string(), expect);
        };
        let server = || NodeSpec::from(SystemModel::Server);
        check(NodeSpec { cpus: Some(0), ..server() }, "cpus: must be from 1 to 4096");
        check(NodeSpec { memory_mib: Some(0), ..server() }, "memory: must be from 1 MiB to 64 TiB");
        check(with_gpus(SystemModel::T4Server, 17, None), "gpus: a node has room for 16 GPUs, not for 17");
        check(
            with_gpus(SystemModel::Server, 1, None),
            "gpus: the system server has no GPUs of its own, so say which model",
        );
        assert!(Node::new("n", &with_gpus(SystemModel::Server, 0, None), Seed::new(1)).is_ok());
    }
}
