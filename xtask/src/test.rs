//! `cargo xtask test`: every check that there is, one after the other, the quick ones first.
//!
//! All steps share one target folder and, but for the lab itself, one profile, so that little is compiled twice. The
//! last step is always a test run, whose own closing lines are the end of the output.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::lab;
use crate::needs;
use crate::nvml_clients;
use crate::workspace::{BROWSER, WASI, cargo, publishable, run as run_command, target_dir};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Leave out the steps that build the browser lab.
    pub fast: bool,
    /// Also the checks that take their time and find little between two nights.
    pub nightly: bool,
    /// Only these steps; empty means all.
    pub only: Vec<String>,
}

struct Step {
    name: &'static str,
    about: &'static str,
    /// Left out by `--fast`.
    slow: bool,
    run: fn() -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", about: "formatting", slow: false, run: fmt },
    Step { name: "deny", about: "licences, advisories and sources of dependencies", slow: false, run: deny },
    Step { name: "package", about: "what crates.io would be given", slow: false, run: package },
    Step { name: "clippy", about: "lints, warnings denied", slow: false, run: clippy },
    Step { name: "doc", about: "API documentation, warnings denied", slow: false, run: doc },
    Step { name: "clippy-web", about: "lints of the browser lab for wasm32", slow: true, run: clippy_web },
    Step { name: "wasm", about: "the engine's tests on wasm32", slow: true, run: wasm },
    Step { name: "doctest", about: "examples in the documentation", slow: false, run: doctest },
    Step { name: "test", about: "unit, property and snapshot tests, and the book", slow: false, run: test },
    Step { name: "site", about: "build the browser lab and the book", slow: true, run: site },
    Step { name: "browser", about: "the lab in a real Chromium", slow: true, run: browser },
];

/// What is run with `--nightly`, before everything else.
const NIGHTLY: &[Step] = &[Step {
    name: "memory",
    about: "memory over 100,000 scrapes of the NVML exporter (only with --nightly)",
    slow: false,
    run: memory,
}];

/// Names and purposes of all steps, one per line, for `--list`.
pub fn list() -> String {
    let mut text = String::new();
    for step in NIGHTLY.iter().chain(STEPS) {
        let left_out = if step.slow { " (not with --fast)" } else { "" };
        let _ = writeln!(text, "{:<11} {}{left_out}", step.name, step.about);
    }
    text
}

/// Runs the chosen steps; stops at the first that fails.
///
/// # Errors
/// Names the step that failed, or the step that does not exist.
pub fn run(options: &Options) -> Result<()> {
    let chosen = choose(options)?;
    if chosen.iter().any(|step| step.name == "browser") {
        // Asked first: nobody wants to learn after a quarter of an hour that the browser is missing.
        needs::chromium()?;
    }
    let started = Instant::now();
    let mut times = Vec::new();
    for (index, step) in chosen.iter().enumerate() {
        if index + 1 == chosen.len() && index > 0 {
            eprintln!("\n━━━ so far: {} ━━━", summary(&times, started.elapsed()));
        }
        eprintln!("\n━━━ {} ({} of {}): {} ━━━", step.name, index + 1, chosen.len(), step.about);
        let began = Instant::now();
        let result = (step.run)();
        let took = began.elapsed();
        if let Err(error) = result {
            bail!("step `{}` failed after {}: {error:#}", step.name, seconds(took));
        }
        times.push((step.name, took));
        if index + 1 < chosen.len() {
            eprintln!("{}: ok, {}", step.name, seconds(took));
        }
    }
    Ok(())
}

fn choose(options: &Options) -> Result<Vec<&'static Step>> {
    for name in &options.only {
        if !NIGHTLY.iter().chain(STEPS).any(|step| step.name == name) {
            bail!("there is no step `{name}`; the steps are:\n{}", list().trim_end());
        }
    }
    let wanted = |step: &&Step| {
        if options.only.is_empty() {
            !(options.fast && step.slow)
        } else {
            options.only.iter().any(|name| name == step.name)
        }
    };
    let nightly = if options.nightly || !options.only.is_empty() { NIGHTLY } else { &[] };
    Ok(nightly.iter().chain(STEPS).filter(wanted).collect())
}

fn summary(times: &[(&str, Duration)], total: Duration) -> String {
    let mut text = String::new();
    for (name, took) in times {
        let _ = write!(text, "{name} {}, ", seconds(*took));
    }
    let _ = write!(text, "together {}", seconds(total));
    text
}

fn seconds(duration: Duration) -> String {
    if duration.as_secs() < 100 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}

