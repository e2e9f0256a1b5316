//! What a GPU measures.

use serde::Serialize;

/// One reading of one GPU, in NVML's units. What the card does not measure is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuSample {
    /// SM clock, in MHz.
    pub sm_mhz: Option<u32>,
    /// Memory clock, in MHz.
    pub memory_mhz: Option<u32>,
    /// Temperature of the GPU, in degrees Celsius.
    pub celsius: Option<u32>,
    /// Temperature of the memory (HBM only), in degrees Celsius.
    pub memory_celsius: Option<u32>,
    /// Power draw, in mW.
    pub power_mw: Option<u32>,
    /// Energy since the driver was loaded, in mJ.
    pub energy_mj: Option<u64>,
    /// PCI Express packets that had to be sent again.
    pub pcie_replays: Option<u32>,
    /// Share of the time in which a kernel ran, in percent.
    pub utilization: Option<u32>,
    /// Share of the time in which memory was read or written, in percent.
    pub memory_utilization: Option<u32>,
    /// Video encoder, in percent.
    pub encoder_utilization: Option<u32>,
    /// Video decoder, in percent.
    pub decoder_utilization: Option<u32>,
    /// Frame buffer.
    pub memory: Option<MemoryUse>,
    /// Data over all NVLinks, both directions, since the driver was loaded, in KiB.
    pub nvlink_kib: Option<u64>,
    /// Memory rows that were replaced.
    pub remapped_rows: Option<RemappedRows>,
    /// ECC errors since the driver was loaded.
    pub ecc: Option<EccCounts>,
    /// Performance state: 0 is the fastest.
    pub performance_state: Option<u32>,
    /// Why the clocks are lower than they could be.
    pub clock_events: Option<ClockEvents>,
    /// What the profiling counters say about the time since the reading before; Hopper and later.
    pub profiling: Option<Profiling>,
    /// What the GPU instances of a card that is cut say of themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instances: Vec<InstanceSample>,
}

/// One GPU instance: NVML measures only its memory; everything else is the card's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceSample {
    /// GPU instance id.
    pub gpu_instance: u32,
    /// Its frame buffer.
    pub memory: MemoryUse,
}

/// Frame buffer, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemoryUse {
    /// All of it.
    pub total: u64,
    /// Left for processes.
    pub free: u64,
    /// Held by processes.
    pub used: u64,
    /// Kept by the driver; `None` where the driver counts it as used.
    pub reserved: Option<u64>,
}

/// Memory rows that were replaced by spare ones (Ampere and later).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RemappedRows {
    /// After errors that were corrected.
    pub correctable: u32,
    /// After errors that could not be.
    pub uncorrectable: u32,
    /// Whether a row waits for the next reset of the GPU to be replaced.
    pub pending: bool,
    /// Whether replacing a row has failed: there is no spare one left.
    pub failed: bool,
}

/// ECC errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EccCounts {
    /// Corrected ones.
    pub corrected: u64,
    /// Ones that could not be corrected.
    pub uncorrected: u64,
}

/// Reasons for lower clocks: NVML's bit mask (`nvmlClocksEventReason*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ClockEvents(pub u64);

impl ClockEvents {
    const NAMES: [(u64, &'static str); 9] = [
        (0x1, "idle"),
        (0x2, "applications clocks"),
        (0x4, "power cap"),
        (0x8, "hardware slowdown"),
        (0x10, "sync boost"),
        (0x20, "thermal, by software"),
        (0x40, "thermal, by hardware"),
        (0x80, "power brake"),
        (0x100, "display clocks"),
    ];

    /// The reasons in words; bits that this program does not know are counted as `0x…`.
    pub fn reasons(self) -> Vec<String> {
        let known = Self::NAMES.iter().filter(|(bit, _)| self.0 & bit != 0);
        let mut reasons: Vec<String> = known.map(|(_, name)| (*name).to_owned()).collect();
        let rest = Self::NAMES.iter().fold(self.0, |rest, (bit, _)| rest & !bit);
        if rest != 0 {
            reasons.push(format!("{rest:#x}"));
        }
        reasons
    }
}

/// The profiling counters (NVML's GPM, DCGM's `PROF` fields): ratios from 0 to 1, and bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profiling {
    /// Share of the time in which the graphics or compute engine was busy.
    pub graphics_active: Option<f64>,
    /// Share of the cycles in which the tensor cores were busy.
    pub tensor_active: Option<f64>,
    /// Share of the cycles in which the memory interface was busy.
    pub dram_active: Option<f64>,
    /// Sent over PCI Express, in bytes per second.
    pub pcie_tx: Option<f64>,
    /// Received over PCI Express, in bytes per second.
    pub pcie_rx: Option<f64>,
}

/// A process that holds a context on a GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunningProcess {
    /// Process id in the PID namespace of the driver (the host's).
    pub pid: u32,
    /// Path of its program, if it may be known.
    pub name: Option<String>,
    /// Frame buffer that it holds, in bytes.
    pub memory_bytes: Option<u64>,
    /// Whether it computes (`C` in `nvidia-smi`) rather than draws (`G`).
    pub compute: bool,
    /// GPU instance that it runs in.
    pub gpu_instance: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_for_lower_clocks_are_words_and_unknown_ones_are_not_lost() {
        assert_eq!(ClockEvents(0).reasons(), Vec::<String>::new());
        assert_eq!(ClockEvents(0x44).reasons(), ["power cap", "thermal, by hardware"]);
        assert_eq!(ClockEvents(0x8001).reasons(), ["idle", "0x8000"]);
    }
}
