//! The node labels of GPU feature discovery (k8s-device-plugin, `internal/lm`).

use std::collections::BTreeMap;

use super::{GpuInfo, Inventory, MigDevice};

/// The resource that a whole GPU is.
pub const GPU_RESOURCE: &str = "nvidia.com/gpu";

/// How MIG devices become resources: the device plugin's `--mig-strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MigStrategy {
    /// MIG devices are not offered.
    #[default]
    None,
    /// Every MIG device is an `nvidia.com/gpu`; all cards must be cut alike.
    Single,
    /// Every profile is a resource of its own, `nvidia.com/mig-1g.10gb`.
    Mixed,
}

impl MigStrategy {
    /// As the device plugin's flag writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Single => "single",
            Self::Mixed => "mixed",
        }
    }
}

/// A product name as a label value: only letters, digits, `-`, `_` and `.` stay; blanks become one `-`.
///
/// ```
/// use clusterlab::hardware::source::labels::product;
///
/// assert_eq!(product("NVIDIA H100 80GB HBM3"), "NVIDIA-H100-80GB-HBM3");
/// assert_eq!(product("NVIDIA  RTX (TM) 4000"), "NVIDIA-RTX-TM-4000");
/// ```
pub fn product(name: &str) -> String {
    let kept: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ')).collect();
    kept.split_whitespace().collect::<Vec<_>>().join("-")
}

/// The value of `nvidia.com/gpu.family` for a CUDA compute capability.
pub const fn family(compute_capability: (u32, u32)) -> &'static str {
    match compute_capability {
        (1, _) => "tesla",
        (2, _) => "fermi",
        (3, _) => "kepler",
        (5, _) => "maxwell",
        (6, _) => "pascal",
        (7, 0..=4) => "volta",
        (7, _) => "turing",
        (8, 0..=8) => "ampere",
        (8, _) => "ada-lovelace",
        (9, _) => "hopper",
        (10 | 12, _) => "blackwell",
        (13, _) => "rubin",
        _ => "undefined",
    }
}

/// The resources that the device plugin would offer: name and number.
pub fn resources(inventory: &Inventory, strategy: MigStrategy) -> BTreeMap<String, usize> {
    let mut resources = BTreeMap::new();
    for (_, gpu) in inventory.answering() {
        if !gpu.mig.enabled {
            *resources.entry(GPU_RESOURCE.to_owned()).or_default() += 1;
            continue;
        }
        for device in &gpu.mig.devices {
            match strategy {
                MigStrategy::None => {}
                MigStrategy::Single => *resources.entry(GPU_RESOURCE.to_owned()).or_default() += 1,
                MigStrategy::Mixed => *resources.entry(mig_resource(&device.profile)).or_default() += 1,
            }
        }
    }
    if strategy == MigStrategy::Single && uniform_profile(inventory).is_err() {
        resources.clear();
    }
    resources
}

fn mig_resource(profile: &str) -> String {
    format!("nvidia.com/mig-{}", profile.replace('+', "."))
}

/// Strategy `single`: the one profile of all MIG devices, `None` if no card is cut. An error if cards differ.
fn uniform_profile(inventory: &Inventory) -> Result<Option<&MigDevice>, ()> {
    let gpus: Vec<&GpuInfo> = inventory.answering().map(|(_, gpu)| gpu).collect();
    let cut: Vec<_> = gpus.iter().filter(|gpu| gpu.mig.enabled).collect();
    if cut.is_empty() {
        return Ok(None);
    }
    if cut.len() != gpus.len() || cut.iter().any(|gpu| gpu.mig.devices.is_empty()) {
        return Err(());
    }
    let mut devices = cut.iter().flat_map(|gpu| &gpu.mig.devices);
    let first = devices.next();
    if devices.any(|device| Some(device.profile.as_str()) != first.map(|d| d.profile.as_str())) {
        return Err(());
    }
    Ok(first)
}

