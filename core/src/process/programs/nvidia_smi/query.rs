//! `--query-gpu` and `--query-compute-apps`: chosen properties as CSV.

use std::fmt::Write as _;

use super::fields::{COMPUTE_APPS, Field, GPU};
use super::{Answer, View};
use crate::hardware::{Driver, Gpu, GpuProcess};

/// What is queried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Gpu,
    ComputeApps,
}

/// A parsed query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    kind: Kind,
    fields: Vec<&'static Field>,
    header: bool,
    units: bool,
}

impl Kind {
    const fn fields(self) -> &'static [Field] {
        match self {
            Self::Gpu => GPU,
            Self::ComputeApps => COMPUTE_APPS,
        }
    }

    const fn switch(self) -> &'static str {
        match self {
            Self::Gpu => "--query-gpu",
            Self::ComputeApps => "--query-compute-apps",
        }
    }
}

impl Query {
    /// Parses the value of `--query-...` and that of `--format`.
    pub(super) fn parse(kind: Kind, fields: &str, format: Option<&str>) -> Result<Self, Answer> {
        let Some(format) = format else {
            let text = "\"--format=\" switch is missing. Please run 'nvidia-smi -h' for help.\n\n";
            return Err(Answer::fail(2, text));
        };
        let mut query = Self { kind, fields: Vec::new(), header: true, units: true };
        let mut csv = false;
        for modifier in format.split(',') {
            match modifier {
                "csv" => csv = true,
                "noheader" => query.header = false,
                "nounits" => query.units = false,
                _ => return Err(Answer::fail(2, "Format modifier is not recognized.\n")),
            }
        }
        if !csv {
            return Err(Answer::fail(2, "Format modifier --format=csv is mandatory.\n"));
        }
        for name in fields.split(',').filter(|name| !name.is_empty()) {
            match kind.fields().iter().find(|f| f.name == name || f.alias == name) {
                Some(field) => query.fields.push(field),
                None => {
                    return Err(Answer::fail(
                        2,
                        format!("Field \"{name}\" is not a valid field to query.\n\n"),
                    ));
                }
            }
        }
        Ok(query)
    }
}

/// The list of properties.
pub(super) fn help(kind: Kind) -> String {
    let mut text = format!("List of valid properties to query for the switch \"{}\":\n\n", kind.switch());
    for field in kind.fields() {
        let _ = match field.alias {
            "" => writeln!(text, "\"{}\"", field.name),
            alias => writeln!(text, "\"{}\" or \"{alias}\"", field.name),
        };
    }
    text
}

/// Prints the lines; the header only in the first round of `-l`.
pub(super) fn print(
    view: &View<'_>,
    driver: &Driver,
    gpus: &[(usize, &Gpu)],
    query: &Query,
    first_round: bool,
) -> Answer {
    let mut lines: Vec<Vec<String>> = Vec::new();
    if query.header && first_round {
        lines.push(
            query
                .fields
                .iter()
                .map(|f| match f.unit {
                    unit if query.units && !unit.is_empty() => format!("{} [{unit}]", f.name),
                    _ => f.name.to_owned(),
                })
                .collect(),
        );
    }
    let cell = |field: &Field, value: Value| match value {
        Value::Is(text) if query.units && !field.unit.is_empty() => format!("{text} {}", field.unit),
        Value::Is(text) => text,
        Value::NotAvailable => "[N/A]".to_owned(),
        Value::Lost => "[GPU is lost]".to_owned(),
    };
    let timestamp = view.wall.strftime("%Y/%m/%d %H:%M:%S%.3f").to_string();
    for (index, gpu) in gpus {
        match query.kind {
            Kind::Gpu => lines.push(
                query
                    .fields
                    .iter()
                    .map(|f| {
                        let value = match f.name {
                            "timestamp" => Value::Is(timestamp.clone()),
                            "index" => Value::Is(index.to_string()),
                            "count" => Value::Is(view.gpus().len().to_string()),
                            "driver_version" => Value::Is(driver.version.clone()),
                            name => gpu_value(view, gpu, name),
                        };
                        cell(f, value)
                    })
                    .collect(),
            ),
            Kind::ComputeApps if view.host_pids && !gpu.is_lost() => {
                for process in gpu.processes() {
                    let values = query.fields.iter().map(|f| {
                        cell(
                            f,
                            Value::Is(
                                process_value(gpu, process, f.name).unwrap_or_else(|| timestamp.clone()),
                            ),
                        )
                    });
                    lines.push(values.collect());
                }
            }
            Kind::ComputeApps => {}
        }
    }
    Answer::ok(lines.iter().map(|line| line.join(", ") + "\n").collect())
}

/// A value of a field.
enum Value {
    Is(String),
    NotAvailable,
    Lost,
}

/// A property of a process; `None` for the time, which is not its own.
fn process_value(gpu: &Gpu, process: &GpuProcess, name: &str) -> Option<String> {
    Some(match name {
        "gpu_name" => gpu.spec.name.to_owned(),
        "gpu_bus_id" => gpu.pci.to_string(),
        "gpu_serial" => gpu.serial.clone(),
        "gpu_uuid" => gpu.uuid.clone(),
        "pid" => process.pid.to_string(),
        "process_name" => process.name.clone(),
        "used_gpu_memory" => process.memory_mib.to_string(),
        _ => return None,
    })
}

fn enabled(on: bool) -> &'static str {
    if on { "Enabled" } else { "Disabled" }
}

