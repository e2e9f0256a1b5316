//! How the picture of the cluster is drawn: what a tile says, and how much detail fits.

use clusterlab::lab::view::{GpuView, NodeView, PodView};

/// How much of each machine is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A card with bars, every GPU and every pod.
    Card,
    /// A small tile with its name and how many GPUs are taken.
    Tile,
    /// A dot whose colour and fill tell how full it is.
    Dot,
}

impl Detail {
    /// What fits for that many machines: a picture of a thousand must not have ten thousand parts.
    pub const fn for_count(nodes: usize) -> Self {
        match nodes {
            0..=16 => Self::Card,
            17..=160 => Self::Tile,
            _ => Self::Dot,
        }
    }
}

/// What a GPU is doing, as the picture tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuState {
    /// Nobody has it.
    Free,
    /// A pod has it, and no kernel runs.
    Held,
    /// A pod has it and it works.
    Busy,
    /// The device plugin does not offer it.
    Unhealthy,
}

impl GpuState {
    /// Of this GPU.
    pub fn of(gpu: &GpuView) -> Self {
        match (gpu.unhealthy.is_empty(), &gpu.pod, gpu.utilization) {
            (false, ..) => Self::Unhealthy,
            (true, None, _) => Self::Free,
            (true, Some(_), 0) => Self::Held,
            (true, Some(_), _) => Self::Busy,
        }
    }

    /// Its CSS class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Held => "held",
            Self::Busy => "busy",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// How a pod's state looks: a class and a sign, so that colour is never alone.
pub fn pod_look(pod: &PodView) -> (&'static str, &'static str) {
    match (pod.phase.as_str(), pod.status.as_str()) {
        (_, "Terminating") => ("ending", "◌"),
        ("Succeeded", _) => ("succeeded", "✓"),
        ("Failed", _) => ("failed", "✕"),
        (_, status)
            if status.contains("BackOff") || status.starts_with("Err") || status.ends_with("Error") =>
        {
            ("failed", "!")
        }
        ("Running", _) => ("running", "▶"),
        _ if pod.node.is_none() => ("pending", "…"),
        _ => ("starting", "↻"),
    }
}

/// One of a few hues for a pod, always the same for the same name.
pub fn hue(key: &str) -> u32 {
    // FNV-1a; any spread will do, as long as it stays the same.
    let hash =
        key.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) % 8
}

/// How full something is, 0 to 100.
pub fn percent(used: u64, of: u64) -> u32 {
    used.saturating_mul(100).checked_div(of).unwrap_or(0).min(100) as u32
}

/// Free, held, busy and unhealthy GPUs of a node.
pub fn gpu_counts(node: &NodeView) -> [usize; 4] {
    let count = |state| node.gpus.iter().filter(|gpu| GpuState::of(gpu) == state).count();
    [count(GpuState::Free), count(GpuState::Held), count(GpuState::Busy), count(GpuState::Unhealthy)]
}

/// `3.9 TiB`, `512 MiB`: bytes for people.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = n as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 || value >= 100.0 || (value - value.round()).abs() < 0.05 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// `1.5`, `96`: cores from thousandths.
pub fn cores(milli: u64) -> String {
    if milli.is_multiple_of(1000) {
        (milli / 1000).to_string()
    } else {
        format!("{:.1}", milli as f64 / 1000.0)
    }
}

/// `H100` from `NVIDIA H100 80GB HBM3` or `NVIDIA-H100-80GB-HBM3`: what fits on a tile.
pub fn short_model(product: &str) -> &str {
    product
        .split([' ', '-'])
        .find(|word| *word != "NVIDIA" && *word != "Tesla" && !word.is_empty())
        .unwrap_or(product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short_and_true() {
        let check = |n: u64, want: &str| assert_eq!(bytes(n), want);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1 << 30, "1 GiB");
        check(3 << 29, "1.5 GiB");
        check(2_199_023_255_552, "2 TiB");
        check(u64::MAX, "16384 PiB");
        assert_eq!((cores(500).as_str(), cores(96_000).as_str()), ("0.5", "96"));
        assert_eq!((percent(1, 0), percent(5, 4), percent(1, 3)), (0, 100, 33));
        assert_eq!(short_model("NVIDIA H100 80GB HBM3"), "H100");
        assert_eq!(short_model("NVIDIA-L40S"), "L40S");
        assert_eq!(short_model("Tesla T4"), "T4");
    }

    #[test]
    fn a_pod_is_told_by_sign_as_well_as_by_colour() {
        let look = |phase: &str, status: &str, node: Option<&str>| {
            let pod = PodView {
                phase: phase.into(),
                status: status.into(),
                node: node.map(Into::into),
                ..PodView::default()
            };
            pod_look(&pod)
        };
        let looks = [
            look("Pending", "Pending", None),
            look("Pending", "ContainerCreating", Some("n")),
            look("Running", "Running", Some("n")),
            look("Succeeded", "Completed", Some("n")),
            look("Failed", "Error", Some("n")),
            look("Running", "CrashLoopBackOff", Some("n")),
            look("Pending", "ErrImagePull", Some("n")),
        ];
        assert_eq!(
            looks.map(|(class, _)| class),
            ["pending", "starting", "running", "succeeded", "failed", "failed", "failed"]
        );
    }

    #[test]
    fn a_gpu_is_unhealthy_before_anything_else() {
        let gpu = |unhealthy: &str, pod: Option<&str>, utilization| GpuView {
            unhealthy: unhealthy.into(),
            pod: pod.map(Into::into),
            utilization,
            ..GpuView::default()
        };
        assert_eq!(GpuState::of(&gpu("Xid 79", Some("a/b"), 50)), GpuState::Unhealthy);
        assert_eq!(GpuState::of(&gpu("", Some("a/b"), 50)), GpuState::Busy);
        assert_eq!(GpuState::of(&gpu("", Some("a/b"), 0)), GpuState::Held);
        assert_eq!(GpuState::of(&gpu("", None, 0)), GpuState::Free);
    }
}
