//! The command `enroot`.

use std::time::Duration;

use super::start::{Options, UNPACK, environment};
use super::work::{Destination, Work};
use super::{Squash, data_path, import, pyxis, switch};
use crate::process::Call;
use crate::process::files::resolve;
use crate::slurm::cluster::{JobHost, Place, ProcId, Role};
use crate::slurm::commands::CommandOutput;

/// What became of a call.
pub(crate) enum Outcome {
    /// It printed something and ended.
    Printed(CommandOutput),
    /// It became a process in a container.
    Started(ProcId),
    /// It is at work.
    Working(Box<Work>),
}

/// Commands, their arguments, and what they do.
const COMMANDS: [(&str, &str, &str); 12] = [
    ("batch", "[options] [--] CONFIG [COMMAND] [ARG...]", "not modelled"),
    ("bundle", "[options] [--] IMAGE", "not modelled"),
    ("create", "[options] [--] IMAGE", "Unpacks a squashfs file into a root file system"),
    ("digest", "[options] [--] URI", "Prints the digest of an image in a registry"),
    ("exec", "[options] [--] PID COMMAND [ARG...]", "Runs a command in a container that runs"),
    ("export", "[options] [--] NAME", "Packs a root file system into a squashfs file"),
    ("import", "[options] [--] URI", "Fetches an image and packs it into a squashfs file"),
    ("list", "[options]", "Lists root file systems"),
    ("load", "[options] [--] URI", "Fetches an image into a root file system"),
    ("remove", "[options] [--] NAME...", "Removes root file systems"),
    ("start", "[options] [--] NAME|IMAGE [COMMAND] [ARG...]", "Runs a command in a container"),
    ("version", "", "Prints the version"),
];

/// Options by command: short, long, name of the value.
const OPTIONS: [(&str, &[(&str, &str, &str)]); 9] = [
    ("create", &[("-n", "--name", "NAME"), ("-f", "--force", "")]),
    ("digest", &[]),
    ("exec", &[]),
    ("export", &[("-o", "--output", "FILE"), ("-f", "--force", "")]),
    ("import", &[("-o", "--output", "FILE"), ("-a", "--arch", "ARCH")]),
    ("list", &[("-f", "--fancy", "")]),
    ("load", &[("-n", "--name", "NAME"), ("-a", "--arch", "ARCH"), ("-f", "--force", "")]),
    ("remove", &[("-f", "--force", "")]),
    (
        "start",
        &[
            ("-c", "--conf", "CONFIG"),
            ("-e", "--env", "KEY[=VAL]"),
            ("", "--rc", "SCRIPT"),
            ("-r", "--root", ""),
            ("-w", "--rw", ""),
            ("-m", "--mount", "FSTAB"),
            ("", "--pid", ""),
            ("", "--net", ""),
            ("", "--ipc", ""),
            ("", "--uts", ""),
        ],
    ),
];

fn usage() -> String {
    let rows = COMMANDS.iter().map(|(name, args, what)| format!("   {name:<8}{args}\n             {what}\n"));
    format!(
        "Usage: enroot COMMAND [ARG...]\n\nWorks with containers that need no privileges.\n\n{}",
        rows.collect::<String>()
    )
}

fn usage_of(command: &str) -> String {
    let (_, args, what) = COMMANDS.iter().find(|(name, ..)| *name == command).copied().unwrap_or_default();
    let options = options_of(command)
        .iter()
        .map(|(short, long, value)| format!("   {short:<3} {long} {value}").trim_end().to_owned() + "\n");
    format!("Usage: enroot {command} {args}\n\n{what}.\n\n Options:\n{}", options.collect::<String>())
}

fn options_of(command: &str) -> &'static [(&'static str, &'static str, &'static str)] {
    OPTIONS.iter().find(|(name, _)| *name == command).map_or(&[], |(_, options)| options)
}

