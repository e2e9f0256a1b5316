//! `cargo xtask gpu-check`: on a machine with NVIDIA GPUs, what `clusterlab-nvml` reads against what `nvidia-smi` says.
//!
//! The check is one test program without needs of its own, so that a machine without a toolchain and without a network
//! can run it: built here, carried there, started.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::{cargo, run as run_command};

/// The test of `clusterlab-nvml` that is the program.
const TEST: &str = "hardware";

/// Runs the check here, or with `build` only writes the program to that folder.
///
/// # Errors
/// When the program cannot be built, when there is no GPU, or when something differs from `nvidia-smi`.
pub fn run(build: Option<&Path>) -> Result<()> {
    let Some(folder) = build else {
        let mut command = cargo(["test", "--package", "clusterlab-nvml", "--test", TEST]);
        return run_command(command.env("CLUSTERLAB_GPU_CHECK", "1"));
    };
    let program = built()?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let target = folder.join(format!("gpu-check{}", std::env::consts::EXE_SUFFIX));
    std::fs::copy(&program, &target).with_context(|| format!("cannot write {}", target.display()))?;
    eprintln!("on the GPU machine: CLUSTERLAB_GPU_CHECK=1 {}", target.display());
    Ok(())
}

/// Builds the program; answers where it is.
fn built() -> Result<PathBuf> {
    let arguments =
        ["test", "--package", "clusterlab-nvml", "--test", TEST, "--no-run", "--message-format=json"];
    let output =
        cargo(arguments).stderr(std::process::Stdio::inherit()).output().context("cargo test --no-run")?;
    if !output.status.success() {
        bail!("the check cannot be built");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut programs = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let is_it = message["target"]["name"] == TEST;
        message["executable"].as_str().filter(|_| is_it).map(PathBuf::from)
    });
    programs.next_back().context("cargo names no program of the check")
}
