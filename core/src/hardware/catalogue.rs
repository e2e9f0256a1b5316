//! The catalogue of GPUs: one row per model that can be put into a node.
//!
//! Names and memory sizes are those that NVML reports (so that `nvidia-smi`,
//! the node labels of GPU feature discovery and `gres.conf` agree); power,
//! clocks and links are those of the data sheets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::mig::MigProfile;
use super::rows;

/// A GPU generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Architecture {
    /// 2018: T4.
    Turing,
    /// 2020: A100.
    Ampere,
    /// 2022: L40S.
    AdaLovelace,
    /// 2022: H100, H200.
    Hopper,
    /// 2024: B200.
    Blackwell,
}

impl Architecture {
    /// The name in `nvidia-smi -q`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turing => "Turing",
            Self::Ampere => "Ampere",
            Self::AdaLovelace => "Ada Lovelace",
            Self::Hopper => "Hopper",
            Self::Blackwell => "Blackwell",
        }
    }

    /// The value of the node label `nvidia.com/gpu.family`.
    pub const fn family(self) -> &'static str {
        match self {
            Self::Turing => "turing",
            Self::Ampere => "ampere",
            Self::AdaLovelace => "ada-lovelace",
            Self::Hopper => "hopper",
            Self::Blackwell => "blackwell",
        }
    }
}

/// NVIDIA's performance states: `P0` is the fastest, `P8` idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum PerformanceState {
    /// Full speed.
    P0,
    /// Idle, with the memory clock down.
    P8,
}

impl fmt::Display for PerformanceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P0 => "P0",
            Self::P8 => "P8",
        })
    }
}

/// The NVLink ports of a GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NvLinkSpec {
    /// Generation: 3 for A100, 4 for Hopper, 5 for Blackwell.
    pub generation: u8,
    /// Ports on the GPU.
    pub links: u8,
    /// Speed of one link in one direction, in MB/s, as `nvidia-smi nvlink -s`
    /// reports it (25781 prints as `25.781 GB/s`).
    pub link_mb_per_s: u32,
}

/// What is fixed about a GPU model.
///
/// A [`Gpu`](super::Gpu) carries its own copy, so that a test or a special lab
/// can describe a card that differs from the data sheet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GpuSpec {
    /// The name in this catalogue, as a lab's description uses it.
    pub id: &'static str,
    /// `nvmlDeviceGetName`.
    pub name: &'static str,
    /// `nvmlDeviceGetBrand`, as `nvidia-smi -q` prints it.
    pub brand: &'static str,
    /// Generation.
    pub architecture: Architecture,
    /// CUDA compute capability, major and minor.
    pub compute_capability: (u8, u8),
    /// Streaming multiprocessors.
    pub sms: u16,
    /// Frame buffer that NVML reports, in MiB.
    pub memory_mib: u32,
    /// Of it, what the driver keeps for itself (page tables, ECC), in MiB.
    pub reserved_mib: u32,
    /// What shows as used when no process runs, in MiB.
    pub idle_used_mib: u32,
    /// Board power limit, in W.
    pub tdp_w: u32,
    /// The lowest limit that can be set, in W.
    pub min_power_w: u32,
    /// Power when nothing runs, in W.
    pub idle_w: u32,
    /// Temperature when nothing runs, in degrees Celsius.
    pub idle_celsius: u32,
    /// Temperature that full load settles at, in degrees Celsius.
    pub load_celsius: u32,
    /// SM clock when nothing runs, in MHz.
    pub idle_sm_mhz: u32,
    /// Highest SM clock, in MHz.
    pub max_sm_mhz: u32,
    /// Memory clock when nothing runs, in MHz.
    pub idle_memory_mhz: u32,
    /// Highest memory clock, in MHz.
    pub max_memory_mhz: u32,
    /// The performance state it rests in.
    pub idle_pstate: PerformanceState,
    /// Memory bandwidth, in GB/s.
    pub memory_gb_per_s: u32,
    /// Whether its memory is HBM, which reports a temperature of its own.
    pub hbm: bool,
    /// PCI Express generation of its connector.
    pub pcie_generation: u8,
    /// PCI Express lanes.
    pub pcie_width: u8,
    /// NVLink, if the card has it.
    pub nvlink: Option<NvLinkSpec>,
    /// PCI device and vendor, as NVML packs them (`0x233010DE`).
    pub pci_device_id: u32,
    /// Whether it can be cut into MIG instances.
    pub mig_capable: bool,
    /// Whether its memory has ECC (switched on as delivered).
    pub ecc: bool,
    /// Video BIOS, for `nvidia-smi -q`.
    pub vbios: &'static str,
    /// Board part number, for `nvidia-smi -q`.
    pub board_part_number: &'static str,
}

impl GpuSpec {
    /// The value of the node label `nvidia.com/gpu.product`: the name without
    /// characters that a label refuses, blanks turned into `-`.
    pub fn product(&self) -> String {
        super::source::labels::product(self.name)
    }

    /// The type that Slurm's `AutoDetect=nvml` gives it: the name in lower case
    /// with underscores.
    pub fn gres_type(&self) -> String {
        self.name.to_lowercase().replace(' ', "_")
    }

    /// Memory that processes can have together, in MiB.
    pub const fn usable_mib(&self) -> u32 {
        self.memory_mib.saturating_sub(self.reserved_mib).saturating_sub(self.idle_used_mib)
    }
}

