//! Other people's clients of NVML, which must read our fake library as we do: Python's `nvidia-ml-py`, Slurm's GPU plugin
//! with its `slurmd`; and NVIDIA's own library, which without a driver says so.
//!
//! They are put into `nvml-clients` in the target folder: a virtual environment, and the files of Debian packages,
//! unpacked and not installed, so that neither root nor a change of the machine is needed. Where that is not possible
//! one line says why, and the tests that would need them are ignored.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::needs::{apt_get, starts};
use crate::workspace::target_dir;

/// From Debian's sections `contrib` and `non-free`, and what slurmd needs.
const PACKAGES: [&str; 6] = [
    "slurm-wlm-nvml-plugin",
    "slurmd",
    "slurm-wlm-basic-plugins",
    "libhwloc15",
    "libmunge2",
    "libnvidia-ml1",
];

/// Installs what is missing and can be had.
pub fn install() {
    let Ok(folder) = target_dir().map(|target| target.join("nvml-clients")) else { return };
    for (what, done, step) in [
        ("nvidia-ml-py", "venv/ready", python as fn(&Path) -> Result<()>),
        ("slurmd and libnvidia-ml1", "root/ready", debian),
    ] {
        let done = folder.join(done);
        if done.is_file() {
            continue;
        }
        match step(&folder).and_then(|()| Ok(std::fs::write(&done, "")?)) {
            Ok(()) => eprintln!("installed in {}: {what}", folder.display()),
            Err(error) => eprintln!("not installed, its tests will be ignored: {what}: {error:#}"),
        }
    }
}

fn python(folder: &Path) -> Result<()> {
    if !starts("python3") {
        bail!("there is no python3");
    }
    let environment = folder.join("venv");
    quiet(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let pip = environment.join("bin/pip");
    quiet(Command::new(pip).args(["install", "--quiet", "--timeout", "20", "--retries", "1", "nvidia-ml-py"]))
}

fn debian(folder: &Path) -> Result<()> {
    if !starts("apt-get") || !starts("dpkg-deb") {
        bail!("this is no Debian");
    }
    let apt = folder.join("apt");
    for part in ["lists/partial", "cache/archives/partial", "packages"] {
        std::fs::create_dir_all(apt.join(part))?;
    }
    let sources = apt.join("sources.list");
    std::fs::write(&sources, own_sources().context("no source of Debian packages is configured")?)?;
    let option = |name: &str, path: &Path| format!("{name}={}", path.display());
    let options = [
        option("Dir::Etc::sourcelist", &sources),
        option("Dir::Etc::sourceparts", Path::new("/dev/null")),
        option("Dir::State::lists", &apt.join("lists")),
        option("Dir::Cache", &apt.join("cache")),
        "Acquire::Retries=0".to_owned(),
        "Acquire::http::Timeout=20".to_owned(),
    ];
    let with_options = |arguments: &[&str]| {
        let mut command = apt_get(&[]);
        for option in &options {
            command.args(["-o", option]);
        }
        command.args(arguments);
        command
    };
    quiet(&mut with_options(&["update"]))?;
    let packages = apt.join("packages");
    quiet(with_options(&["download"]).args(PACKAGES).current_dir(&packages))?;
    let root = folder.join("root");
    for package in std::fs::read_dir(&packages)? {
        quiet(Command::new("dpkg-deb").arg("-x").arg(package?.path()).arg(&root))?;
    }
    // slurmd asks its own name whether it is slurmd; Debian's file has another, and a link that we did not install.
    let (real, link) = (root.join("usr/sbin/slurmd-wlm"), root.join("usr/sbin/slurmd"));
    if real.is_file() && !link.exists() {
        std::fs::copy(real, link)?;
    }
    Ok(())
}

/// The machine's own Debian source, with the sections that are not switched on.
fn own_sources() -> Option<String> {
    let folder = std::fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let files = folder.map(|entry| entry.path()).chain(["/etc/apt/sources.list".into()]);
    files.filter_map(|file| std::fs::read_to_string(file).ok()).find_map(|text| source_line(&text))
}

/// The first source that is Debian's, in either of apt's two formats, as a line with all sections.
fn source_line(text: &str) -> Option<String> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let (uri, suite) = if let (Some(uris), Some(suites)) = (field("URIs:"), field("Suites:")) {
        (uris.split_whitespace().next()?, suites.split_whitespace().next()?)
    } else {
        let mut words = text.lines().find(|line| line.starts_with("deb "))?.split_whitespace().skip(1);
        let uri = words.find(|word| !word.starts_with('[') && !word.ends_with(']'))?;
        (uri, words.next()?)
    };
    let path = uri.trim_end_matches('/');
    path.ends_with("/debian").then(|| format!("deb {uri} {suite} main contrib non-free\n"))
}

/// Runs a command; what it prints is shown only if it fails.
fn quiet(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        bail!("{name}: {}", text.lines().last().unwrap_or("failed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_source_is_found_in_both_formats_and_others_are_passed_over() {
        let check = |text: &str, expect: Option<&str>| assert_eq!(source_line(text).as_deref(), expect);
        check(
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
            Some("deb http://mirror.example/debian bookworm main contrib non-free\n"),
        );
        check(
            "# a comment\ndeb [signed-by=/k] http://mirror.example/debian/ trixie main\n",
            Some("deb http://mirror.example/debian/ trixie main contrib non-free\n"),
        );
        check("deb http://mirror.example/ubuntu noble main\n", None);
        check("", None);
    }
}
