//! What the fake answers, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A machine as NVML shows it, and how NVML itself behaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// Version of the driver.
    pub driver: String,
    /// Version of the library.
    pub library: String,
    /// The newest CUDA, as `1000 × major + 10 × minor`.
    pub cuda: i32,
    /// The GPUs.
    pub gpus: Vec<Gpu>,
    /// What `nvmlInit_v2` returns.
    pub init_error: u32,
    /// The return code of a function, by its name, whatever it is asked.
    pub errors: BTreeMap<String, u32>,
    /// What successive calls of `nvmlDeviceGetCount_v2` answer; the last stays. Empty: the number of GPUs.
    pub counts: Vec<u32>,
    /// How long every call takes, in microseconds.
    pub slow_us: u64,
    /// Names of processes, by pid.
    pub process_names: BTreeMap<u32, String>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self::dgx_h100()
    }
}

impl Scenario {
    /// Eight H100, every one connected to the NVSwitches by 18 links.
    pub fn dgx_h100() -> Self {
        let buses = [0x1b, 0x43, 0x52, 0x61, 0x9d, 0xc3, 0xd1, 0xdf];
        let gpu = |(minor, bus): (u32, u32)| Gpu {
            minor,
            bus,
            uuid: format!("GPU-{minor:08x}-1111-2222-3333-444455556666"),
            serial: format!("165192300000{minor}"),
            numa: minor / 4,
            energy_mj: 1_000_000 + u64::from(minor),
            ..Gpu::default()
        };
        Self {
            driver: "550.163.01".to_owned(),
            library: "12.550.163.01".to_owned(),
            cuda: 12040,
            gpus: (0..).zip(buses).map(gpu).collect(),
            init_error: 0,
            errors: BTreeMap::new(),
            counts: Vec::new(),
            slow_us: 0,
            process_names: BTreeMap::new(),
        }
    }

    /// The DGX with its first card cut into `1g.10gb`, `2g.20gb` and `3g.40gb`.
    pub fn dgx_h100_mig() -> Self {
        let mut scenario = Self::dgx_h100();
        scenario.gpus[0].mig_enabled = true;
        scenario.gpus[0].mig = [(1, 9984, 16, 9), (2, 20_096, 32, 5), (3, 40_448, 60, 2)]
            .map(|(slices, memory_mib, sms, instance)| MigDevice {
                uuid: format!("MIG-{instance:08x}-1111-2222-3333-444455556666"),
                gpu_instance: instance,
                compute_instance: 0,
                gpu_slices: slices,
                compute_slices: slices,
                memory_mib,
                multiprocessors: sms,
            })
            .to_vec();
        scenario
    }
}

/// A GPU; by default an H100 at rest. `None` is what the card does not support.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gpu {
    pub name: String,
    /// The name as bytes, for names that are not UTF-8.
    pub raw_name: Option<Vec<u8>>,
    pub uuid: String,
    pub serial: String,
    pub vbios: String,
    pub minor: u32,
    pub domain: u32,
    pub bus: u32,
    pub pci_device_id: u32,
    pub pci_subsystem_id: u32,
    /// NVML's number of the architecture: 9 is Hopper.
    pub architecture: u32,
    pub compute_capability: (i32, i32),
    pub memory_bytes: u64,
    pub reserved_bytes: u64,
    pub used_bytes: u64,
    pub power_mw: u32,
    pub power_limit_mw: u32,
    pub energy_mj: u64,
    pub celsius: u32,
    pub memory_celsius: Option<u32>,
    pub sm_mhz: u32,
    pub memory_mhz: u32,
    pub max_sm_mhz: u32,
    pub max_memory_mhz: u32,
    pub utilization: u32,
    pub memory_utilization: u32,
    pub encoder: Option<u32>,
    pub pcie_replays: u32,
    pub performance_state: u32,
    pub clock_events: u64,
    /// Corrected and uncorrected since the driver was loaded; `None` without ECC.
    pub ecc: Option<(u64, u64)>,
    /// Correctable, uncorrectable, pending, failed.
    pub remapped: Option<(u32, u32, u32, u32)>,
    pub numa: u32,
    /// CPUs of one NUMA node; node `n` has those from `n × cpus`.
    pub cpus_per_numa: u32,
    /// Links to the NVSwitches.
    pub nvlinks: u32,
    /// Links to other GPUs: link number and index of the GPU.
    pub peers: Vec<(u32, usize)>,
    /// Data over all links, in KiB, each way.
    pub nvlink_kib: u64,
    pub processes: Vec<Process>,
    pub mig_capable: bool,
    pub mig_enabled: bool,
    pub mig: Vec<MigDevice>,
    /// Whether the profiling counters (GPM) exist.
    pub gpm: bool,
    /// Which event types can be registered.
    pub event_types: u64,
    /// It fell off the bus.
    pub lost: bool,
}