/// Every label that GPU feature discovery sets, but for its timestamp. `machine` is the product name of the machine
/// (`/sys/class/dmi/id/product_name`). Nothing if no GPU answers.
///
/// Of GPUs of several models, the labels are those of the last, as with the real program: it warns and overwrites.
pub fn feature_discovery(
    inventory: &Inventory,
    machine: &str,
    strategy: MigStrategy,
) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let gpus: Vec<&GpuInfo> = inventory.answering().map(|(_, gpu)| gpu).collect();
    if gpus.is_empty() {
        return labels;
    }
    let mut set = |key: &str, value: String| {
        labels.insert(format!("nvidia.com/{key}"), value);
    };
    versions(inventory, &mut set);
    set("gpu.present", "true".to_owned());
    set("gpu.machine", if machine.is_empty() { "unknown".to_owned() } else { product(machine) });
    set("mig.capable", gpus.iter().any(|gpu| gpu.mig.capable).to_string());
    set("mig.strategy", strategy.name().to_owned());
    set("mps.capable", "false".to_owned());
    set("gpu.sharing-strategy", "none".to_owned());
    // Cards that are cut come first: a whole one of the same name overwrites them.
    for enabled in [true, false] {
        for gpu in gpus.iter().filter(|gpu| gpu.mig.enabled == enabled) {
            let count = gpus.iter().filter(|other| other.name == gpu.name).count();
            set("gpu.product", product(&gpu.name));
            set("gpu.count", count.to_string());
            set("gpu.replicas", if enabled { "0" } else { "1" }.to_owned());
            if let Some(mib) = gpu.memory_mib() {
                set("gpu.memory", mib.to_string());
            }
            if let Some(capability) = gpu.compute_capability {
                set("gpu.family", family(capability).to_owned());
                set("gpu.compute.major", capability.0.to_string());
                set("gpu.compute.minor", capability.1.to_string());
            }
        }
    }
    match strategy {
        MigStrategy::None => {}
        MigStrategy::Single => match uniform_profile(inventory) {
            Ok(None) => {}
            Ok(Some(device)) => {
                let count = gpus.iter().map(|gpu| gpu.mig.devices.len()).sum();
                mig_labels("gpu", &gpus[0].name, device, count, &mut set);
            }
            Err(()) => {
                let cut = gpus.iter().find(|gpu| gpu.mig.enabled).unwrap_or(&gpus[0]);
                set("gpu.product", format!("{}-MIG-INVALID", product(&cut.name)));
                for key in ["gpu.count", "gpu.replicas", "gpu.memory"] {
                    set(key, "0".to_owned());
                }
            }
        },
        MigStrategy::Mixed => {
            let mut kinds: BTreeMap<&str, (&str, &MigDevice, usize)> = BTreeMap::new();
            for gpu in &gpus {
                for device in &gpu.mig.devices {
                    kinds.entry(&device.profile).or_insert((&gpu.name, device, 0)).2 += 1;
                }
            }
            for (profile, (name, device, count)) in kinds {
                mig_labels(&format!("mig-{}", profile.replace('+', ".")), name, device, count, &mut set);
            }
        }
    }
    labels
}

fn versions(inventory: &Inventory, set: &mut impl FnMut(&str, String)) {
    if let Some(driver) = &inventory.driver_version {
        let mut parts = driver.split('.');
        for (new, old) in [("major", "major"), ("minor", "minor"), ("revision", "rev")] {
            let part = parts.next().unwrap_or_default();
            set(&format!("cuda.driver-version.{new}"), part.to_owned());
            set(&format!("cuda.driver.{old}"), part.to_owned());
        }
        set("cuda.driver-version.full", driver.clone());
    }
    if let Some((major, minor)) = inventory.cuda_version {
        for prefix in ["cuda.runtime-version", "cuda.runtime"] {
            set(&format!("{prefix}.major"), major.to_string());
            set(&format!("{prefix}.minor"), minor.to_string());
        }
        set("cuda.runtime-version.full", format!("{major}.{minor}"));
    }
}

