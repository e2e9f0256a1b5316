//! Which repositories and tags exist, and what their images contain.
//!
//! One row per repository: a rule for its tags and a recipe. Sizes are those of
//! the real images, compressed, rounded; digests follow from the names.

use super::image::{Rootfs, Tool};

/// The script that PyTorch images carry. Its first comment tells the simulated
/// Python how to run it.
const TRAIN_PY: &str = "\
# clusterlab: train
\"\"\"Trains a small model on random data (simulated).

python train.py [--epochs N] [--steps-per-epoch N] [--step-time SECONDS]
                [--batch-size N] [--gpu-util PERCENT] [--gpu-memory MIB]
                [--log-every N] [--seed N] [--fail-at-step N] [--oom]
                [--checkpoint-dir DIR] [--resume]

Another script with a first line such as `# clusterlab: train --epochs 10` runs
the same way with those options as its defaults.
\"\"\"
";

/// What an image is made of.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) size_bytes: u64,
    /// The name and size of the lower layers that it shares with others.
    pub(super) base: Option<(&'static str, u64)>,
    pub(super) entrypoint: Vec<&'static str>,
    pub(super) cmd: Vec<&'static str>,
    pub(super) env: Vec<(&'static str, String)>,
    pub(super) working_dir: &'static str,
    pub(super) rootfs: Rootfs,
    pub(super) tools: Vec<Tool>,
    pub(super) content: Vec<(&'static str, &'static str)>,
}

/// The answer of the catalogue.
pub(super) enum Lookup {
    Found(Box<Recipe>),
    NoTag,
    NoRepository,
}

const MB: u64 = 1_000_000;

impl Recipe {
    fn new(size_bytes: u64, rootfs: Rootfs, cmd: &[&'static str]) -> Self {
        Self {
            size_bytes,
            base: None,
            entrypoint: Vec::new(),
            cmd: cmd.to_vec(),
            env: vec![("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned())],
            working_dir: "/",
            rootfs,
            tools: Vec::new(),
            content: Vec::new(),
        }
    }

    fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    fn on(mut self, base: &'static str, size_bytes: u64) -> Self {
        self.base = Some((base, size_bytes));
        self
    }

    fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    fn in_dir(mut self, directory: &'static str) -> Self {
        self.working_dir = directory;
        self
    }

    /// What every CUDA image says, so that the container runtime gives it the driver.
    fn cuda(self, version: &str) -> Self {
        self.env("CUDA_VERSION", version)
            .env("NVIDIA_VISIBLE_DEVICES", "all")
            .env("NVIDIA_DRIVER_CAPABILITIES", "compute,utility")
    }
}

/// Looks `tag` of a repository up.
pub(super) fn look_up(repository: &str, tag: &str) -> Lookup {
    let found = match repository {
        "docker.io/library/busybox" => tagged(
            tag,
            &["latest", "stable", "musl", "glibc", "uclibc"],
            &["1.34", "1.35", "1.36", "1.37"],
            &["-musl", "-glibc", "-uclibc"],
        )
        .then(|| Recipe::new(2_156_519, Rootfs::Busybox, &["sh"])),
        "docker.io/library/alpine" => {
            tagged(tag, &["latest", "3", "edge"], &["3.18", "3.19", "3.20", "3.21", "3.22"], &[])
                .then(|| Recipe::new(3_628_610, Rootfs::Alpine, &["/bin/sh"]).on("alpine", 3_628_610))
        }
        "docker.io/library/ubuntu" => {
            let names = ["latest", "focal", "jammy", "noble", "20.04", "22.04", "24.04", "25.04", "rolling"];
            names
                .contains(&tag)
                .then(|| Recipe::new(29_700_000, Rootfs::Ubuntu, &["/bin/bash"]).on("ubuntu", 29_700_000))
        }
        "docker.io/library/debian" => {
            let names = ["latest", "stable", "bullseye", "bookworm", "trixie", "11", "12", "13"];
            let slim = tag.strip_suffix("-slim");
            names.contains(&slim.unwrap_or(tag)).then(|| {
                let size = if slim.is_some() { 28_200_000 } else { 48_500_000 };
                Recipe::new(size, Rootfs::Debian, &["bash"]).on("debian", size)
            })
        }
        "docker.io/library/nginx" => {
            let minors = ["1.24", "1.25", "1.26", "1.27", "1.28", "1.29"];
            let suffixes = ["-alpine", "-bookworm", "-perl", "-alpine-slim"];
            tagged(tag, &["latest", "stable", "mainline", "alpine", "1"], &minors, &suffixes).then(|| {
                let recipe = if tag.contains("alpine") {
                    Recipe::new(20_500_000, Rootfs::Alpine, &[]).on("alpine", 3_628_610)
                } else {
                    Recipe::new(72_188_133, Rootfs::Debian, &[]).on("debian-slim", 28_200_000)
                };
                let version = version_of(tag, "1.29.0");
                let recipe = recipe.tool(Tool::Nginx).env("NGINX_VERSION", &version);
                Recipe { cmd: vec!["nginx", "-g", "daemon off;"], ..recipe }
            })
        }
        "docker.io/library/python" => {
            let minors = ["3.9", "3.10", "3.11", "3.12", "3.13"];
            let suffixes = ["-slim", "-alpine", "-bookworm", "-slim-bookworm"];
            tagged(tag, &["latest", "3", "slim", "3-slim", "alpine", "3-alpine"], &minors, &suffixes).then(
                || {
                    let recipe = if tag.contains("alpine") {
                        Recipe::new(17_500_000, Rootfs::Alpine, &["python3"]).on("alpine", 3_628_610)
                    } else if tag.contains("slim") {
                        Recipe::new(45_600_000, Rootfs::Debian, &["python3"]).on("debian-slim", 28_200_000)
                    } else {
                        Recipe::new(386 * MB, Rootfs::Development, &["python3"]).on("debian", 48_500_000)
                    };
                    recipe.tool(Tool::Python).env("PYTHON_VERSION", &version_of(tag, "3.13.5"))
                },
            )
        }
        "docker.io/library/redis" => tagged(
            tag,
            &["latest", "alpine", "6", "7", "8", "7-alpine", "8-alpine"],
            &["6.2", "7.2", "7.4", "8.0"],
            &["-alpine", "-bookworm"],
        )
        .then(|| {
            let rootfs = if tag.contains("alpine") { Rootfs::Alpine } else { Rootfs::Debian };
            Recipe::new(45 * MB, rootfs, &["redis-server"])
                .tool(Tool::Redis)
                .env("REDIS_VERSION", &version_of(tag, "8.0.2"))
                .in_dir("/data")
        }),
        "docker.io/library/postgres" => {
            let plain = ["latest", "alpine", "14", "15", "16", "17", "16-alpine", "17-alpine"];
            tagged(tag, &plain, &["14", "15", "16", "17"], &["-alpine", "-bookworm"]).then(|| {
                let rootfs = if tag.contains("alpine") { Rootfs::Alpine } else { Rootfs::Debian };
                Recipe::new(152 * MB, rootfs, &["postgres"])
                    .tool(Tool::Postgres)
                    .env("PG_MAJOR", tag.split(['.', '-']).next().unwrap_or("17"))
            })
        }
        "docker.io/envoyproxy/envoy" => {
            let minors = ["v1.29", "v1.30", "v1.31", "v1.32", "v1.33", "v1.34"];
            // Real Envoy has full versions and `vX.Y-latest`; `vX.Y` is taken for the latter.
            tagged(tag, &[], &minors, &["-latest"]).then(|| {
                Recipe::new(71 * MB, Rootfs::Ubuntu, &["envoy", "-c", "/etc/envoy/envoy.yaml"])
                    .tool(Tool::Envoy)
            })
        }
        "registry.k8s.io/pause" => {
            tagged(tag, &["latest"], &["3.5", "3.6", "3.7", "3.8", "3.9", "3.10"], &[]).then(|| Recipe {
                entrypoint: vec!["/pause"],
                ..Recipe::new(320_368, Rootfs::Empty, &[]).tool(Tool::Pause)
            })
        }
        "nvcr.io/nvidia/k8s/dcgm-exporter" => dcgm_exporter(tag),
        "docker.io/nvidia/cuda" | "nvcr.io/nvidia/cuda" => cuda(tag),
        "nvcr.io/nvidia/k8s/cuda-sample" => cuda_sample(tag),
        "nvcr.io/nvidia/pytorch" => ngc_pytorch(tag),
        "docker.io/pytorch/pytorch" => hub_pytorch(tag),
        _ => return Lookup::NoRepository,
    };
    found.map_or(Lookup::NoTag, |recipe| Lookup::Found(Box::new(recipe)))
}

/// Whether `tag` is one of `plain`, or one of `minors` with or without a patch
/// number and one of `suffixes`.
fn tagged(tag: &str, plain: &[&str], minors: &[&str], suffixes: &[&str]) -> bool {
    if plain.contains(&tag) {
        return true;
    }
    let (version, suffix) = tag.split_at(tag.find('-').unwrap_or(tag.len()));
    let known = minors.iter().any(|minor| {
        version
            .strip_prefix(minor)
            .is_some_and(|rest| rest.is_empty() || rest.strip_prefix('.').is_some_and(is_number))
    });
    known && (suffix.is_empty() || suffixes.contains(&suffix))
}

/// A patch level, which no repository of the catalogue counts beyond two digits.
fn is_number(text: &str) -> bool {
    (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The version that a tag names, `newest` for `latest` and its like.
fn version_of(tag: &str, newest: &str) -> String {
    let version = tag.split('-').next().unwrap_or(tag);
    let full = version.split('.').count() >= 3;
    match version.bytes().next() {
        Some(b'0'..=b'9') if full => version.to_owned(),
        Some(b'0'..=b'9') if version.contains('.') => format!("{version}.5"),
        _ => newest.to_owned(),
    }
}

/// `12.4.1-base-ubuntu22.04`: there is no `latest`, and no `12.4`.
fn cuda(tag: &str) -> Option<Recipe> {
    const VERSIONS: [&str; 19] = [
        "11.8.0", "12.0.0", "12.0.1", "12.1.0", "12.1.1", "12.2.0", "12.2.2", "12.3.1", "12.3.2", "12.4.0",
        "12.4.1", "12.5.0", "12.5.1", "12.6.0", "12.6.2", "12.6.3", "12.8.0", "12.8.1", "12.9.1",
    ];
    const SYSTEMS: [&str; 6] =
        ["ubuntu20.04", "ubuntu22.04", "ubuntu24.04", "rockylinux8", "rockylinux9", "ubi9"];
    let (version, rest) = tag.split_once('-')?;
    let (flavour, system) = rest.rsplit_once('-')?;
    if !VERSIONS.contains(&version) || !SYSTEMS.contains(&system) {
        return None;
    }
    // Ubuntu 24.04 has images from CUDA 12.5 on.
    let minor: u32 =
        version.strip_prefix("12.").and_then(|v| v.split('.').next()).map_or(0, |m| m.parse().unwrap_or(0));
    if system == "ubuntu24.04" && minor < 5 {
        return None;
    }
    let (size_mb, development) = match flavour {
        "base" => (88, false),
        "runtime" => (1_190, false),
        "cudnn-runtime" => (2_080, false),
        "devel" => (3_850, true),
        "cudnn-devel" => (4_730, true),
        _ => return None,
    };
    let (rootfs, tools) =
        if development { (Rootfs::Development, vec![Tool::Nvcc]) } else { (Rootfs::Ubuntu, Vec::new()) };
    let recipe = Recipe::new(size_mb * MB, rootfs, &["/bin/bash"]).on("ubuntu", 29_700_000).cuda(version);
    Some(Recipe { tools, ..recipe })
}

/// `vectoradd-cuda12.5.0-ubuntu22.04`.
fn cuda_sample(tag: &str) -> Option<Recipe> {
    const VERSIONS: [&str; 5] = ["10.2", "11.2.1", "11.6.0", "11.7.1", "12.5.0"];
    let rest = tag.strip_prefix("vectoradd-cuda")?;
    let (version, system) = rest.split_once('-').unwrap_or((rest, ""));
    let known = matches!(system, "" | "ubuntu18.04" | "ubuntu20.04" | "ubuntu22.04" | "ubi8");
    (VERSIONS.contains(&version) && known).then(|| {
        Recipe::new(158 * MB, Rootfs::Ubuntu, &["sh", "-c", "./vectorAdd"])
            .tool(Tool::VectorAdd)
            .on("ubuntu", 29_700_000)
            .cuda(version)
            .in_dir("/cuda-samples")
    })
}

fn dcgm_exporter(tag: &str) -> Option<Recipe> {
    let version = tag.split('-').next().unwrap_or(tag);
    let known = ["3.3.", "4.0.", "4.1.", "4.2.", "4.4."].iter().any(|v| version.starts_with(v));
    known
        .then(|| {
            Recipe::new(680 * MB, Rootfs::Ubuntu, &["-f", "/etc/dcgm-exporter/default-counters.csv"])
                .tool(Tool::DcgmExporter)
        })
        .map(|recipe| Recipe { entrypoint: vec!["dcgm-exporter"], ..recipe }.cuda("12.8.1"))
}

/// `25.06-py3`: a year and a month.
fn ngc_pytorch(tag: &str) -> Option<Recipe> {
    let (year, month) = tag.strip_suffix("-py3")?.split_once('.')?;
    let (year, month): (u32, u32) = (year.parse().ok()?, month.parse().ok()?);
    let exists = (23..=25).contains(&year) && (1..=12).contains(&month) && tag.len() == "25.06-py3".len();
    exists.then(|| {
        pytorch(10_100 * MB, Rootfs::Development, "2.8.0a0", if year < 25 { "12.4.1" } else { "12.9.1" })
    })
}

/// `2.7.0-cuda12.6-cudnn9-runtime`.
fn hub_pytorch(tag: &str) -> Option<Recipe> {
    const VERSIONS: [(&str, &str); 6] = [
        ("2.3.1-cuda12.1-cudnn8", "12.1.1"),
        ("2.4.1-cuda12.4-cudnn9", "12.4.1"),
        ("2.5.1-cuda12.4-cudnn9", "12.4.1"),
        ("2.6.0-cuda12.4-cudnn9", "12.4.1"),
        ("2.7.0-cuda12.6-cudnn9", "12.6.3"),
        ("2.7.1-cuda12.6-cudnn9", "12.6.3"),
    ];
    let tag = if tag == "latest" { "2.7.1-cuda12.6-cudnn9-runtime" } else { tag };
    let (build, flavour) = tag.rsplit_once('-')?;
    let (_, cuda) = VERSIONS.iter().find(|(name, _)| *name == build)?;
    let version = build.split('-').next()?;
    match flavour {
        "runtime" => Some(pytorch(3_200 * MB, Rootfs::Ubuntu, version, cuda)),
        "devel" => Some(pytorch(7_500 * MB, Rootfs::Development, version, cuda)),
        _ => None,
    }
}

fn pytorch(size_bytes: u64, rootfs: Rootfs, version: &str, cuda: &str) -> Recipe {
    let mut recipe = Recipe::new(size_bytes, rootfs, &["/bin/bash"])
        .tool(Tool::PyTorch)
        .on("ubuntu", 29_700_000)
        .cuda(cuda)
        .env("PYTORCH_VERSION", version)
        .in_dir("/workspace");
    if rootfs == Rootfs::Development {
        recipe.tools.push(Tool::Nvcc);
    }
    recipe.content.push(("/workspace/train.py", TRAIN_PY));
    recipe
}
