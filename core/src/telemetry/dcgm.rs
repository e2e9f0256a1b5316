//! GPUs as dcgm-exporter shows them: its default counters, its labels in its order, its units.
//!
//! Sources: dcgm-exporter's `default-counters.csv` and the template in `internal/pkg/rendermetrics`; outputs of real
//! ones. What a GPU does not measure has no series, as there. Help texts are ours.
//!
//! Two things are as they are there, and surprise: `DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL` says that it is a counter and is
//! a rate in MB/s, and `DCGM_FI_DEV_XID_ERRORS` is the number of the last XID, not how many there were.

use std::collections::BTreeMap;
use std::time::Duration;

use super::exposition::{Exposition, MetricType};
use crate::hardware::source::{GpuInfo, GpuSample, Inventory, MemoryUse, MigDevice, Profiling, Slot};

/// What is shown.
#[derive(Clone, Copy, Debug)]
pub struct Readings<'a> {
    /// The GPUs.
    pub inventory: &'a Inventory,
    /// What they measure now.
    pub samples: &'a [Slot<GpuSample>],
    /// What they measured before, and how long ago; rates need it.
    pub before: Option<(&'a [Slot<GpuSample>], Duration)>,
    /// The last XID of each GPU, by index.
    pub last_xids: &'a BTreeMap<u32, u64>,
    /// The label `Hostname`; left out if empty.
    pub hostname: &'a str,
}

/// A field: name, type, help, and its value for a GPU or one of its instances.
struct Field {
    name: &'static str,
    kind: MetricType,
    help: &'static str,
    value: fn(&Reading<'_>) -> Option<Value>,
}

/// What is known where a value is asked for.
struct Reading<'a> {
    sample: &'a GpuSample,
    /// Frame buffer of the GPU, or of the instance.
    memory: Option<MemoryUse>,
    before: Option<(&'a GpuSample, Duration)>,
    last_xid: u64,
}

/// dcgm-exporter writes whole numbers as they are and others with six digits.
enum Value {
    Whole(u64),
    Real(f64),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Whole(number) => number.to_string(),
            Self::Real(number) => format!("{number:.6}"),
        }
    }
}

fn whole(number: Option<impl Into<u64>>) -> Option<Value> {
    number.map(|number| Value::Whole(number.into()))
}