/// A model of the catalogue, written by its [id](GpuSpec::id).
///
/// ```
/// use clusterlab::hardware::GpuModel;
///
/// let model: GpuModel = "h100-sxm5-80gb".parse().unwrap();
/// assert_eq!(model.spec().name, "NVIDIA H100 80GB HBM3");
/// assert_eq!(model.spec().product(), "NVIDIA-H100-80GB-HBM3");
/// assert!("h100".parse::<GpuModel>().is_ok(), "the short name of the only one of its kind");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GpuModel {
    /// Tesla T4, 16 GB, PCIe.
    T4,
    /// A100 SXM4 with 40 GB.
    A100Sxm4_40,
    /// A100 SXM4 with 80 GB.
    A100Sxm4_80,
    /// L40S, 48 GB, PCIe.
    L40s,
    /// H100 SXM5 with 80 GB.
    H100Sxm5,
    /// H200 SXM5 with 141 GB.
    H200Sxm5,
    /// B200 with 180 GB.
    B200,
}

impl GpuModel {
    /// The whole catalogue, oldest first.
    pub const ALL: [Self; 7] = [
        Self::T4,
        Self::A100Sxm4_40,
        Self::A100Sxm4_80,
        Self::L40s,
        Self::H100Sxm5,
        Self::H200Sxm5,
        Self::B200,
    ];

    /// Its row of the catalogue.
    pub const fn spec(self) -> &'static GpuSpec {
        match self {
            Self::T4 => &rows::T4,
            Self::A100Sxm4_40 => &rows::A100_40,
            Self::A100Sxm4_80 => &rows::A100_80,
            Self::L40s => &rows::L40S,
            Self::H100Sxm5 => &rows::H100,
            Self::H200Sxm5 => &rows::H200,
            Self::B200 => &rows::B200,
        }
    }

    /// The name in this catalogue.
    pub const fn id(self) -> &'static str {
        self.spec().id
    }

    /// A shorter name that means the same model.
    const fn alias(self) -> &'static str {
        match self {
            Self::T4 => "tesla-t4",
            Self::A100Sxm4_40 => "a100-40gb",
            Self::A100Sxm4_80 => "a100",
            Self::L40s => "l40s-48gb",
            Self::H100Sxm5 => "h100",
            Self::H200Sxm5 => "h200",
            Self::B200 => "b200",
        }
    }

    /// Its MIG profiles, largest profile id last; empty if it has no MIG.
    pub const fn mig_profiles(self) -> &'static [MigProfile] {
        super::mig::profiles(self)
    }
}

/// A name that is not in the catalogue of GPUs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown GPU model {name:?}: the catalogue has {}", GpuModel::ALL.map(GpuModel::id).join(", "))]
pub struct UnknownModel {
    /// The name that was asked for.
    pub name: String,
}

impl FromStr for GpuModel {
    type Err = UnknownModel;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let wanted = name.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|model| model.id() == wanted || model.alias() == wanted)
            .ok_or_else(|| UnknownModel { name: name.to_owned() })
    }
}

impl fmt::Display for GpuModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for GpuModel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for GpuModel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_is_found_by_its_id_and_its_alias_and_nothing_else() {
        for model in GpuModel::ALL {
            assert_eq!(model.id().parse(), Ok(model));
            assert_eq!(model.alias().parse(), Ok(model));
            assert_eq!(serde_json::to_string(&model).unwrap(), format!("\"{}\"", model.id()));
        }
        insta::assert_snapshot!(
            "h900".parse::<GpuModel>().unwrap_err(),
            @r#"unknown GPU model "h900": the catalogue has t4, a100-sxm4-40gb, a100-sxm4-80gb, l40s, h100-sxm5-80gb, h200-sxm5-141gb, b200-180gb"#
        );
    }

    /// The table of what GPU feature discovery writes on real nodes.
    #[test]
    fn products_families_and_memory_are_those_of_real_nodes() {
        let check = |model: GpuModel, product: &str, memory_mib: u32, family: &str, cc: (u8, u8)| {
            let spec = model.spec();
            assert_eq!(spec.product(), product);
            assert_eq!(spec.memory_mib, memory_mib);
            assert_eq!(spec.architecture.family(), family);
            assert_eq!(spec.compute_capability, cc);
        };
        check(GpuModel::T4, "Tesla-T4", 15360, "turing", (7, 5));
        check(GpuModel::A100Sxm4_40, "NVIDIA-A100-SXM4-40GB", 40960, "ampere", (8, 0));
        check(GpuModel::A100Sxm4_80, "NVIDIA-A100-SXM4-80GB", 81920, "ampere", (8, 0));
        check(GpuModel::L40s, "NVIDIA-L40S", 46068, "ada-lovelace", (8, 9));
        check(GpuModel::H100Sxm5, "NVIDIA-H100-80GB-HBM3", 81559, "hopper", (9, 0));
        check(GpuModel::H200Sxm5, "NVIDIA-H200", 143_771, "hopper", (9, 0));
        check(GpuModel::B200, "NVIDIA-B200", 183_359, "blackwell", (10, 0));
        assert_eq!(GpuModel::H100Sxm5.spec().gres_type(), "nvidia_h100_80gb_hbm3");
    }
}
