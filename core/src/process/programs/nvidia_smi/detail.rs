//! `-q`: everything about a GPU, section by section.
//!
//! The sections are those of a healthy data-centre card under driver 550; what
//! is not simulated (voltages, replay counters, ...) shows what such a card
//! shows at rest, or `N/A`.

use std::fmt::Write as _;

use super::{Answer, View};
use crate::hardware::{Driver, Gpu};

/// The sections that `-d` can choose, as the real program names them.
const SECTIONS: [&str; 10] = [
    "MEMORY",
    "UTILIZATION",
    "ECC",
    "TEMPERATURE",
    "POWER",
    "CLOCK",
    "COMPUTE",
    "PIDS",
    "PERFORMANCE",
    "PAGE_RETIREMENT",
];

/// Sections of the real program that are not modelled.
const OTHER_SECTIONS: [&str; 9] = [
    "SUPPORTED_CLOCKS",
    "ACCOUNTING",
    "ENCODER_STATS",
    "SUPPORTED_GPU_TARGET_TEMP",
    "VOLTAGE",
    "FBC_STATS",
    "ROW_REMAPPER",
    "RESET_STATUS",
    "GSP_FIRMWARE_VERSION",
];

/// Parses the value of `-d`.
pub(super) fn sections(list: &str) -> Result<Vec<String>, Answer> {
    list.split(',')
        .map(|name| {
            if SECTIONS.contains(&name) {
                Ok(name.to_owned())
            } else if OTHER_SECTIONS.contains(&name) {
                Err(Answer::fail(2, format!("not modelled: nvidia-smi -q -d {name}\n")))
            } else {
                Err(Answer::fail(2, "Failed to parse --display/-d flags\n"))
            }
        })
        .collect()
}

/// Prints the log; `sections` empty means all.
pub(super) fn print(
    view: &View<'_>,
    driver: &Driver,
    gpus: &[(usize, &Gpu)],
    attached: usize,
    sections: &[String],
) -> Answer {
    let mut log = Log { text: String::new() };
    log.text += "\n==============NVSMI LOG==============\n\n";
    log.line(0, "Timestamp", &view.wall.strftime("%a %b %e %H:%M:%S %Y").to_string());
    log.line(0, "Driver Version", &driver.version);
    log.line(0, "CUDA Version", &driver.cuda);
    log.text += "\n";
    log.line(0, "Attached GPUs", &attached.to_string());
    let mut lost = false;
    for (_, gpu) in gpus {
        let _ = writeln!(log.text, "GPU {}", gpu.pci);
        lost |= gpu.is_lost();
        log.gpu(view, driver, gpu, sections);
        log.text += "\n";
    }
    Answer { text: log.text, code: if lost { 15 } else { 0 } }
}

/// The text so far.
struct Log {
    text: String,
}

impl Log {
    /// `name : value`, indented; the colon stands in column 42.
    fn line(&mut self, depth: usize, name: &str, value: &str) {
        let indent = depth * 4;
        let _ = writeln!(self.text, "{:indent$}{name:<width$}: {value}", "", width = 42 - indent);
    }

    /// A heading.
    fn head(&mut self, depth: usize, name: &str) {
        let _ = writeln!(self.text, "{:indent$}{name}", "", indent = depth * 4);
    }

    /// A heading with lines under it.
    fn block(&mut self, depth: usize, name: &str, lines: &[(&str, &str)]) {
        self.head(depth, name);
        for (name, value) in lines {
            self.line(depth + 1, name, value);
        }
    }

