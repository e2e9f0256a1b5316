//! `cargo xtask lab`: from sources to a folder that any web host can serve, and a server for it.
//!
//! ```text
//! index.html             the lab
//! assets/<fingerprint>/  the program (wasm and its JavaScript), style, worker
//! book/                  the book in English
//! book/ko/               the book in Korean
//! ```
//!
//! Every link inside is relative, so the folder works under any path. The fingerprint is of the contents: a browser
//! that has an older lab in its cache can never mix the two, whatever the host says about caching.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::needs;
use crate::serve::Server;
use crate::workspace::{BROWSER, cargo, root, shown, target_dir};

/// Where `cargo xtask lab` serves when nothing else is asked.
pub const PORT: u16 = 8787;

/// How the lab is compiled. Functions get names that tell every instance of generic code from every other: by their names
/// they are put into one of the lab's two modules (`xtask/site/src/split`). Digests are computed by loops, not by the same
/// code sixty-four times.
const FLAGS: &str = "target.wasm32-unknown-unknown.rustflags=['-Csymbol-mangling-version=v0', '--cfg=sha2_backend_soft=\"compact\"']";

/// What to build and what to do with it.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port on the loopback address; 0 lets the system choose one.
    pub port: u16,
    /// Open the address in the browser.
    pub open: bool,
    /// Compile without optimising.
    pub dev: bool,
    /// Note which functions of the module run, to learn which of them a first visit needs.
    pub count: bool,
    /// Write the site here instead of serving it.
    pub out: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: PORT, open: false, dev: false, count: false, out: None }
    }
}

/// Builds, then serves or tells where the site lies.
///
/// # Errors
/// When a build fails, the folder is somebody else's, or the port is taken.
pub fn run(options: &Options) -> Result<()> {
    if let Some(out) = &options.out {
        build(options, out)?;
        println!("The site is in {}", out.display());
        return Ok(());
    }
    // Bound before the build: a taken port is better known now than in two minutes.
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
    let server = Server::bind(address).with_context(|| {
        format!("cannot listen on {address}; is another lab running? `--port 0` takes any free port")
    })?;
    let out = target_dir()?.join("site");
    build(options, &out)?;
    let address = format!("http://{}/", server.address());
    if options.open {
        open(&address);
    }
    println!("The lab:  {address}\nThe book: {address}book/\nCtrl-C ends.");
    server.run(&out);
    Ok(())
}

/// Where `cargo xtask test` puts the site that the browser tests load.
///
/// # Errors
/// When `cargo metadata` cannot read the workspace.
pub fn test_site() -> Result<PathBuf> {
    Ok(target_dir()?.join("test-site"))
}

