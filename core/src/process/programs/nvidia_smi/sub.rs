//! The subcommands: `topo -m`, `nvlink -s`, `mig -lgip` and `-lgipp`.

use std::fmt::Write as _;

use super::{Answer, View};
use crate::hardware::Gpu;

/// `topo -m`: who is connected to whom, and how.
///
/// Tabs between the cells, and the header underlined even into a file, as the
/// real program does.
pub(super) fn topology(view: &View<'_>, gpus: &[(usize, &Gpu)]) -> Answer {
    let shown: Vec<usize> = gpus.iter().filter_map(|(i, _)| view.index(*i)).collect();
    let mut topology = view.node.topology_of(&shown);
    // The table keeps the numbers that were asked for by `-i`.
    for (gpu, (i, _)) in topology.gpus.iter_mut().zip(gpus) {
        gpu.index = u32::try_from(*i).unwrap_or(u32::MAX);
    }
    Answer::ok(topology.matrix(true))
}

/// `nvlink -s`: every link and its speed; nothing for a GPU without NVLink.
pub(super) fn nvlink_status(gpus: &[(usize, &Gpu)]) -> String {
    let mut text = String::new();
    for (i, gpu) in gpus {
        let Some(nvlink) = gpu.spec.nvlink else { continue };
        let _ = writeln!(text, "GPU {i}: {} (UUID: {})", gpu.spec.name, gpu.uuid);
        for link in 0..nvlink.links {
            let (whole, thousandths) = (nvlink.link_mb_per_s / 1000, nvlink.link_mb_per_s % 1000);
            let _ = writeln!(text, "\t Link {link}: {whole}.{thousandths:03} GB/s");
        }
    }
    text
}

/// The GPUs that can be cut, or the complaint that there are none.
fn capable<'a>(gpus: &[(usize, &'a Gpu)]) -> Result<Vec<(usize, &'a Gpu)>, Answer> {
    let capable: Vec<_> = gpus.iter().copied().filter(|(_, gpu)| gpu.spec.mig_capable).collect();
    if capable.is_empty() { Err(Answer::fail(6, "No MIG-supported devices found.\n")) } else { Ok(capable) }
}

/// `mig -lgip`: the profiles. None is free until MIG mode is on.
pub(super) fn mig_profiles(gpus: &[(usize, &Gpu)]) -> Answer {
    let gpus = match capable(gpus) {
        Ok(gpus) => gpus,
        Err(answer) => return answer,
    };
    let edge = format!("+{}+\n", "-".repeat(77));
    let mut text = edge.clone();
    text += "| GPU instance profiles:                                                      |\n";
    text += "| GPU   Name             ID    Instances   Memory     P2P    SM    DEC   ENC  |\n";
    text += "|                              Free/Total   GiB              CE    JPEG  OFA  |\n";
    let _ = writeln!(text, "|{}|", "=".repeat(77));
    for (i, gpu) in gpus {
        for profile in gpu.model.mig_profiles() {
            let free = if gpu.mig_enabled { profile.instances_max } else { 0 };
            let memory = profile
                .memory_centi_gib
                .map_or_else(|| "N/A".to_owned(), |centi| format!("{}.{:02}", centi / 100, centi % 100));
            let sms = profile.sms.map_or_else(|| "N/A".to_owned(), |sms| sms.to_string());
            let _ = writeln!(
                text,
                "| {i:>3}  {:<16} {:>3}     {:<11}{memory:<11}No     {sms:<7}{}     0   |",
                format!("MIG {}", profile.name),
                profile.id,
                format!("{free}/{}", profile.instances_max),
                profile.decoders,
            );
            let _ = writeln!(
                text,
                "|{:61}{:<6}{}     {}   |",
                "", profile.copy_engines, profile.jpegs, profile.ofas
            );
            text += &edge;
        }
    }
    Answer::ok(text)
}

/// `mig -lgipp`: where instances of each profile may begin.
pub(super) fn mig_placements(gpus: &[(usize, &Gpu)]) -> Answer {
    let gpus = match capable(gpus) {
        Ok(gpus) => gpus,
        Err(answer) => return answer,
    };
    let mut text = String::new();
    for (i, gpu) in gpus {
        for profile in gpu.model.mig_profiles() {
            let starts: Vec<String> = profile.starts.iter().map(u8::to_string).collect();
            let word = if starts.len() == 1 { "Placement " } else { "Placements" };
            let _ = writeln!(
                text,
                "GPU {i:>2} Profile ID {:>2} {word}: {{{}}}:{}",
                profile.id,
                starts.join(","),
                profile.memory_slices
            );
        }
    }
    Answer::ok(text)
}