    fn gpu(&mut self, view: &View<'_>, driver: &Driver, gpu: &Gpu, sections: &[String]) {
        let all = sections.is_empty();
        let wants = |name: &str| all || sections.iter().any(|s| s == name);
        if all {
            self.identity(driver, gpu);
            self.pci(gpu);
            self.line(1, "Fan Speed", "N/A");
        }
        if wants("PERFORMANCE") {
            self.performance(gpu);
        }
        if all {
            self.line(1, "Sparse Operation Mode", "Disabled");
        }
        if wants("MEMORY") {
            self.memory(gpu);
        }
        if wants("COMPUTE") {
            self.line(1, "Compute Mode", "Default");
        }
        if wants("UTILIZATION") {
            let percent = |value: u32| measured(gpu, format!("{value} %"));
            let (sm, memory) =
                (percent(gpu.utilization_percent()), percent(gpu.memory_utilization_percent()));
            let engines = [("Encoder", "0 %"), ("Decoder", "0 %"), ("JPEG", "0 %"), ("OFA", "0 %")];
            let mut lines = vec![("Gpu", sm.as_str()), ("Memory", memory.as_str())];
            lines.extend(engines);
            self.block(1, "Utilization", &lines);
        }
        if all {
            let idle = [("Active Sessions", "0"), ("Average FPS", "0"), ("Average Latency", "0")];
            self.block(1, "Encoder Stats", &idle);
            self.block(1, "FBC Stats", &idle);
        }
        if wants("ECC") {
            self.ecc(gpu);
        }
        if wants("PAGE_RETIREMENT") {
            let lines =
                [("Single Bit ECC", "N/A"), ("Double Bit ECC", "N/A"), ("Pending Page Blacklist", "N/A")];
            self.block(1, "Retired Pages", &lines);
        }
        if wants("TEMPERATURE") {
            self.temperature(view, gpu);
        }
        if wants("POWER") {
            self.power(gpu);
        }
        if wants("CLOCK") {
            self.clocks(gpu);
        }
        if wants("PIDS") {
            self.processes(view, gpu);
        }
    }

    fn identity(&mut self, driver: &Driver, gpu: &Gpu) {
        let spec = &gpu.spec;
        let mig = match (spec.mig_capable, gpu.mig_enabled) {
            (false, _) => "N/A",
            (true, false) => "Disabled",
            (true, true) => "Enabled",
        };
        self.line(1, "Product Name", spec.name);
        self.line(1, "Product Brand", spec.brand);
        self.line(1, "Product Architecture", spec.architecture.name());
        self.line(1, "Display Mode", "Disabled");
        self.line(1, "Display Active", "Disabled");
        self.line(1, "Persistence Mode", "Enabled");
        self.line(1, "Addressing Mode", "None");
        self.block(1, "MIG Mode", &[("Current", mig), ("Pending", mig)]);
        self.line(1, "Accounting Mode", "Disabled");
        self.line(1, "Accounting Mode Buffer Size", "4000");
        self.block(1, "Driver Model", &[("Current", "N/A"), ("Pending", "N/A")]);
        self.line(1, "Serial Number", &gpu.serial);
        self.line(1, "GPU UUID", &gpu.uuid);
        self.line(1, "Minor Number", &gpu.minor.to_string());
        self.line(1, "VBIOS Version", spec.vbios);
        self.line(1, "MultiGPU Board", "No");
        self.line(1, "Board ID", &format!("0x{:x}", u32::from(gpu.pci.bus) << 8 | u32::from(gpu.pci.device)));
        self.line(1, "Board Part Number", spec.board_part_number);
        self.line(1, "GPU Part Number", "N/A");
        self.line(1, "FRU Part Number", "N/A");
        self.line(1, "Module ID", "N/A");
        let inforom = [
            ("Image Version", "N/A"),
            ("OEM Object", "N/A"),
            ("ECC Object", "N/A"),
            ("Power Management Object", "N/A"),
        ];
        self.block(1, "Inforom Version", &inforom);
        self.block(1, "Inforom BBX Object Flush", &[("Latest Timestamp", "N/A"), ("Latest Duration", "N/A")]);
        self.block(1, "GPU Operation Mode", &[("Current", "N/A"), ("Pending", "N/A")]);
        self.line(1, "GPU C2C Mode", "N/A");
        let virtualization =
            [("Virtualization Mode", "None"), ("Host VGPU Mode", "N/A"), ("vGPU Heterogeneous Mode", "N/A")];
        self.block(1, "GPU Virtualization Mode", &virtualization);
        let reset = if gpu.is_lost() { "GPU is lost" } else { "No" };
        self.block(
            1,
            "GPU Reset Status",
            &[("Reset Required", reset), ("Drain and Reset Recommended", reset)],
        );
        self.line(1, "GSP Firmware Version", &driver.version);
        self.block(1, "IBMNPU", &[("Relaxed Ordering Mode", "N/A")]);
    }