/// A property of a GPU.
fn gpu_value(view: &View<'_>, gpu: &Gpu, name: &str) -> Value {
    let spec = &gpu.spec;
    let is = |text: &str| Value::Is(text.to_owned());
    let number = |value: u64| Value::Is(value.to_string());
    let watts = |milliwatts: u32| Value::Is(format!("{}.{:02}", milliwatts / 1000, milliwatts % 1000 / 10));
    let idle = gpu.processes().is_empty();
    // A lost GPU still answers what the driver remembers.
    let measured =
        ["temperature.", "utilization.gpu", "utilization.memory", "memory.", "power.draw", "ecc.errors."];
    if gpu.is_lost() && (measured.iter().any(|m| name.starts_with(m)) || name.starts_with("clocks.current."))
    {
        return Value::Lost;
    }
    match name {
        "name" => is(spec.name),
        "serial" => is(&gpu.serial),
        "uuid" => is(&gpu.uuid),
        "pci.bus_id" => Value::Is(gpu.pci.to_string()),
        "pci.domain" => Value::Is(format!("0x{:04X}", gpu.pci.domain)),
        "pci.bus" => Value::Is(format!("0x{:02X}", gpu.pci.bus)),
        "pci.device" => Value::Is(format!("0x{:02X}", gpu.pci.device)),
        "pci.baseClass" => is("0x3"),
        "pci.subClass" => is("0x2"),
        "pci.device_id" => Value::Is(format!("0x{:08X}", spec.pci_device_id)),
        "pcie.link.gen.current"
        | "pcie.link.gen.gpucurrent"
        | "pcie.link.gen.max"
        | "pcie.link.gen.gpumax"
        | "pcie.link.gen.hostmax" => number(spec.pcie_generation.into()),
        "pcie.link.width.current" | "pcie.link.width.max" => number(spec.pcie_width.into()),
        "display_mode" | "display_active" | "accounting.mode" => is("Disabled"),
        "persistence_mode" | "power.management" | "gsp.mode.current" | "gsp.mode.default" => is("Enabled"),
        "addressing_mode" => is("None"),
        "accounting.buffer_size" => is("4000"),
        "vbios_version" => is(spec.vbios),
        "pstate" => Value::Is(gpu.pstate().to_string()),
        "clocks_event_reasons.supported" => is("0x00000000000001FF"),
        "clocks_event_reasons.active" => Value::Is(format!("0x{:016X}", u8::from(idle))),
        "clocks_event_reasons.gpu_idle" => is(if idle { "Active" } else { "Not Active" }),
        name if name.starts_with("clocks_event_reasons.") => is("Not Active"),
        "memory.total" => number(spec.memory_mib.into()),
        "memory.reserved" => number(spec.reserved_mib.into()),
        "memory.used" => number(gpu.used_mib().into()),
        "memory.free" => number(gpu.free_mib().into()),
        "compute_mode" => is("Default"),
        "compute_cap" => Value::Is(format!("{}.{}", spec.compute_capability.0, spec.compute_capability.1)),
        // On a MIG GPU utilisation belongs to the instances.
        name if name.starts_with("utilization.") && gpu.mig_enabled => Value::NotAvailable,
        "utilization.gpu" => number(gpu.utilization_percent().into()),
        "utilization.memory" => number(gpu.memory_utilization_percent().into()),
        name if name.starts_with("utilization.") || name.starts_with("encoder.stats.") => number(0),
        name if name.starts_with("ecc.") && !spec.ecc => Value::NotAvailable,
        "ecc.mode.current" | "ecc.mode.pending" => is("Enabled"),
        // Every error that is simulated is one of the memory's.
        name if name.starts_with("ecc.errors.") => {
            let here = [".dram", ".device_memory", ".total"].iter().any(|place| name.ends_with(place));
            let ecc = gpu.ecc();
            number(match here {
                true if name.starts_with("ecc.errors.corrected.") => ecc.corrected,
                true => ecc.uncorrected,
                false => 0,
            })
        }
        "retired_pages.single_bit_ecc.count" | "retired_pages.double_bit.count" => number(0),
        "retired_pages.pending"
        | "reset_status.reset_required"
        | "reset_status.drain_and_reset_recommended" => is("No"),
        "temperature.gpu" => number(gpu.celsius(view.now).into()),
        "temperature.memory" if spec.hbm => number(gpu.memory_celsius(view.now).into()),
        "power.draw" | "power.draw.average" | "power.draw.instant" => watts(gpu.power_mw()),
        "power.limit" | "enforced.power.limit" | "power.default_limit" | "power.max_limit" => {
            watts(spec.tdp_w * 1000)
        }
        "power.min_limit" => watts(spec.min_power_w * 1000),
        "clocks.current.graphics" | "clocks.current.sm" => number(gpu.sm_mhz().into()),
        "clocks.current.memory" => number(gpu.memory_mhz().into()),
        "clocks.applications.graphics"
        | "clocks.default_applications.graphics"
        | "clocks.max.graphics"
        | "clocks.max.sm" => number(spec.max_sm_mhz.into()),
        "clocks.applications.memory" | "clocks.default_applications.memory" | "clocks.max.memory" => {
            number(spec.max_memory_mhz.into())
        }
        "mig.mode.current" | "mig.mode.pending" if spec.mig_capable => is(enabled(gpu.mig_enabled)),
        _ => Value::NotAvailable,
    }
}
