//! Multi-Instance GPU: into what a card can be cut.
//!
//! A card has 8 memory slices and 7 compute slices. A profile takes a run of
//! memory slices at one of its allowed starts and some compute slices; a set of
//! instances fits if the runs do not overlap and the compute slices do not
//! exceed 7. The sizes differ by card, the geometry does not: profile ids and
//! placements are the same for A100, H100, H200 and B200 (NVML:
//! `nvmlDeviceGetGpuInstanceProfileInfo`, `nvidia-smi mig -lgip` and `-lgipp`).

use serde::Serialize;

use super::GpuModel;

/// Memory slices of a card.
pub const MEMORY_SLICES: u8 = 8;
/// Compute slices of a card.
pub const COMPUTE_SLICES: u8 = 7;

/// A GPU instance profile of one card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MigProfile {
    /// Such as `1g.10gb`; `+me` has the media engines.
    pub name: &'static str,
    /// NVML's profile id, as `nvidia-smi mig -cgi` takes it.
    pub id: u8,
    /// How many fit on an empty card.
    pub instances_max: u8,
    /// Compute slices.
    pub compute_slices: u8,
    /// Memory slices.
    pub memory_slices: u8,
    /// Memory slices at which an instance may begin.
    pub starts: &'static [u8],
    /// Streaming multiprocessors, where a real card has told.
    pub sms: Option<u16>,
    /// Memory in hundredths of a GiB, where a real card has told.
    pub memory_centi_gib: Option<u16>,
    /// Copy engines.
    pub copy_engines: u8,
    /// Video decoders.
    pub decoders: u8,
    /// JPEG engines.
    pub jpegs: u8,
    /// Optical flow accelerators.
    pub ofas: u8,
}

/// The profiles of a model in the order of `nvidia-smi mig -lgip`; empty for a
/// card without MIG.
pub const fn profiles(model: GpuModel) -> &'static [MigProfile] {
    match model {
        GpuModel::T4 | GpuModel::L40s => &[],
        GpuModel::A100Sxm4_40 => &A100_40,
        GpuModel::A100Sxm4_80 => &A100_80,
        GpuModel::H100Sxm5 => &H100,
        GpuModel::H200Sxm5 => &H200,
        GpuModel::B200 => &B200,
    }
}