impl Default for Gpu {
    fn default() -> Self {
        Self {
            name: "NVIDIA H100 80GB HBM3".to_owned(),
            raw_name: None,
            uuid: "GPU-00000000-1111-2222-3333-444455556666".to_owned(),
            serial: "1651923000000".to_owned(),
            vbios: "96.00.74.00.0D".to_owned(),
            minor: 0,
            domain: 0,
            bus: 1,
            pci_device_id: 0x2330_10DE,
            pci_subsystem_id: 0x16C1_10DE,
            architecture: 9,
            compute_capability: (9, 0),
            memory_bytes: 85_520_809_984,
            reserved_bytes: 471_859_200,
            used_bytes: 1 << 20,
            power_mw: 71_234,
            power_limit_mw: 700_000,
            energy_mj: 0,
            celsius: 31,
            memory_celsius: Some(29),
            sm_mhz: 345,
            memory_mhz: 2619,
            max_sm_mhz: 1980,
            max_memory_mhz: 2619,
            utilization: 0,
            memory_utilization: 0,
            encoder: Some(0),
            pcie_replays: 0,
            performance_state: 0,
            clock_events: 1,
            ecc: Some((0, 0)),
            remapped: Some((0, 0, 0, 0)),
            numa: 0,
            cpus_per_numa: 56,
            nvlinks: 18,
            peers: Vec::new(),
            nvlink_kib: 0,
            processes: Vec::new(),
            mig_capable: true,
            mig_enabled: false,
            mig: Vec::new(),
            gpm: true,
            event_types: 0xB,
            lost: false,
        }
    }
}

/// A process on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    pub pid: u32,
    pub memory_bytes: u64,
    /// GPU instance, if the card is cut.
    #[serde(default)]
    pub gpu_instance: Option<u32>,
    /// Whether it draws rather than computes.
    #[serde(default)]
    pub graphics: bool,
}

/// A MIG device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigDevice {
    pub uuid: String,
    pub gpu_instance: u32,
    pub compute_instance: u32,
    pub gpu_slices: u32,
    pub compute_slices: u32,
    pub memory_mib: u64,
    pub multiprocessors: u32,
}

/// An event for everybody who registered for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Index of the GPU.
    pub gpu: usize,
    /// NVML's bit: 1 single-bit ECC, 2 double-bit ECC, 8 XID.
    pub event_type: u64,
    /// Of an XID its number.
    pub data: u64,
    /// GPU instance and compute instance.
    #[serde(default)]
    pub instance: Option<(u32, u32)>,
}

impl Event {
    /// An XID of a whole GPU.
    pub const fn xid(gpu: usize, xid: u64) -> Self {
        Self { gpu, event_type: 8, data: xid, instance: None }
    }
}

/// What a test tells the loaded library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// From now on this is the machine.
    Set(Box<Scenario>),
    /// This happens, and is told to whoever waits for it.
    Raise(Event),
    /// A GPU falls off the bus, or is back.
    Lose(usize, bool),
    /// The driver is unloaded and loaded again: whoever started NVML has to start it again.
    Reload,
}