/// What a command line says.
#[derive(Debug, Default)]
struct Line {
    given: Vec<(&'static str, String)>,
    rest: Vec<String>,
}

impl Line {
    /// Reads options up to the first argument; `None` where one is not known.
    fn read(command: &str, args: &[String]) -> Option<Self> {
        let table = options_of(command);
        let mut line = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if arg == "--" {
                break;
            }
            if !arg.starts_with('-') || arg == "-" {
                line.rest.push(arg.clone());
                break;
            }
            let (name, inline) = match arg.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (arg.as_str(), None),
            };
            let (_, long, value) = table.iter().find(|(short, long, _)| name == *short || name == *long)?;
            let value =
                if value.is_empty() { String::new() } else { inline.or_else(|| args.next().cloned())? };
            line.given.push((long, value));
        }
        line.rest.extend(args.cloned());
        Some(line)
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == name)
    }
}

/// How long it takes to pack or unpack so many bytes.
fn time_to_copy(bytes: u64) -> Duration {
    Duration::from_millis(bytes * 1000 / UNPACK)
}

/// Runs `enroot`.
pub(crate) fn enroot(host: &mut JobHost<'_>, call: &Call) -> Outcome {
    let Some(command) = call.argv.get(1).map(String::as_str) else {
        return Outcome::Printed(CommandOutput { stdout: usage(), code: 1, ..CommandOutput::default() });
    };
    if matches!(command, "help" | "-h" | "--help") {
        return Outcome::Printed(CommandOutput::text(usage()));
    }
    if !COMMANDS.iter().any(|(name, ..)| *name == command) {
        return Outcome::Printed(CommandOutput { stdout: usage(), code: 1, ..CommandOutput::default() });
    }
    let args = &call.argv[2..];
    if args.iter().take_while(|arg| *arg != "--").any(|arg| arg == "--help" || arg == "-h") {
        return Outcome::Printed(CommandOutput::text(usage_of(command)));
    }
    let Some(line) = Line::read(command, args) else {
        let stdout = usage_of(command);
        return Outcome::Printed(CommandOutput { stdout, code: 1, ..CommandOutput::default() });
    };
    let enroot = Run { host, call, line };
    let result = match command {
        "version" => Ok(Outcome::Printed(CommandOutput::text("4.1.2\n"))),
        "list" => Ok(Outcome::Printed(enroot.list())),
        "remove" => enroot.remove().map(Outcome::Printed),
        "digest" => enroot.digest().map(Outcome::Printed),
        "create" => enroot.create().map(Outcome::work),
        "export" => enroot.export().map(Outcome::work),
        "import" => enroot.import().map(Outcome::work),
        "load" => enroot.load().map(Outcome::work),
        "start" => enroot.start().map(Outcome::Started),
        "exec" => enroot.exec().map(Outcome::Started),
        other => Err(Lines::error(format!("not modelled: enroot {other}"))),
    };
    result.unwrap_or_else(|lines| Outcome::Printed(lines.output()))
}

impl Outcome {
    fn work(work: Work) -> Self {
        Self::Working(Box::new(work))
    }
}

/// Lines on standard error, and an exit code.
#[derive(Debug)]
struct Lines(Vec<String>, u8);

impl Lines {
    fn error(text: impl std::fmt::Display) -> Self {
        Self(vec![format!("[ERROR] {text}")], 1)
    }

    fn output(self) -> CommandOutput {
        let stderr = self.0.iter().map(|line| format!("{line}\n")).collect();
        CommandOutput { stderr, code: self.1, ..CommandOutput::default() }
    }
}

struct Run<'a, 'b> {
    host: &'a mut JobHost<'b>,
    call: &'a Call,
    line: Line,
}

impl Run<'_, '_> {
    fn data(&self) -> String {
        data_path(&self.host.cluster.enroot.conf, &self.call.env, self.host.uid)
    }

    fn first(&self) -> Result<&str, Lines> {
        self.line.rest.first().map(String::as_str).ok_or_else(|| Lines::error("Invalid argument"))
    }