/// The geometry that all cards share: profile id, instances, compute slices,
/// memory slices, starts.
#[derive(Clone, Copy)]
struct Shape(u8, u8, u8, u8, &'static [u8]);

const G1: Shape = Shape(19, 7, 1, 1, &[0, 1, 2, 3, 4, 5, 6]);
const G1_MEDIA: Shape = Shape(20, 1, 1, 1, &[0, 1, 2, 3, 4, 5, 6]);
const G1_DOUBLE: Shape = Shape(15, 4, 1, 2, &[0, 2, 4, 6]);
const G2: Shape = Shape(14, 3, 2, 2, &[0, 2, 4]);
const G3: Shape = Shape(9, 2, 3, 4, &[0, 4]);
const G4: Shape = Shape(5, 1, 4, 4, &[0]);
const G7: Shape = Shape(0, 1, 7, 8, &[0]);

/// One row: what differs by card. SMs and memory are 0 where no real card has
/// told; engines are copy, decode, JPEG, optical flow.
const fn row(
    name: &'static str,
    shape: Shape,
    sms: u16,
    memory_centi_gib: u16,
    engines: [u8; 4],
) -> MigProfile {
    let Shape(id, instances_max, compute_slices, memory_slices, starts) = shape;
    MigProfile {
        name,
        id,
        instances_max,
        compute_slices,
        memory_slices,
        starts,
        sms: if sms == 0 { None } else { Some(sms) },
        memory_centi_gib: if memory_centi_gib == 0 { None } else { Some(memory_centi_gib) },
        copy_engines: engines[0],
        decoders: engines[1],
        jpegs: engines[2],
        ofas: engines[3],
    }
}

const A100_40: [MigProfile; 7] = [
    row("1g.5gb", G1, 14, 475, [1, 0, 0, 0]),
    row("1g.5gb+me", G1_MEDIA, 14, 475, [1, 1, 1, 1]),
    row("1g.10gb", G1_DOUBLE, 14, 962, [1, 1, 0, 0]),
    row("2g.10gb", G2, 28, 962, [2, 1, 0, 0]),
    row("3g.20gb", G3, 42, 1950, [3, 2, 0, 0]),
    row("4g.20gb", G4, 56, 1950, [4, 2, 0, 0]),
    row("7g.40gb", G7, 98, 3925, [7, 5, 1, 1]),
];

const A100_80: [MigProfile; 7] = [
    row("1g.10gb", G1, 14, 950, [1, 0, 0, 0]),
    row("1g.10gb+me", G1_MEDIA, 14, 950, [1, 1, 1, 1]),
    row("1g.20gb", G1_DOUBLE, 14, 1950, [1, 1, 0, 0]),
    row("2g.20gb", G2, 28, 1950, [2, 1, 0, 0]),
    row("3g.40gb", G3, 42, 3925, [3, 2, 0, 0]),
    row("4g.40gb", G4, 56, 3925, [4, 2, 0, 0]),
    row("7g.80gb", G7, 98, 7875, [7, 5, 1, 1]),
];

const H100: [MigProfile; 7] = [
    row("1g.10gb", G1, 16, 975, [1, 1, 1, 0]),
    row("1g.10gb+me", G1_MEDIA, 16, 975, [1, 1, 1, 1]),
    row("1g.20gb", G1_DOUBLE, 26, 1962, [1, 1, 1, 0]),
    row("2g.20gb", G2, 32, 1962, [2, 2, 2, 0]),
    row("3g.40gb", G3, 60, 3950, [3, 3, 3, 0]),
    row("4g.40gb", G4, 64, 3950, [4, 4, 4, 0]),
    row("7g.80gb", G7, 132, 7925, [8, 7, 7, 1]),
];

const H200: [MigProfile; 7] = [
    row("1g.18gb", G1, 16, 1600, [1, 1, 1, 0]),
    row("1g.18gb+me", G1_MEDIA, 16, 1600, [1, 1, 1, 1]),
    row("1g.35gb", G1_DOUBLE, 26, 0, [1, 1, 1, 0]),
    row("2g.35gb", G2, 32, 3250, [2, 2, 2, 0]),
    row("3g.71gb", G3, 60, 6975, [3, 3, 3, 0]),
    row("4g.71gb", G4, 64, 6975, [4, 4, 4, 0]),
    row("7g.141gb", G7, 132, 14000, [8, 7, 7, 1]),
];

const B200: [MigProfile; 7] = [
    row("1g.23gb", G1, 0, 0, [2, 1, 1, 0]),
    row("1g.23gb+me", G1_MEDIA, 0, 0, [2, 1, 1, 1]),
    row("1g.45gb", G1_DOUBLE, 0, 0, [2, 1, 1, 0]),
    row("2g.45gb", G2, 0, 0, [3, 1, 1, 0]),
    row("3g.90gb", G3, 0, 0, [6, 1, 1, 0]),
    row("4g.90gb", G4, 0, 0, [8, 1, 1, 0]),
    row("7g.180gb", G7, 0, 0, [16, 1, 1, 1]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    /// The facts gathered from real cards and NVIDIA's documents.
    fn recorded() -> Value {
        serde_json::from_str(include_str!("../../tests/fixtures/mig_profiles.json")).unwrap()
    }

    #[test]
    fn the_tables_are_those_of_real_cards() {
        let recorded = recorded();
        for (model, card) in [
            (GpuModel::A100Sxm4_40, "A100-SXM4-40GB"),
            (GpuModel::A100Sxm4_80, "A100-SXM4-80GB"),
            (GpuModel::H100Sxm5, "H100-80GB-HBM3"),
            (GpuModel::H200Sxm5, "H200-141GB"),
            (GpuModel::B200, "B200-180GB"),
        ] {
            let card = &recorded["cards"][card];
            assert_eq!(card["memory_slices"], MEMORY_SLICES);
            assert_eq!(card["compute_slices"], COMPUTE_SLICES);
            let ours: Vec<Value> = profiles(model)
                .iter()
                .map(|p| {
                    json!({
                        "name": p.name,
                        "profile_id": p.id,
                        "instances_max": p.instances_max,
                        "compute_slices": p.compute_slices,
                        "placements_start_size":
                            p.starts.iter().map(|s| [*s, p.memory_slices]).collect::<Vec<_>>(),
                        "sm": p.sms,
                        "memory_gib": p.memory_centi_gib.map(|c| f64::from(c) / 100.0),
                        "copy_engines": p.copy_engines,
                        "nvdec": p.decoders,
                        "nvjpg": p.jpegs,
                        "ofa": p.ofas,
                    })
                })
                .collect();
            assert_eq!(card["profiles"], Value::Array(ours), "{model}");
        }
        assert!(!GpuModel::T4.spec().mig_capable && profiles(GpuModel::T4).is_empty());
    }

    /// All sets of instances that fit, by trying every placement.
    fn fitting(table: &[MigProfile]) -> BTreeSet<Vec<&'static str>> {
        fn place(
            table: &[MigProfile],
            used: u8,
            compute: u8,
            chosen: &mut Vec<&'static str>,
            found: &mut BTreeSet<Vec<&'static str>>,
        ) {
            let mut sorted = chosen.clone();
            sorted.sort_unstable();
            found.insert(sorted);
            for profile in table {
                for start in profile.starts {
                    let run = (u16::from(u8::MAX) >> (8 - profile.memory_slices)) << start;
                    let overlaps = u16::from(used) & run != 0;
                    if overlaps || compute + profile.compute_slices > COMPUTE_SLICES {
                        continue;
                    }
                    chosen.push(profile.name);
                    place(table, used | run as u8, compute + profile.compute_slices, chosen, found);
                    chosen.pop();
                }
            }
        }
        let mut found = BTreeSet::new();
        place(table, 0, 0, &mut Vec::new(), &mut found);
        found
    }

    #[test]
    fn placements_allow_exactly_the_sets_that_real_cards_allow() {
        // The recorded sets leave out `+me`, which is a 1g with more engines.
        let table: Vec<MigProfile> =
            profiles(GpuModel::H100Sxm5).iter().filter(|p| p.id != G1_MEDIA.0).copied().collect();
        let short = |name: &'static str| match name {
            "1g.20gb" => "1g2m",
            name => name.split('.').next().unwrap(),
        };
        let ours: BTreeSet<Vec<&str>> = fitting(&table)
            .into_iter()
            .map(|set| {
                let mut set: Vec<&str> = set.into_iter().map(short).collect();
                set.sort_unstable();
                set
            })
            .collect();
        let recorded = recorded();
        let theirs: BTreeSet<Vec<&str>> = recorded["feasible_multisets_7slice"]
            .as_array()
            .unwrap()
            .iter()
            .map(|set| set.as_array().unwrap().iter().map(|p| p.as_str().unwrap()).collect())
            .collect();
        assert_eq!(ours, theirs);
        assert_eq!(ours.len(), 78);
    }
}
