//! Where things lie, and how `cargo` is called.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The target that the browser lab is compiled for.
pub const BROWSER: &str = "wasm32-unknown-unknown";
/// The target on which the engine's own tests run as WebAssembly.
pub const WASI: &str = "wasm32-wasip1";

/// The folder that holds the workspace's `Cargo.toml`.
///
/// `cargo xtask` sets the manifest folder when it runs us; a binary started by hand falls back to where it was
/// compiled.
pub fn root() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest.parent().map_or(manifest.clone(), Path::to_path_buf)
}

/// Cargo's output folder: `CARGO_TARGET_DIR`, the configuration's `build.target-dir`, or `target`.
///
/// # Errors
/// When `cargo metadata` cannot read the workspace.
pub fn target_dir() -> Result<PathBuf> {
    metadata()?["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .context("cargo metadata names no target folder")
}

/// The names of the workspace's packages that are meant for crates.io: those without `publish = false`.
///
/// # Errors
/// When `cargo metadata` cannot read the workspace.
pub fn publishable() -> Result<Vec<String>> {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
    // `publish` is null when any registry may have it, and the list of allowed ones otherwise.
    let public = packages.iter().filter(|package| package["publish"].is_null());
    Ok(public.filter_map(|package| package["name"].as_str().map(str::to_owned)).collect())
}

fn metadata() -> Result<serde_json::Value> {
    let output = cargo(["metadata", "--no-deps", "--format-version=1"]).output().context("cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A call of the same cargo that runs us, in the workspace's root.
///
/// Variables that cargo sets for *us* (our package's name, its folder) are not passed on: build scripts declare some
/// of them as inputs, and every build would be taken for a changed one.
pub fn cargo<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let shown = name.to_string_lossy();
        if shown.starts_with("CARGO_PKG_") || shown.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.current_dir(root()).args(arguments);
    command
}

/// Runs a command with our own standard streams.
///
/// # Errors
/// When it cannot be started, or ends with anything but success; the message shows the command.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// A command as one would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    std::iter::once(name)
        .chain(command.get_args().map(|a| a.to_string_lossy().into_owned()))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_the_folder_of_the_workspace_manifest() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn the_crates_for_everybody_are_publishable_and_the_tools_are_not() {
        let names = publishable().unwrap();
        assert!(names.iter().any(|name| name == "clusterlab"), "{names:?}");
        assert!(!names.iter().any(|name| name.starts_with("xtask")), "{names:?}");
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.args(["test", "--workspace"]);
        assert_eq!(shown(&command), "cargo test --workspace");
    }
}
