//! What the checks need from the machine. What is missing is installed where that is allowed; elsewhere the run stops
//! with one line that says what to install.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace::run;

/// Sees to it that rustc can compile for `target`.
///
/// # Errors
/// When the target's standard library is missing and rustup cannot add it.
pub fn target(target: &str) -> Result<()> {
    if has_target(target)? {
        return Ok(());
    }
    if !starts("rustup") {
        bail!("the compiler has no {target} target: install it (with rustup: `rustup target add {target}`)");
    }
    eprintln!("adding the {target} target: rustup target add {target}");
    run(Command::new("rustup").args(["target", "add", target]))
}

fn has_target(target: &str) -> Result<bool> {
    let output = Command::new("rustc").args(["--print", "sysroot"]).output().context("cannot start rustc")?;
    let sysroot = String::from_utf8_lossy(&output.stdout);
    Ok(Path::new(sysroot.trim()).join("lib/rustlib").join(target).join("lib").is_dir())
}

/// Sees to it that `cargo fmt` and `cargo clippy` are there. `rust-toolchain.toml` names both, but automatic
/// installation may be switched off.
///
/// # Errors
/// When a component is missing and rustup cannot add it.
pub fn components() -> Result<()> {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if has_subcommand(command) {
            continue;
        }
        if !starts("rustup") {
            bail!("`cargo {command}` is missing: install the {component} component of your Rust toolchain");
        }
        eprintln!("adding the {component} component: rustup component add {component}");
        run(Command::new("rustup").args(["component", "add", component]))?;
    }
    Ok(())
}

/// Whether `cargo NAME` can be called.
pub fn has_subcommand(name: &str) -> bool {
    let mut command = crate::workspace::cargo([name, "--version"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Sees to it that Chromium, its driver and a font with Korean letters are there.
///
/// # Errors
/// When one is missing and this is not a Debian or Ubuntu on which we are root, or the installation fails.
pub fn chromium() -> Result<()> {
    let missing = missing_for_the_browser();
    if missing.is_empty() {
        return Ok(());
    }
    let packages = missing.join(" ");
    if !starts("apt-get") || !is_root() {
        bail!(
            "the browser tests need Chromium, its driver and a Korean font; on Debian or Ubuntu: \
             sudo apt-get install -y {packages} (or leave them out with --fast)"
        );
    }
    eprintln!("installing: apt-get install -y {packages}");
    let mut install = apt_get(&["install", "-y", "--no-install-recommends"]);
    install.args(&missing);
    if run(&mut install).is_err() {
        // A fresh container has no package lists yet, or stale ones.
        run(&mut apt_get(&["update"]))?;
        run(&mut install)?;
    }
    let missing = missing_for_the_browser();
    if !missing.is_empty() {
        bail!("installed, yet still missing: {}", missing.join(" "));
    }
    Ok(())
}

pub(crate) fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments).stdin(Stdio::null());
    command
}

fn missing_for_the_browser() -> Vec<&'static str> {
    let mut missing = Vec::new();
    if find_program(&["chromium", "chromium-browser", "google-chrome"]).is_none() {
        missing.push("chromium");
    }
    if find_program(&["chromedriver"]).is_none() {
        missing.push("chromium-driver");
    }
    if !has_korean_font() {
        missing.push("fonts-noto-cjk");
    }
    missing
}

/// Without fontconfig nobody can tell, and the screenshots are the only thing that would suffer.
fn has_korean_font() -> bool {
    let fonts = Command::new("fc-list").args([":lang=ko", "family"]).output();
    fonts.is_ok_and(|output| !output.stdout.is_empty())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

pub(crate) fn starts(program: &str) -> bool {
    find_program(&[program]).is_some()
}

/// The first of `names` that is found on `PATH`.
pub fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
    })
}