    /// The path of a root file system by its name.
    fn path_of(&self, name: &str) -> Result<String, Lines> {
        if name.is_empty() || name.contains('/') {
            return Err(Lines::error(format!("Invalid argument: {name}")));
        }
        Ok(format!("{}/{name}", self.data()))
    }

    fn existing(&self, name: &str) -> Result<String, Lines> {
        let path = self.path_of(name)?;
        match self.host.cluster.enroot.root(&self.host.node, &path) {
            Some(_) => Ok(path),
            None => Err(Lines::error(format!("No such file or directory: {path}"))),
        }
    }

    fn list(&self) -> CommandOutput {
        let names = self.host.cluster.enroot.names(&self.host.node, &self.data());
        if !self.line.has("--fancy") {
            return CommandOutput::text(names.iter().map(|name| format!("{name}\n")).collect::<String>());
        }
        let titles = ["PID", "COMM", "STATE", "STARTED", "TIME", "MNTNS", "USERNS", "COMMAND"];
        let width = names.iter().map(String::len).max().unwrap_or(0).max(4) + 2;
        let row = |name: &str, cells: [&str; 8]| {
            let mut line = format!("{name:<width$}");
            for (title, cell) in titles.iter().zip(cells) {
                let width = if *title == "COMMAND" { 7 } else { title.len() + 2 };
                line.push_str(&format!("{cell:<width$}"));
            }
            line + "\n"
        };
        let mut text = row("NAME", titles);
        for name in &names {
            text.push_str(&row(name, [""; 8]));
        }
        CommandOutput::text(text)
    }

    /// What a squashfs file holds.
    fn squash(&self, image: &str) -> Result<Squash, Lines> {
        let path = resolve(&self.call.cwd, image);
        let bytes = self
            .host
            .cluster
            .files
            .read(&path)
            .map_err(|_| Lines::error(format!("No such file or directory: {image}")))?;
        let found = self.host.cluster.enroot.unpack(bytes);
        found
            .map(|squash| (*squash).clone())
            .ok_or_else(|| Lines::error(format!("Invalid image format: {image}")))
    }

    fn work(&self, took: Duration, log: Vec<String>, squash: Squash, into: Destination) -> Work {
        Work::new(self.host.cluster.now(), took, log, squash, into)
    }

    fn create(self) -> Result<Work, Lines> {
        let image = self.first()?.to_owned();
        let default = image.rsplit('/').next().unwrap_or_default();
        let default =
            default.strip_suffix(".sqsh").or_else(|| default.strip_suffix(".squashfs")).unwrap_or(default);
        let name = self.line.value("--name").unwrap_or(default).to_owned();
        let squash = self.squash(&image)?;
        let path = self.root_to_be(&name)?;
        let force = self.line.has("--force");
        let took = time_to_copy(squash.size);
        Ok(self.work(took, Vec::new(), squash, Destination::Root { path, image, force, said: true }))
    }

    /// The path of a root file system that there is not yet, or that `--force` replaces.
    fn root_to_be(&self, name: &str) -> Result<String, Lines> {
        let path = self.path_of(name)?;
        let there = self.host.cluster.enroot.root(&self.host.node, &path).is_some();
        if there && !self.line.has("--force") {
            return Err(Lines::error(format!("File already exists: {path}")));
        }
        Ok(path)
    }

    fn remove(self) -> Result<CommandOutput, Lines> {
        self.first()?;
        for name in &self.line.rest {
            let path = self.existing(name)?;
            let node = self.host.node.clone();
            self.host.cluster.enroot.remove(&node, &path);
        }
        Ok(CommandOutput::default())
    }