/// Builds the site into `out`.
///
/// # Errors
/// When a build fails, or `out` holds files that this command has not written.
pub fn build(options: &Options, out: &Path) -> Result<()> {
    refuse_foreign(out)?;
    needs::target(BROWSER)?;
    let target = target_dir()?;
    let bar = progress_bar();

    let tool = cargo_arguments(&["-p", "xtask-site"], &[]);
    let (profile, folder) = if options.dev { ("dev", "debug") } else { ("wasm-release", "wasm-release") };
    let of_lab = ["--lib", "--target", BROWSER, "--profile", profile, "--config", FLAGS];
    let with_slurm = cargo_arguments(&["-p", "clusterlab-web"], &of_lab);
    let first_only = [&of_lab[..], &["--no-default-features"]].concat();
    let first_only = cargo_arguments(&["-p", "clusterlab-web"], &first_only);
    let crates =
        [crates_of(&["-p", "xtask-site"])?, crates_of(&["-p", "clusterlab-web", "--target", BROWSER])?];
    // Bundling and the two books count as a few crates each.
    bar.set_length(crates.iter().sum::<u64>() + 12);

    compile(&bar, "compiling the site builder", &tool, 0)?;
    let wasm = target.join(BROWSER).join(folder).join("clusterlab_web.wasm");
    // The module of the first visit goes without Slurm, which is in a second one for its own exercises; for development
    // one module with everything is enough.
    let first = target.join(BROWSER).join(folder).join("clusterlab_first.wasm");
    if !options.dev {
        compile(&bar, "compiling the lab", &first_only, crates[0])?;
        std::fs::copy(&wasm, &first).with_context(|| format!("cannot copy {}", wasm.display()))?;
    }
    if !options.count {
        compile(&bar, "compiling the lab with Slurm", &with_slurm, crates[0])?;
    }
    bar.set_position(crates.iter().sum());

    let program = target.join("debug").join(format!("xtask-site{}", std::env::consts::EXE_SUFFIX));
    let mut site = Command::new(program);
    site.arg("--root").arg(root()).arg("--out").arg(out);
    if options.dev {
        site.arg("--wasm").arg(wasm).arg("--dev");
    } else if options.count {
        site.arg("--wasm").arg(first).arg("--count");
    } else {
        site.arg("--wasm").arg(first).arg("--slurm").arg(wasm);
    }
    site.current_dir(root()).stdout(Stdio::piped());
    let name = shown(&site);
    let mut child = site.spawn().with_context(|| format!("cannot start {name}"))?;
    if let Some(stdout) = child.stdout.take() {
        // One line per part that it begins.
        for line in BufReader::new(stdout).lines() {
            say(&bar, &line?);
            bar.inc(3);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{name}` failed ({status})");
    }
    bar.finish_with_message("built");
    Ok(())
}

/// An empty or missing folder is fine, and so is one that holds a site of ours; anything else is not for us to fill.
fn refuse_foreign(out: &Path) -> Result<()> {
    let Ok(mut entries) = out.read_dir() else { return Ok(()) };
    let ours = out.join("index.html").is_file() && out.join("assets").is_dir();
    if entries.next().is_some() && !ours {
        bail!("{} is not empty and holds no site of this command; name another folder", out.display());
    }
    Ok(())
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(1);
    let style = ProgressStyle::with_template("{elapsed:>4} [{bar:32}] {percent:>3}% {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Shows what is being done; as a line of its own where there is no terminal to draw a bar on.
fn say(bar: &ProgressBar, text: &str) {
    if bar.is_hidden() {
        eprintln!("{text}");
    }
    bar.set_message(text.to_owned());
}

fn cargo_arguments<'a>(package: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["build", "--message-format=json-render-diagnostics", "--quiet"];
    arguments.extend_from_slice(package);
    arguments.extend_from_slice(more);
    arguments
}

/// How many crates stand behind a package, itself included: the length of its part of the bar.
fn crates_of(selection: &[&str]) -> Result<u64> {
    let mut arguments = vec!["tree", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"];
    arguments.extend_from_slice(selection);
    let output = cargo(arguments).output().context("cargo tree")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<_> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    Ok(crates.len() as u64)
}

/// Runs `cargo build` and moves the bar by one for each crate that is done.
fn compile(bar: &ProgressBar, what: &str, arguments: &[&str], base: u64) -> Result<()> {
    say(bar, what);
    let mut command = cargo(arguments);
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let mut done = BTreeSet::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let message: serde_json::Value = serde_json::from_str(&line?)?;
            if message["reason"] != "compiler-artifact" {
                continue;
            }
            if let Some(package) = message["package_id"].as_str() {
                done.insert(package.to_owned());
                bar.set_position(base + done.len() as u64);
            }
            if let Some(name) = message["target"]["name"].as_str() {
                bar.set_message(format!("{what}: {name}"));
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(&command));
    }
    Ok(())
}

/// Best effort: the address is printed anyway.
fn open(address: &str) {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let started = Command::new(program)
        .args(before)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if started.is_err() {
        eprintln!("no browser could be opened ({program} is missing)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_somebody_elses_files_is_left_alone() {
        let folder = std::env::temp_dir().join(format!("clusterlab-lab-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("assets")).unwrap();
        assert!(refuse_foreign(&folder).is_err());
        std::fs::write(folder.join("index.html"), "").unwrap();
        assert!(refuse_foreign(&folder).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(refuse_foreign(&folder).is_ok());
    }
}