const fn gauge(name: &'static str, help: &'static str, value: fn(&Reading<'_>) -> Option<Value>) -> Field {
    Field { name, kind: MetricType::Gauge, help, value }
}

const fn counter(name: &'static str, help: &'static str, value: fn(&Reading<'_>) -> Option<Value>) -> Field {
    Field { name, kind: MetricType::Counter, help, value }
}

fn mib(memory: Option<MemoryUse>, part: fn(MemoryUse) -> Option<u64>) -> Option<Value> {
    memory.and_then(part).map(|bytes| Value::Whole(bytes >> 20))
}

fn profiled(reading: &Reading<'_>, part: fn(Profiling) -> Option<f64>) -> Option<f64> {
    reading.sample.profiling.and_then(part)
}

/// Data over all links since the reading before, as MB/s.
fn nvlink_rate(reading: &Reading<'_>) -> Option<Value> {
    let (before, elapsed) = reading.before?;
    let kib = reading.sample.nvlink_kib?.checked_sub(before.nvlink_kib?)?;
    let seconds = elapsed.as_secs_f64();
    (seconds > 0.0).then(|| Value::Whole((kib as f64 * 1024.0 / 1_000_000.0 / seconds).round() as u64))
}

/// The default counters of dcgm-exporter, in its order.
const FIELDS: [Field; 25] = [
    gauge("DCGM_FI_DEV_SM_CLOCK", "Clock of the SMs, in MHz.", |r| whole(r.sample.sm_mhz)),
    gauge("DCGM_FI_DEV_MEM_CLOCK", "Clock of the memory, in MHz.", |r| whole(r.sample.memory_mhz)),
    gauge("DCGM_FI_DEV_MEMORY_TEMP", "Temperature of the memory, in degrees Celsius.", |r| {
        whole(r.sample.memory_celsius)
    }),
    gauge("DCGM_FI_DEV_GPU_TEMP", "Temperature of the GPU, in degrees Celsius.", |r| whole(r.sample.celsius)),
    gauge("DCGM_FI_DEV_POWER_USAGE", "Power, in W.", |r| {
        r.sample.power_mw.map(|mw| Value::Real(f64::from(mw) / 1000.0))
    }),
    counter("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "Energy since the driver was loaded, in mJ.", |r| {
        whole(r.sample.energy_mj)
    }),
    counter("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "Packets that were sent again over PCIe.", |r| {
        whole(r.sample.pcie_replays)
    }),
    gauge("DCGM_FI_DEV_GPU_UTIL", "Time in which a kernel ran, in percent.", |r| whole(r.sample.utilization)),
    gauge("DCGM_FI_DEV_MEM_COPY_UTIL", "Time in which memory was read or written, in percent.", |r| {
        whole(r.sample.memory_utilization)
    }),
    gauge("DCGM_FI_DEV_ENC_UTIL", "Use of the video encoder, in percent.", |r| {
        whole(r.sample.encoder_utilization)
    }),
    gauge("DCGM_FI_DEV_DEC_UTIL", "Use of the video decoder, in percent.", |r| {
        whole(r.sample.decoder_utilization)
    }),
    gauge("DCGM_FI_DEV_XID_ERRORS", "Number of the last XID; 0 if there was none.", |r| {
        Some(Value::Whole(r.last_xid))
    }),
    gauge("DCGM_FI_DEV_FB_FREE", "Frame buffer that is free, in MiB.", |r| mib(r.memory, |m| Some(m.free))),
    gauge("DCGM_FI_DEV_FB_USED", "Frame buffer that is used, in MiB.", |r| mib(r.memory, |m| Some(m.used))),
    gauge("DCGM_FI_DEV_FB_RESERVED", "Frame buffer that the driver keeps, in MiB.", |r| {
        mib(r.memory, |m| m.reserved)
    }),
    counter(
        "DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
        "Memory rows replaced after uncorrectable errors.",
        |r| whole(r.sample.remapped_rows.map(|rows| rows.uncorrectable)),
    ),
    counter("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "Memory rows replaced after correctable errors.", |r| {
        whole(r.sample.remapped_rows.map(|rows| rows.correctable))
    }),
    gauge("DCGM_FI_DEV_ROW_REMAP_FAILURE", "Whether replacing a memory row has failed.", |r| {
        whole(r.sample.remapped_rows.map(|rows| u64::from(rows.failed)))
    }),
    counter("DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", "Data over all NVLinks, in MB/s (a rate).", nvlink_rate),
    // Physical GPUs have no licence; NVML says so only of virtual ones.
    gauge("DCGM_FI_DEV_VGPU_LICENSE_STATUS", "Licence of a virtual GPU; 0 without one.", |_| {
        Some(Value::Whole(0))
    }),
    gauge(
        "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
        "Share of time in which the compute or graphics engine worked.",
        |r| profiled(r, |p| p.graphics_active).map(Value::Real),
    ),
    gauge("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE", "Share of cycles in which the tensor cores worked.", |r| {
        profiled(r, |p| p.tensor_active).map(Value::Real)
    }),
    gauge("DCGM_FI_PROF_DRAM_ACTIVE", "Share of cycles in which the memory interface worked.", |r| {
        profiled(r, |p| p.dram_active).map(Value::Real)
    }),
    gauge("DCGM_FI_PROF_PCIE_TX_BYTES", "Sent over PCIe, in bytes per second.", |r| {
        profiled(r, |p| p.pcie_tx).map(|rate| Value::Whole(rate.max(0.0) as u64))
    }),
    gauge("DCGM_FI_PROF_PCIE_RX_BYTES", "Received over PCIe, in bytes per second.", |r| {
        profiled(r, |p| p.pcie_rx).map(|rate| Value::Whole(rate.max(0.0) as u64))
    }),
];

/// The names of all fields, in the order in which they are shown.
pub fn field_names() -> impl Iterator<Item = &'static str> {
    FIELDS.iter().map(|field| field.name)
}

/// One line of each family: a whole GPU, or an instance of one that is cut.
struct Row<'a> {
    reading: Reading<'a>,
    labels: Vec<(&'static str, String)>,
}

fn rows<'a>(readings: &'a Readings<'_>) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for slot in readings.samples {
        let Ok(sample) = &slot.read else { continue };
        let Some((_, gpu)) = readings.inventory.answering().find(|(index, _)| *index == slot.index) else {
            continue;
        };
        let before = readings.before.and_then(|(samples, elapsed)| {
            let slot = samples.iter().find(|before| before.index == slot.index)?;
            Some((slot.read.as_ref().ok()?, elapsed))
        });
        let last_xid = readings.last_xids.get(&slot.index).copied().unwrap_or(0);
        let row = |memory, instance: Option<&MigDevice>| Row {
            reading: Reading { sample, memory, before, last_xid },
            labels: labels(readings, slot.index, gpu, instance),
        };
        if gpu.mig.enabled && !gpu.mig.devices.is_empty() {
            // As dcgm-exporter by default: a card that is cut is shown by its GPU instances.
            for device in &gpu.mig.devices {
                let of_instance =
                    sample.instances.iter().find(|i| Some(i.gpu_instance) == device.gpu_instance);
                rows.push(row(of_instance.map(|instance| instance.memory), Some(device)));
            }
        } else {
            rows.push(row(sample.memory, None));
        }
    }
    rows
}

