//! What is fixed about the GPUs of a machine, until somebody changes the machine.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::SourceError;
use crate::hardware::{CpuSet, PciAddress};

/// The GPUs of a machine and the driver that knows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// Version of the kernel driver, such as `550.163.01`.
    pub driver_version: Option<String>,
    /// Version of the management library, such as `12.550.163.01`.
    pub library_version: Option<String>,
    /// The newest CUDA that the driver supports: major and minor.
    pub cuda_version: Option<(u32, u32)>,
    /// The GPUs, in the order in which the driver counts them.
    pub gpus: Vec<Slot<GpuInfo>>,
}

impl Inventory {
    /// The GPUs that answered.
    pub fn answering(&self) -> impl Iterator<Item = (u32, &GpuInfo)> {
        self.gpus.iter().filter_map(|slot| Some((slot.index, slot.read.as_ref().ok()?)))
    }
}

/// What one GPU answered, or why it did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot<T> {
    /// Its number, as the driver counts.
    pub index: u32,
    /// The answer.
    pub read: Result<T, SourceError>,
}

impl<T> Slot<T> {
    /// The same slot with another answer.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Slot<U> {
        Slot { index: self.index, read: self.read.map(convert) }
    }
}

/// The answer's own fields beside `index`; of an error, those of [`SourceError`].
impl<T: Serialize> Serialize for Slot<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Answered<'a, T> {
            index: u32,
            #[serde(flatten)]
            answer: &'a T,
        }
        match &self.read {
            Ok(answer) => Answered { index: self.index, answer }.serialize(serializer),
            Err(error) => {
                let mut map = serializer.serialize_map(None)?;
                map.serialize_entry("index", &self.index)?;
                map.serialize_entry("error", error)?;
                map.end()
            }
        }
    }
}

/// One GPU. What its driver does not tell is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuInfo {
    /// `GPU-` and a UUID.
    pub uuid: String,
    /// Product name. Bytes that are not UTF-8 are replaced by `U+FFFD`.
    pub name: String,
    /// Serial number of the board.
    pub serial: Option<String>,
    /// PCI address.
    pub pci: PciAddress,
    /// PCI device and vendor, as NVML packs them (`0x233010DE`).
    pub pci_device_id: Option<u32>,
    /// Minor number: the card is `/dev/nvidia<minor>`.
    pub minor: Option<u32>,
    /// Generation, such as `Hopper`; `architecture 42` if it is newer than this program.
    pub architecture: Option<String>,
    /// CUDA compute capability, major and minor.
    pub compute_capability: Option<(u32, u32)>,
    /// Frame buffer, in bytes.
    pub memory_bytes: Option<u64>,
    /// Power limit that is enforced, in mW.
    pub power_limit_mw: Option<u32>,
    /// Highest SM clock, in MHz.
    pub max_sm_mhz: Option<u32>,
    /// Highest memory clock, in MHz.
    pub max_memory_mhz: Option<u32>,
    /// PCI Express generation and lanes that the card can have in this slot.
    pub pcie: Option<(u32, u32)>,
    /// NUMA node of the slot.
    pub numa: Option<u32>,
    /// The logical CPUs that are near.
    #[serde(serialize_with = "super::topology::ranges")]
    pub cpus: Option<CpuSet>,
    /// Video BIOS.
    pub vbios: Option<String>,
    /// Whether ECC is on.
    pub ecc: Option<bool>,
    /// MIG mode and devices.
    pub mig: MigState,
}

impl GpuInfo {
    /// Frame buffer in MiB, as node labels and `nvidia-smi` count it.
    pub fn memory_mib(&self) -> Option<u64> {
        self.memory_bytes.map(|bytes| bytes >> 20)
    }
}

/// Whether and how a card is cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigState {
    /// Whether the card can be cut.
    pub capable: bool,
    /// Whether MIG mode is on.
    pub enabled: bool,
    /// The MIG devices, in NVML's order. The simulator has none: instances are not modelled yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<MigDevice>,
}

/// A compute instance inside a GPU instance: what a job is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MigDevice {
    /// Its number on its card.
    pub index: u32,
    /// `MIG-` and a UUID.
    pub uuid: String,
    /// Profile, such as `1g.10gb`.
    pub profile: String,
    /// GPU instance id.
    pub gpu_instance: Option<u32>,
    /// Compute instance id.
    pub compute_instance: Option<u32>,
    /// Compute slices of the GPU instance and of the compute instance.
    pub slices: Option<(u32, u32)>,
    /// Memory, in MiB.
    pub memory_mib: Option<u64>,
    /// Streaming multiprocessors.
    pub multiprocessors: Option<u32>,
    /// Engines: copy, decoder, encoder, JPEG, optical flow.
    pub engines: Option<[u32; 5]>,
}

impl MigDevice {
    /// The profile's name from its sizes, for drivers that do not put it into the device's name: compute slices, and
    /// memory rounded up to an eighth of the card's and then to whole GB (go-nvlib, `mig_profile.go`).
    ///
    /// ```
    /// use clusterlab::hardware::source::MigDevice;
    ///
    /// // A slice of an H100 with 80 GB, and one of an A100 with 40 GB.
    /// assert_eq!(MigDevice::profile_name(1, 1, 9984, 85_520_809_984), "1g.10gb");
    /// assert_eq!(MigDevice::profile_name(3, 2, 19_968, 42_949_672_960), "2c.3g.20gb");
    /// ```
    pub fn profile_name(gpu_slices: u32, compute_slices: u32, memory_mib: u64, card_bytes: u64) -> String {
        let eighths = (memory_mib << 20).saturating_mul(8).div_ceil(card_bytes.max(1));
        let card_gb = card_bytes.div_ceil(1 << 30);
        // Half an eighth rounds up, as Go's math.Round does.
        let gb = (eighths * card_gb + 4) / 8;
        let compute = if compute_slices == gpu_slices || compute_slices == 0 {
            String::new()
        } else {
            format!("{compute_slices}c.")
        };
        format!("{compute}{gpu_slices}g.{gb}gb")
    }
}