    fn pci(&mut self, gpu: &Gpu) {
        let spec = &gpu.spec;
        let (generation, width) = (spec.pcie_generation.to_string(), format!("{}x", spec.pcie_width));
        self.head(1, "PCI");
        self.line(2, "Bus", &format!("0x{:02X}", gpu.pci.bus));
        self.line(2, "Device", &format!("0x{:02X}", gpu.pci.device));
        self.line(2, "Domain", &format!("0x{:04X}", gpu.pci.domain));
        self.line(2, "Base Classcode", "0x3");
        self.line(2, "Sub Classcode", "0x2");
        self.line(2, "Device Id", &format!("0x{:08X}", spec.pci_device_id));
        self.line(2, "Bus Id", &gpu.pci.to_string());
        self.head(2, "GPU Link Info");
        let names = ["Max", "Current", "Device Current", "Device Max", "Host Max"];
        self.block(3, "PCIe Generation", &names.map(|name| (name, generation.as_str())));
        self.block(3, "Link Width", &[("Max", &width), ("Current", &width)]);
        self.block(2, "Bridge Chip", &[("Type", "N/A"), ("Firmware", "N/A")]);
        self.line(2, "Replays Since Reset", "0");
        self.line(2, "Replay Number Rollovers", "0");
    }

    fn performance(&mut self, gpu: &Gpu) {
        self.line(1, "Performance State", &gpu.pstate().to_string());
        self.head(1, "Clocks Event Reasons");
        self.line(2, "Idle", if gpu.processes().is_empty() { "Active" } else { "Not Active" });
        self.line(2, "Applications Clocks Setting", "Not Active");
        self.line(2, "SW Power Cap", "Not Active");
        self.line(2, "HW Slowdown", "Not Active");
        self.line(3, "HW Thermal Slowdown", "Not Active");
        self.line(3, "HW Power Brake Slowdown", "Not Active");
        self.line(2, "Sync Boost", "Not Active");
        self.line(2, "SW Thermal Slowdown", "Not Active");
        self.line(2, "Display Clock Setting", "Not Active");
    }

    fn memory(&mut self, gpu: &Gpu) {
        let spec = &gpu.spec;
        let mib = |value: u32| measured(gpu, format!("{value} MiB"));
        let (total, reserved) = (mib(spec.memory_mib), mib(spec.reserved_mib));
        let (used, free) = (mib(gpu.used_mib()), mib(gpu.free_mib()));
        let lines = [
            ("Total", total.as_str()),
            ("Reserved", reserved.as_str()),
            ("Used", used.as_str()),
            ("Free", free.as_str()),
        ];
        self.block(1, "FB Memory Usage", &lines);
        // The BAR1 window covers the frame buffer: the next power of two.
        let bar1 = spec.memory_mib.next_power_of_two();
        let (total, used, free) = (mib(bar1), mib(1), mib(bar1 - 1));
        self.block(1, "BAR1 Memory Usage", &[("Total", &total), ("Used", &used), ("Free", &free)]);
        let none = mib(0);
        self.block(
            1,
            "Conf Compute Protected Memory Usage",
            &[("Total", &none), ("Used", &none), ("Free", &none)],
        );
    }