/// The labels of one kind of MIG device under `nvidia.com/<resource>`.
fn mig_labels(
    resource: &str,
    name: &str,
    device: &MigDevice,
    count: usize,
    set: &mut impl FnMut(&str, String),
) {
    let mut set = |key: &str, value: String| set(&format!("{resource}.{key}"), value);
    set("product", format!("{}-MIG-{}", product(name), device.profile.replace('+', ".")));
    set("count", count.to_string());
    set("replicas", "1".to_owned());
    set("sharing-strategy", "none".to_owned());
    if let Some(mib) = device.memory_mib {
        set("memory", mib.to_string());
    }
    if let Some(sms) = device.multiprocessors {
        set("multiprocessors", sms.to_string());
    }
    if let Some((gi, ci)) = device.slices {
        set("slices.gi", gi.to_string());
        set("slices.ci", ci.to_string());
    }
    for (engine, number) in
        ["copy", "decoder", "encoder", "jpeg", "ofa"].iter().zip(device.engines.into_iter().flatten())
    {
        set(&format!("engines.{engine}"), number.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardware::source::{GpuSource as _, MigState};
    use crate::hardware::{GpuModel, Node, SystemModel};
    use crate::sim::{Seed, SimTime};

    fn dgx() -> Inventory {
        let node = Node::new("a", &SystemModel::DgxH100.into(), Seed::new(1)).unwrap();
        node.at(SimTime::ZERO).inventory().unwrap()
    }

    fn cut(inventory: &mut Inventory, gpu: usize, profiles: &[&str]) {
        let device = |(index, profile): (u32, &&str)| MigDevice {
            index,
            uuid: format!("MIG-{gpu}-{index}"),
            profile: (*profile).to_owned(),
            gpu_instance: Some(index + 7),
            compute_instance: Some(0),
            slices: Some((1, 1)),
            memory_mib: Some(9984),
            multiprocessors: Some(16),
            engines: Some([1, 1, 0, 1, 0]),
        };
        let devices = (0..).zip(profiles).map(device).collect();
        inventory.gpus[gpu].read.as_mut().unwrap().mig = MigState { capable: true, enabled: true, devices };
    }

    /// Label values that stand on real nodes of these machines.
    #[test]
    fn a_whole_h100_has_the_labels_of_a_real_node() {
        let labels = feature_discovery(&dgx(), "DGXH100", MigStrategy::None);
        for (key, value) in [
            ("gpu.product", "NVIDIA-H100-80GB-HBM3"),
            ("gpu.count", "8"),
            ("gpu.replicas", "1"),
            ("gpu.memory", "81559"),
            ("gpu.family", "hopper"),
            ("gpu.compute.major", "9"),
            ("gpu.machine", "DGXH100"),
            ("mig.capable", "true"),
            ("cuda.driver-version.full", "550.163.01"),
            ("cuda.driver.rev", "01"),
            ("cuda.runtime-version.full", "12.4"),
        ] {
            assert_eq!(labels.get(&format!("nvidia.com/{key}")).map(String::as_str), Some(value), "{key}");
        }
    }

    #[test]
    fn mixed_strategy_names_each_profile_and_single_wants_all_cards_cut_alike() {
        let mut inventory = dgx();
        cut(&mut inventory, 0, &["1g.10gb", "1g.10gb+me", "1g.10gb"]);
        let mixed = resources(&inventory, MigStrategy::Mixed);
        let text: Vec<String> = mixed.iter().map(|(name, count)| format!("{name}={count}")).collect();
        assert_eq!(text, ["nvidia.com/gpu=7", "nvidia.com/mig-1g.10gb=2", "nvidia.com/mig-1g.10gb.me=1"]);
        let labels = feature_discovery(&inventory, "", MigStrategy::Mixed);
        assert_eq!(labels["nvidia.com/mig-1g.10gb.product"], "NVIDIA-H100-80GB-HBM3-MIG-1g.10gb");
        assert_eq!(labels["nvidia.com/mig-1g.10gb.engines.jpeg"], "1");

        assert!(resources(&inventory, MigStrategy::Single).is_empty());
        let labels = feature_discovery(&inventory, "", MigStrategy::Single);
        assert_eq!(labels["nvidia.com/gpu.product"], "NVIDIA-H100-80GB-HBM3-MIG-INVALID");
        assert_eq!(labels["nvidia.com/gpu.count"], "0");

        for gpu in 0..8 {
            cut(&mut inventory, gpu, &["1g.10gb"; 7]);
        }
        assert_eq!(resources(&inventory, MigStrategy::Single)["nvidia.com/gpu"], 56);
        let labels = feature_discovery(&inventory, "", MigStrategy::Single);
        assert_eq!(labels["nvidia.com/gpu.count"], "56");
        assert_eq!(labels["nvidia.com/gpu.memory"], "9984");
    }

    #[test]
    fn the_catalogues_families_and_those_of_feature_discovery_agree() {
        for model in GpuModel::ALL {
            let spec = model.spec();
            let (major, minor) = spec.compute_capability;
            assert_eq!(family((u32::from(major), u32::from(minor))), spec.architecture.family());
            assert_eq!(product(spec.name), spec.product());
        }
        assert_eq!(family((99, 0)), "undefined");
    }
}