fn labels(
    readings: &Readings<'_>,
    index: u32,
    gpu: &GpuInfo,
    instance: Option<&MigDevice>,
) -> Vec<(&'static str, String)> {
    let mut labels = vec![
        ("gpu", index.to_string()),
        ("UUID", gpu.uuid.clone()),
        ("pci_bus_id", gpu.pci.to_string()),
        ("device", format!("nvidia{index}")),
        ("modelName", gpu.name.clone()),
    ];
    if let Some(device) = instance {
        labels.push(("GPU_I_PROFILE", device.profile.clone()));
        labels.push(("GPU_I_ID", device.gpu_instance.map_or_else(String::new, |id| id.to_string())));
    }
    if !readings.hostname.is_empty() {
        labels.push(("Hostname", readings.hostname.to_owned()));
    }
    if let Some(version) = &readings.inventory.driver_version {
        labels.push(("DCGM_FI_DRIVER_VERSION", version.clone()));
    }
    labels
}

/// The text of `/metrics`.
pub fn render(readings: &Readings<'_>) -> String {
    let rows = rows(readings);
    let mut text = Exposition::default();
    let labels: Vec<Vec<(&str, &str)>> = rows
        .iter()
        .map(|row| row.labels.iter().map(|(label, text)| (*label, text.as_str())).collect())
        .collect();
    for field in &FIELDS {
        let mut begun = false;
        for (row, labels) in rows.iter().zip(&labels) {
            let Some(value) = (field.value)(&row.reading) else { continue };
            if !std::mem::replace(&mut begun, true) {
                text.family(field.name, field.kind, field.help);
            }
            text.sample(field.name, labels, &value.text());
        }
    }
    text.into_text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardware::source::GpuSource as _;
    use crate::hardware::{GpuFault, Node, SystemModel};
    use crate::sim::{Seed, SimTime};

    fn shown(node: &Node) -> String {
        let at = node.at(SimTime::ZERO);
        let (inventory, samples) = (at.inventory().unwrap(), at.samples().unwrap());
        let last_xids = BTreeMap::from([(1, 63)]);
        render(&Readings {
            inventory: &inventory,
            samples: &samples,
            before: None,
            last_xids: &last_xids,
            hostname: "gpu-1",
        })
    }

    /// The labels and their order are those that a real dcgm-exporter prints.
    #[test]
    fn a_series_has_the_labels_of_dcgm_exporter_in_its_order() {
        let mut node = Node::new("gpu-1", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap();
        node.gpus[0].uuid = "GPU-1".to_owned();
        let text = shown(&node);
        let line = "DCGM_FI_DEV_POWER_USAGE{gpu=\"0\",UUID=\"GPU-1\",pci_bus_id=\"00000000:1B:00.0\",\
                    device=\"nvidia0\",modelName=\"NVIDIA H100 80GB HBM3\",Hostname=\"gpu-1\",\
                    DCGM_FI_DRIVER_VERSION=\"550.163.01\"} 70.000000\n";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("# TYPE DCGM_FI_DEV_SM_CLOCK gauge\nDCGM_FI_DEV_SM_CLOCK{gpu=\"0\""));
        assert!(!text.contains("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"), "the simulator counts no energy");
        assert_eq!(text.lines().filter(|l| l.starts_with("DCGM_FI_DEV_XID_ERRORS{")).count(), 8);
        assert!(
            text.lines().any(|l| l.starts_with("DCGM_FI_DEV_XID_ERRORS{gpu=\"1\"") && l.ends_with("} 63"))
        );
    }

    #[test]
    fn a_lost_gpu_has_no_series_and_the_others_have() {
        let mut node = Node::new("gpu-1", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap();
        node.gpus[0].fail(SimTime::ZERO, GpuFault::FallenOffBus);
        let text = shown(&node);
        assert!(!text.contains("gpu=\"0\"") && text.contains("gpu=\"1\""));
    }

    #[test]
    fn nvlink_is_a_rate_in_megabytes_per_second() {
        let before = GpuSample { nvlink_kib: Some(1000), ..GpuSample::default() };
        let after = GpuSample { nvlink_kib: Some(1000 + 2_000_000), ..GpuSample::default() };
        let reading = |sample, before| Reading { sample, memory: None, before, last_xid: 0 };
        let rate = |reading: &Reading<'_>| nvlink_rate(reading).map(|value| value.text());
        // 2,000,000 KiB in two seconds are 1024 MB/s.
        let two_seconds = Duration::from_secs(2);
        assert_eq!(rate(&reading(&after, Some((&before, two_seconds)))).as_deref(), Some("1024"));
        assert_eq!(rate(&reading(&after, None)), None);
        // The driver was loaded anew: the counter began again.
        assert_eq!(rate(&reading(&before, Some((&after, two_seconds)))), None);
    }
}
