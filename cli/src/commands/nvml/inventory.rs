//! `clusterlab nvml inventory`.

use anyhow::Result;
use clap::Args;
use clusterlab::hardware::source::{self, GpuInfo, GpuSource as _};
use clusterlab_nvml::{HostFacts, NvmlSource};
use serde::Serialize;

use super::{cell, table, told};
use crate::output;

/// List the GPUs and MIG devices of this machine
#[derive(Debug, Args)]
pub struct Inventory {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    host: &'a HostFacts,
    #[serde(flatten)]
    inventory: &'a source::Inventory,
}

impl Inventory {
    /// Lists them. Exit code 1 if one does not answer.
    pub fn run(self, source: &NvmlSource) -> Result<u8> {
        let inventory = source.inventory().map_err(|error| told(&error))?;
        if self.json {
            output::json_line(&Shown { host: &HostFacts::read(), inventory: &inventory })?;
        } else {
            output::text(&text(&inventory))?;
        }
        Ok(u8::from(inventory.gpus.iter().any(|slot| slot.read.is_err())))
    }
}

fn text(inventory: &source::Inventory) -> String {
    let cuda = inventory.cuda_version.map(|(major, minor)| format!("{major}.{minor}"));
    let mut text = format!(
        "Driver {}, CUDA {}, {} GPU{}\n",
        cell(inventory.driver_version.as_ref()),
        cell(cuda),
        inventory.gpus.len(),
        if inventory.gpus.len() == 1 { "" } else { "s" }
    );
    let header = ["GPU", "NAME", "BUS ID", "MEMORY", "POWER", "CC", "NUMA", "CPUS", "MIG", "UUID"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut errors = String::new();
    for slot in &inventory.gpus {
        match &slot.read {
            Ok(gpu) => rows.extend(gpu_rows(slot.index, gpu)),
            Err(error) => {
                rows.push(vec![slot.index.to_string(), error.kind.to_string()]);
                errors += &format!("{error}; {}\n", error.advice());
            }
        }
    }
    if rows.len() > 1 {
        text += &table(&rows);
    }
    text + &errors
}

fn gpu_rows(index: u32, gpu: &GpuInfo) -> Vec<Vec<String>> {
    let mig = match (gpu.mig.capable, gpu.mig.enabled) {
        (false, _) => "-",
        (true, false) => "off",
        (true, true) => "on",
    };
    let mut rows = vec![vec![
        index.to_string(),
        gpu.name.clone(),
        gpu.pci.to_string(),
        cell(gpu.memory_mib().map(|mib| format!("{mib} MiB"))),
        cell(gpu.power_limit_mw.map(|mw| format!("{} W", mw / 1000))),
        cell(gpu.compute_capability.map(|(major, minor)| format!("{major}.{minor}"))),
        cell(gpu.numa),
        cell(gpu.cpus.as_ref()),
        mig.to_owned(),
        gpu.uuid.clone(),
    ]];
    for device in &gpu.mig.devices {
        let mut row = vec![String::new(); 10];
        row[1] = format!("  MIG {} {}", device.index, device.profile);
        row[3] = cell(device.memory_mib.map(|mib| format!("{mib} MiB")));
        row[8] = cell(device.gpu_instance.map(|id| format!("gi {id}")));
        row[9].clone_from(&device.uuid);
        rows.push(row);
    }
    rows
}