    fn ecc(&mut self, gpu: &Gpu) {
        let mode = if gpu.spec.ecc { "Enabled" } else { "N/A" };
        self.block(1, "ECC Mode", &[("Current", mode), ("Pending", mode)]);
        let count =
            |value: u64| if gpu.spec.ecc { measured(gpu, value.to_string()) } else { "N/A".to_owned() };
        let (none, corrected, uncorrected) =
            (count(0), count(gpu.ecc().corrected), count(gpu.ecc().uncorrected));
        self.head(1, "ECC Errors");
        for period in ["Volatile", "Aggregate"] {
            let lines = [
                ("SRAM Correctable", none.as_str()),
                ("SRAM Uncorrectable Parity", none.as_str()),
                ("SRAM Uncorrectable SEC-DED", none.as_str()),
                ("DRAM Correctable", corrected.as_str()),
                ("DRAM Uncorrectable", uncorrected.as_str()),
            ];
            self.block(2, period, &lines);
        }
    }

    fn temperature(&mut self, view: &View<'_>, gpu: &Gpu) {
        let degrees = |value: u32| measured(gpu, format!("{value} C"));
        self.head(1, "Temperature");
        self.line(2, "GPU Current Temp", &degrees(gpu.celsius(view.now)));
        if gpu.spec.hbm {
            self.line(2, "Memory Current Temp", &degrees(gpu.memory_celsius(view.now)));
        }
    }

    fn power(&mut self, gpu: &Gpu) {
        let watts = |milliwatts: u32| format!("{}.{:02} W", milliwatts / 1000, milliwatts % 1000 / 10);
        let limit = watts(gpu.spec.tdp_w * 1000);
        self.head(1, "GPU Power Readings");
        self.line(2, "Power Draw", &measured(gpu, watts(gpu.power_mw())));
        self.line(2, "Current Power Limit", &limit);
        self.line(2, "Requested Power Limit", &limit);
        self.line(2, "Default Power Limit", &limit);
        self.line(2, "Min Power Limit", &watts(gpu.spec.min_power_w * 1000));
        self.line(2, "Max Power Limit", &limit);
    }

    fn clocks(&mut self, gpu: &Gpu) {
        let mhz = |value: u32| format!("{value} MHz");
        let (sm, memory) = (measured(gpu, mhz(gpu.sm_mhz())), measured(gpu, mhz(gpu.memory_mhz())));
        let (max_sm, max_memory) = (mhz(gpu.spec.max_sm_mhz), mhz(gpu.spec.max_memory_mhz));
        self.block(1, "Clocks", &[("Graphics", &sm), ("SM", &sm), ("Memory", &memory)]);
        let both = [("Graphics", max_sm.as_str()), ("Memory", max_memory.as_str())];
        self.block(1, "Applications Clocks", &both);
        self.block(1, "Default Applications Clocks", &both);
        self.block(1, "Deferred Clocks", &[("Memory", "N/A")]);
        self.block(1, "Max Clocks", &[("Graphics", &max_sm), ("SM", &max_sm), ("Memory", &max_memory)]);
        self.block(1, "Max Customer Boost Clocks", &[("Graphics", &max_sm)]);
        self.block(1, "Clock Policy", &[("Auto Boost", "N/A"), ("Auto Boost Default", "N/A")]);
    }

    fn processes(&mut self, view: &View<'_>, gpu: &Gpu) {
        if !view.host_pids || gpu.processes().is_empty() {
            self.line(1, "Processes", "None");
            return;
        }
        self.head(1, "Processes");
        for process in gpu.processes() {
            self.line(2, "GPU instance ID", "N/A");
            self.line(2, "Compute instance ID", "N/A");
            self.line(2, "Process ID", &process.pid.to_string());
            self.line(3, "Type", "C");
            self.line(3, "Name", &process.name);
            self.line(3, "Used GPU Memory", &format!("{} MiB", process.memory_mib));
        }
    }
}

/// A measured value: a lost GPU has none.
fn measured(gpu: &Gpu, value: String) -> String {
    if gpu.is_lost() { "GPU is lost".to_owned() } else { value }
}