fn fmt() -> Result<()> {
    needs::components()?;
    run_command(&mut cargo(["fmt", "--all", "--check"]))
}

fn deny() -> Result<()> {
    if !needs::has_subcommand("deny") {
        eprintln!(
            "skipped: cargo-deny is not installed (`cargo install cargo-deny`); deny.toml is what it would check"
        );
        return Ok(());
    }
    // Advisories need a database from the network; licences, bans and sources do not.
    run_command(&mut cargo(["deny", "--workspace", "check", "licenses", "bans", "sources"]))
}

/// The crates that go to crates.io are those without `publish = false`. They are packed without the test build: the
/// other steps have compiled the same files.
fn package() -> Result<()> {
    let mut command = cargo(["package", "--no-verify", "--allow-dirty", "--quiet"]);
    for name in publishable()? {
        command.args(["--package", &name]);
    }
    run_command(&mut command)
}

fn clippy() -> Result<()> {
    needs::components()?;
    run_command(&mut cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn clippy_web() -> Result<()> {
    needs::target(BROWSER)?;
    // Both modules: the one of a first visit, and the one that knows Slurm.
    for features in [&["--no-default-features"][..], &[]] {
        let mut lint = cargo(["clippy", "-p", "clusterlab-web", "--target", BROWSER]);
        run_command(lint.args(features).args(["--", "-D", "warnings"]))?;
    }
    Ok(())
}

fn doc() -> Result<()> {
    run_command(cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

fn doctest() -> Result<()> {
    run_command(&mut cargo(["test", "--workspace", "--doc"]))
}

fn test() -> Result<()> {
    // Tests that find no client of NVML are ignored, and say so.
    nvml_clients::install();
    run_command(&mut cargo(["test", "--workspace", "--lib", "--bins", "--tests", "--examples"]))
}

fn memory() -> Result<()> {
    let filter = "memory_does_not_grow";
    run_command(&mut cargo([
        "test",
        "-p",
        "clusterlab-nvml",
        "--test",
        "streaming",
        "--",
        "--ignored",
        filter,
    ]))
}

/// Compiles the engine's tests for WASI and runs them in an interpreter that is a library (`xtask/wasi`).
fn wasm() -> Result<()> {
    needs::target(WASI)?;
    run_command(&mut cargo(["build", "-p", "xtask-wasi"]))?;
    let runner = target_dir()?.join("debug").join(format!("xtask-wasi{}", std::env::consts::EXE_SUFFIX));
    run_command(
        cargo(["test", "-p", "clusterlab", "--lib", "--target", WASI])
            .env("CARGO_TARGET_WASM32_WASIP1_RUNNER", runner),
    )
}

fn site() -> Result<()> {
    let out = lab::test_site()?;
    lab::build(&lab::Options::default(), &out)
}

/// The browser tests are ignored in a plain `cargo test`, because they need the built site.
fn browser() -> Result<()> {
    let site = lab::test_site()?;
    if !site.join("index.html").is_file() {
        bail!("{} holds no site: run the step `site` before", site.display());
    }
    run_command(
        cargo([
            "test",
            "--workspace",
            "--test",
            "browser",
            "--",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env("CLUSTERLAB_SITE", site),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &Options) -> Vec<&'static str> {
        choose(options).unwrap().iter().map(|step| step.name).collect()
    }

    #[test]
    fn the_whole_run_ends_with_the_browser_and_the_fast_one_with_the_tests() {
        assert_eq!(names(&Options::default()).last(), Some(&"browser"));
        assert_eq!(names(&Options { fast: true, ..Options::default() }).last(), Some(&"test"));
    }

    #[test]
    fn a_single_step_can_be_chosen_even_a_slow_one() {
        assert_eq!(names(&Options { fast: true, only: vec!["wasm".into()], ..Options::default() }), ["wasm"]);
    }

    #[test]
    fn what_takes_a_night_is_run_only_when_it_is_asked_for() {
        assert!(!names(&Options::default()).contains(&"memory"));
        assert_eq!(names(&Options { nightly: true, ..Options::default() })[0], "memory");
        assert_eq!(names(&Options { only: vec!["memory".into()], ..Options::default() }), ["memory"]);
    }

    #[test]
    fn an_unknown_step_is_answered_with_the_list() {
        let error =
            choose(&Options { only: vec!["lint".into()], ..Options::default() }).err().unwrap().to_string();
        assert!(error.contains("there is no step `lint`") && error.contains("clippy"), "{error}");
    }
}