    fn export(self) -> Result<Work, Lines> {
        let name = self.first()?.to_owned();
        let path = self.existing(&name)?;
        let output = self.line.value("--output").map_or_else(|| format!("{name}.sqsh"), str::to_owned);
        let target = resolve(&self.call.cwd, &output);
        if self.host.cluster.files.exists(&target) && !self.line.has("--force") {
            return Err(Lines::error(format!("File already exists: {target}")));
        }
        let Some(root) = self.host.cluster.enroot.root(&self.host.node, &path) else {
            return Err(Lines::error(format!("No such file or directory: {path}")));
        };
        let squash = root.squash.clone();
        let log = vec!["[INFO] Creating squashfs filesystem...".to_owned()];
        let into = Destination::File(target);
        Ok(self.work(time_to_copy(squash.size), log, squash, into))
    }

    /// Fetches what the address on the command line names.
    fn fetch(&mut self, name: &str) -> Result<import::Fetched, Lines> {
        let node = self.host.node.clone();
        let cluster = &mut *self.host.cluster;
        import::fetch(&mut cluster.enroot, &cluster.files, &node, &self.call.env, name)
            .map_err(|error| Lines(error.log, error.code))
    }

    fn import(mut self) -> Result<Work, Lines> {
        let uri = self.first()?.to_owned();
        let invalid = || Lines::error(format!("Invalid argument: {uri}"));
        let (scheme, name) = uri.split_once("://").ok_or_else(invalid)?;
        match scheme {
            "docker" => {}
            "dockerd" => {
                let text = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
                return Err(Lines(vec!["[INFO] Fetching image".into(), text.into()], 1));
            }
            "podman" => return Err(Lines::error("Command not found: podman, see https://podman.io")),
            _ => return Err(invalid()),
        }
        let default = format!("{}.sqsh", name.rsplit('#').next().unwrap_or(name).replace(['/', ':'], "+"));
        let output = self.line.value("--output").map_or(default, str::to_owned);
        let target = resolve(&self.call.cwd, &output);
        if self.host.cluster.files.exists(&target) {
            return Err(Lines::error(format!("File already exists: {target}")));
        }
        let fetched = self.fetch(name)?;
        let took = fetched.took + time_to_copy(fetched.squash.size);
        let into = Destination::File(target);
        Ok(self.work(took, fetched.log, fetched.squash, into).of_layers(fetched.layers))
    }

    /// `import` and `create` without the file between.
    fn load(mut self) -> Result<Work, Lines> {
        let uri = self.first()?.to_owned();
        let Some(name) = uri.strip_prefix("docker://") else {
            return Err(Lines::error(format!("Invalid argument: {uri}")));
        };
        let default = name.rsplit('#').next().unwrap_or(name).replace(['/', ':'], "+");
        let path = self.root_to_be(self.line.value("--name").unwrap_or(&default))?;
        let mut fetched = self.fetch(name)?;
        // It is not packed.
        fetched.log.retain(|line| !line.contains("squashfs"));
        fetched.log.push("[INFO] Loading container root filesystem...".into());
        let into = Destination::Root { path, image: uri, force: self.line.has("--force"), said: false };
        let took = fetched.took + time_to_copy(fetched.squash.size);
        Ok(self.work(took, fetched.log, fetched.squash, into).of_layers(fetched.layers))
    }

    fn digest(mut self) -> Result<CommandOutput, Lines> {
        let uri = self.first()?.to_owned();
        let fetched = self.fetch(uri.strip_prefix("docker://").unwrap_or(&uri))?;
        let digest = fetched.squash.image.map(|image| image.digest.clone()).unwrap_or_default();
        Ok(CommandOutput::text(format!("{digest}\n")))
    }

