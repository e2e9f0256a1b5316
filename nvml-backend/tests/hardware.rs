//! On a machine with NVIDIA GPUs: what we read against what its own `nvidia-smi` says. `cargo xtask gpu-check` runs it
//! and prints the record that belongs into `HARDWARE.md`; anywhere else every test is ignored, with the reason.
//!
//! The binary needs nothing but the machine's driver: it can be built elsewhere (`cargo xtask gpu-check --build DIR`)
//! and be carried there.

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clusterlab::hardware::source::{GpuInfo, GpuSource as _, Inventory};
use clusterlab_nvml::NvmlSource;
use clusterlab_nvml::exporter::Exporter;
use libtest_mimic::{Arguments, Failed, Trial};

/// If this variable is set, a machine without a GPU is a failure.
const REQUIRED: &str = "CLUSTERLAB_GPU_CHECK";

type Check = fn(&NvmlSource) -> Result<(), Failed>;

const CHECKS: [(&str, Check); 6] = [
    ("the_inventory_is_that_of_nvidia_smi", inventory),
    ("mig_devices_are_those_of_nvidia_smi", mig),
    ("the_topology_is_that_of_nvidia_smi", topology),
    ("samples_are_near_those_of_nvidia_smi", samples),
    ("a_scrape_has_a_series_for_every_gpu", scrape),
    ("health_can_be_watched_and_nothing_is_reported_of_a_quiet_machine", health),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let source = NvmlSource::open().map(Arc::new);
    let required = std::env::var_os(REQUIRED).is_some();
    let trials = CHECKS
        .iter()
        .map(|(name, check)| match source.clone() {
            Ok(source) => Trial::test(*name, move || check(&source)),
            Err(error) if required => Trial::test(*name, move || Err(error.to_string().into())),
            Err(error) => {
                println!("ignored: {name}: {error}");
                Trial::test(*name, || Ok(())).with_ignored_flag(true)
            }
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Ok(source) = source
        && !arguments.list
    {
        record(&source, conclusion.num_passed, conclusion.num_failed);
    }
    conclusion.exit_code()
}

/// What `nvidia-smi` prints.
fn nvidia_smi(arguments: &[&str]) -> Result<String, Failed> {
    let output =
        Command::new("nvidia-smi").args(arguments).output().map_err(|e| format!("nvidia-smi: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A table of `nvidia-smi --query-gpu`: one row per GPU.
fn query(fields: &str) -> Result<Vec<Vec<String>>, Failed> {
    let text = nvidia_smi(&[&format!("--query-gpu={fields}"), "--format=csv,noheader,nounits"])?;
    Ok(text.lines().map(|line| line.split(", ").map(|cell| cell.trim().to_owned()).collect()).collect())
}

/// `nvidia-smi` writes this for what it does not know.
fn known(cell: &str) -> bool {
    !cell.starts_with('[') && !cell.starts_with("N/A")
}

fn inventory(source: &NvmlSource) -> Result<(), Failed> {
    let inventory = source.inventory()?;
    let rows = query(
        "index,name,uuid,pci.bus_id,memory.total,driver_version,power.limit,clocks.max.sm,clocks.max.mem,\
         vbios_version,compute_cap,pcie.link.gen.max,pcie.link.width.max",
    )?;
    if rows.len() != inventory.gpus.len() {
        return Err(format!("nvidia-smi has {} GPUs, we have {}", rows.len(), inventory.gpus.len()).into());
    }
    for ((index, gpu), row) in inventory.answering().zip(&rows) {
        for (i, (field, ours)) in cells(&inventory, index, gpu).into_iter().enumerate() {
            let theirs = row.get(i).map_or("", String::as_str);
            // A limit in W has two digits after the point there.
            let same = theirs == ours
                || theirs
                    .parse::<f64>()
                    .is_ok_and(|t| ours.parse::<f64>().is_ok_and(|o| (t - o).abs() < 0.01));
            if known(theirs) && !same {
                return Err(format!("GPU {index}, {field}: ours {ours}, theirs {theirs}").into());
            }
        }
    }
    Ok(())
}

fn cells(inventory: &Inventory, index: u32, gpu: &GpuInfo) -> Vec<(&'static str, String)> {
    fn text<T: ToString>(value: Option<T>) -> String {
        value.map_or_else(String::new, |value| value.to_string())
    }
    vec![
        ("index", index.to_string()),
        ("name", gpu.name.clone()),
        ("uuid", gpu.uuid.clone()),
        ("pci.bus_id", gpu.pci.to_string()),
        ("memory.total", text(gpu.memory_mib())),
        ("driver_version", text(inventory.driver_version.as_ref())),
        ("power.limit", text(gpu.power_limit_mw.map(|mw| f64::from(mw) / 1000.0))),
        ("clocks.max.sm", text(gpu.max_sm_mhz)),
        ("clocks.max.mem", text(gpu.max_memory_mhz)),
        ("vbios_version", text(gpu.vbios.as_ref())),
        ("compute_cap", text(gpu.compute_capability.map(|(major, minor)| format!("{major}.{minor}")))),
        ("pcie.link.gen.max", text(gpu.pcie.map(|(generation, _)| generation))),
        ("pcie.link.width.max", text(gpu.pcie.map(|(_, width)| width))),
    ]
}

fn mig(source: &NvmlSource) -> Result<(), Failed> {
    let listed = nvidia_smi(&["-L"])?;
    let between = |line: &str| Some(line.split_once("(UUID: ")?.1.trim_end_matches(')').trim().to_owned());
    let theirs: Vec<String> =
        listed.lines().filter(|l| l.trim().starts_with("MIG")).filter_map(between).collect();
    let inventory = source.inventory()?;
    let ours: Vec<String> = inventory
        .answering()
        .flat_map(|(_, gpu)| gpu.mig.devices.iter().map(|device| device.uuid.clone()))
        .collect();
    if ours == theirs { Ok(()) } else { Err(format!("ours {ours:?}, theirs {theirs:?}").into()) }
}

fn topology(source: &NvmlSource) -> Result<(), Failed> {
    let topology = source.topology()?;
    let text = nvidia_smi(&["topo", "-m"])?;
    let rows = text.lines().filter(|line| line.starts_with("GPU"));
    for (gpu, row) in rows.enumerate() {
        let theirs = row.split('\t').skip(1).map(str::trim).take(topology.gpus.len());
        for (other, theirs) in theirs.enumerate() {
            let ours = topology.links[gpu][other].map_or_else(String::new, |link| link.to_string());
            if ours.trim() != theirs {
                return Err(format!("GPU {gpu} to GPU {other}: ours {ours}, theirs {theirs}").into());
            }
        }
    }
    Ok(())
}

fn samples(source: &NvmlSource) -> Result<(), Failed> {
    let theirs = query("temperature.gpu,memory.used,power.draw,clocks.sm,pstate")?;
    let ours = source.samples()?;
    for (slot, row) in ours.iter().zip(&theirs) {
        let sample = slot.read.as_ref().map_err(ToString::to_string)?;
        let number = |i: usize| row.get(i).and_then(|cell| cell.parse::<f64>().ok());
        // Two readings one after the other: near, not equal.
        let near = [
            ("temperature", number(0), sample.celsius.map(f64::from), 5.0),
            ("memory.used", number(1), sample.memory.map(|m| (m.used >> 20) as f64), 64.0),
            ("power", number(2), sample.power_mw.map(|mw| f64::from(mw) / 1000.0), 60.0),
        ];
        for (field, theirs, ours, apart) in near {
            if let (Some(theirs), Some(ours)) = (theirs, ours)
                && (theirs - ours).abs() > apart
            {
                return Err(format!("GPU {}, {field}: ours {ours}, theirs {theirs}", slot.index).into());
            }
        }
    }
    Ok(())
}

fn scrape(source: &NvmlSource) -> Result<(), Failed> {
    // The exporter wants to own its source.
    let exporter = Exporter::new(Arc::new(NvmlSource::open()?), "check");
    let text = exporter.scrape()?;
    let answering = source.inventory()?.answering().count();
    for field in
        ["DCGM_FI_DEV_GPU_TEMP", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_XID_ERRORS"]
    {
        let series = text.lines().filter(|line| line.starts_with(&format!("{field}{{"))).count();
        if series < answering {
            return Err(format!("{field} has {series} series for {answering} GPUs").into());
        }
    }
    Ok(())
}

fn health(source: &NvmlSource) -> Result<(), Failed> {
    let mut watch = source.watch_health()?;
    let events = source.health_events(&mut watch, Duration::from_secs(2))?;
    let lost = events.iter().find(|event| event.kind.name() == "gpu-lost");
    lost.map_or(Ok(()), |event| Err(format!("{event:?}").into()))
}

/// The lines for `HARDWARE.md`.
fn record(source: &NvmlSource, passed: u64, failed: u64) {
    let Ok(inventory) = source.inventory() else { return };
    let models: Vec<String> = inventory.answering().map(|(_, gpu)| gpu.name.clone()).collect();
    let version = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let timed = |work: &dyn Fn()| {
        let times = 50;
        let began = Instant::now();
        (0..times).for_each(|_| work());
        began.elapsed() / times
    };
    let sample = timed(&|| drop(source.samples()));
    let whole = timed(&|| drop(source.inventory()));
    println!("\nFor nvml-backend/HARDWARE.md:\n");
    println!("- GPUs: {}", models.join(", "));
    println!(
        "- driver {}, library {}",
        version(&inventory.driver_version),
        version(&inventory.library_version)
    );
    println!("- checks against nvidia-smi: {passed} agreed, {failed} did not");
    println!("- a sample of all GPUs costs {sample:?}, an inventory {whole:?} (the library's time included)");
}