    /// Joins the container of a process.
    fn exec(self) -> Result<ProcId, Lines> {
        let pid = self.line.rest.first().map_or("", String::as_str);
        let number: u32 = pid.parse().map_err(|_| Lines::error(format!("Invalid argument: {pid}")))?;
        let place = self.host.cluster.container_of_pid(number);
        let Some(place) = place.filter(|place| place.node == self.host.node) else {
            return Err(Lines::error(format!("Process not found: {number}")));
        };
        if self.host.uid != 0 && place.uid != self.host.uid {
            return Err(Lines::error(format!("Permission denied: /proc/{number}/ns/user")));
        }
        let Place { terminal, leader, .. } = *self.host.place;
        let place = Place { terminal, leader, ..place.clone() };
        let argv = self.line.rest[1..].to_vec();
        let Some(program) = argv.first().cloned() else { return Err(Lines::error("Invalid argument")) };
        let call = Call { argv, env: self.call.env.clone(), cwd: "/".into(), pid: 0 };
        self.host.cluster.start_process(call, Role::Command, place).map_err(|_| {
            let text = format!("enroot-nsenter: failed to execute: {program}: No such file or directory");
            Lines(vec![text], 1)
        })
    }

    fn start(self) -> Result<ProcId, Lines> {
        for (name, value) in &self.line.given {
            if matches!(*name, "--conf" | "--rc" | "--pid" | "--net" | "--ipc" | "--uts") {
                return Err(Lines::error(
                    format!("not modelled: enroot start {name} {value}").trim_end().to_owned(),
                ));
            }
        }
        let name = self.first()?.to_owned();
        let (node, uid) = (self.host.node.clone(), self.host.uid);
        let conf = self.host.cluster.enroot.conf.clone();
        let path = if name.contains('/') {
            let squash = self.squash(&name)?;
            if !conf.fuse {
                return Err(Lines(
                    vec![
                        "[WARN] fuse: failed to open /dev/fuse: Permission denied".into(),
                        format!("[ERROR] Failed to mount: {name}"),
                    ],
                    1,
                ));
            }
            // Mounted for as long as it runs, which nothing can tell from an unpacked one.
            let path = format!("/run/enroot/{uid}/{}", resolve(&self.call.cwd, &name).replace('/', "_"));
            let _ = self.host.cluster.create_root(&node, &path, &name, &squash, true, None);
            path
        } else {
            self.existing(&name)?
        };
        let Some(root) = self.host.cluster.enroot.root(&node, &path) else {
            return Err(Lines::error(format!("No such file or directory: {path}")));
        };
        let squash = root.squash.clone();
        let mut env = environment(&squash, &self.call.env, |_| true);
        let mut mounts = Vec::new();
        for (name, value) in &self.line.given {
            match *name {
                "--env" => {
                    let pair = value.split_once('=');
                    env.extend(pair.map(|(name, value)| (name.to_owned(), value.to_owned())));
                }
                "--mount" => match pyxis::mount_entry(value) {
                    Ok(entry) => mounts.push(entry),
                    Err(_) => return Err(Lines::error(format!("Invalid argument: {value}"))),
                },
                _ => {}
            }
        }
        let options = Options {
            writable: self.line.has("--rw")
                || switch(&self.call.env, "ENROOT_ROOTFS_WRITABLE", conf.writable),
            remap_root: self.line.has("--root")
                || switch(&self.call.env, "ENROOT_REMAP_ROOT", conf.remap_root),
            mount_home: switch(&self.call.env, "ENROOT_MOUNT_HOME", conf.mount_home),
            mounts,
            cwd: self.call.cwd.clone(),
        };
        let view = self
            .host
            .cluster
            .open_container(&node, &path, &env, &options)
            .map_err(|lines| Lines(lines, 1))?;
        let argv = match &self.line.rest[1..] {
            [] => squash.command.clone(),
            command => command.to_vec(),
        };
        let program = argv.first().cloned().unwrap_or_default();
        let call = Call { argv, env, cwd: squash.workdir.clone(), pid: 0 };
        let place = Place { inside: Some(view), ..self.host.place.clone() };
        self.host.cluster.start_process(call, Role::Command, place).map_err(|_| {
            // What the shell that runs /etc/rc says.
            Lines(vec![format!("/etc/rc: exec: line 4: {program}: not found")], 127)
        })
    }
}
