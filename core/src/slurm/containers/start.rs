//! How a container starts: for `enroot start`, and for the tasks of a step with Pyxis.

use std::collections::BTreeMap;
use std::time::Duration;

use super::import::{self, ImportError};
use super::pyxis::{MountEntry, NameFlag, PyxisArgs, Source};
use super::view::Devices;
use super::{Bind, Root, Squash, Started, View, data_path, switch};
use crate::process::files::{self, resolve};
use crate::slurm::cluster::SlurmCluster;

/// From the start of a container to the first instruction of its command (observed: about half a second).
const START: Duration = Duration::from_millis(500);
/// Bytes a second that a squashfs file is unpacked with.
pub(super) const UNPACK: u64 = 1 << 30;

/// How a container is to be started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) writable: bool,
    pub(crate) remap_root: bool,
    pub(crate) mount_home: bool,
    pub(crate) mounts: Vec<MountEntry>,
    pub(crate) cwd: String,
}

impl SlurmCluster {
    /// Makes a root file system of a squashfs file.
    ///
    /// # Errors
    ///
    /// The lines that `enroot create` prints.
    pub(crate) fn create_root(
        &mut self,
        node: &str,
        path: &str,
        image: &str,
        squash: &Squash,
        force: bool,
        step: Option<(u32, u32)>,
    ) -> Result<Vec<String>, Vec<String>> {
        if self.enroot.root(node, path).is_some() && !force {
            return Err(vec![format!("[ERROR] File already exists: {path}")]);
        }
        let log = squash.extraction();
        let free = self.enroot.conf.capacity.map(|all| all.saturating_sub(self.enroot.used(node)));
        if free.is_some_and(|free| squash.size > free) {
            let mut log: Vec<String> = log.into_iter().take(3).collect();
            log.push(String::new());
            log.push("Write on output file failed because No space left on device".into());
            log.push(format!("FATAL ERROR: writer: failed to write file {path}{}", largest_file(squash)));
            log.push(format!("[ERROR] Failed to extract: {image}"));
            return Err(log);
        }
        let key = self.enroot.key(node, path);
        self.enroot.roots.insert(key, Root::new(squash.clone(), step));
        self.changes += 1;
        Ok(log)
    }

    /// What a process in the container at `root_path` will see; makes the directories that mounts need.
    ///
    /// # Errors
    ///
    /// The lines that Enroot prints.
    pub(crate) fn open_container(
        &mut self,
        node: &str,
        root_path: &str,
        env: &BTreeMap<String, String>,
        options: &Options,
    ) -> Result<View, Vec<String>> {
        let Some(root) = self.enroot.root(node, root_path) else {
            return Err(vec![format!("[ERROR] No such file or directory: {root_path}")]);
        };
        let rootfs = root.squash.rootfs;
        let devices = self.nvidia_hook(node, env)?;
        let mut binds = vec![Bind { source: None, target: "/tmp".into(), read_only: false }];
        let home = env.get("HOME").cloned().unwrap_or_default();
        if options.mount_home && self.files.is_dir(&home) {
            binds.push(Bind { source: Some(home.clone()), target: home.clone(), read_only: false });
        }
        for entry in &options.mounts {
            let target = resolve("/", entry.target.trim_start_matches('.'));
            let source = match &entry.source {
                Source::Path(path) => Some(resolve(&options.cwd, path)),
                Source::Tmpfs => None,
                Source::Umount => {
                    binds.retain(|bind| bind.target != target);
                    continue;
                }
            };
            if let Some(source) = source.as_ref().filter(|source| !self.files.exists(source)) {
                return Err(vec![format!(
                    "enroot-mount: failed to mount: {source} at {root_path}{target}: No such file or directory"
                )]);
            }
            binds.retain(|bind| bind.target != target);
            binds.push(Bind { source, target, read_only: entry.read_only });
        }
        let now = self.now();
        let directories: Vec<String> = binds
            .iter()
            .map(|bind| match &bind.source {
                Some(source) if !self.files.is_dir(source) => files::parent(&bind.target).to_owned(),
                _ => bind.target.clone(),
            })
            .chain((!home.is_empty()).then_some(home))
            .collect();
        if let Some(root) = self.enroot.root_mut(node, root_path) {
            for directory in directories {
                // Enroot makes what a mount needs, whether or not the root may be written.
                let _ = root.squash.files.create_dir_all(&directory, now);
            }
        }
        Ok(View {
            root_path: root_path.to_owned(),
            rootfs,
            writable: options.writable,
            root: options.remap_root,
            groups: false,
            binds,
            devices,
        })
    }

    /// The hook 98-nvidia.sh: the driver comes in where NVIDIA_VISIBLE_DEVICES asks for it.
    fn nvidia_hook(&self, node: &str, env: &BTreeMap<String, String>) -> Result<Devices, Vec<String>> {
        let value = env.get("NVIDIA_VISIBLE_DEVICES").map_or("", String::as_str);
        let wanted = !matches!(value, "" | "void");
        let has_gpus = self.controller.node(node).is_none_or(|at| {
            let kind = self.controller.names.kind("gpu");
            self.controller.nodes[at].gres.iter().any(|gres| Some(gres.kind) == kind)
        });
        if !wanted || self.enroot.conf.nvidia && has_gpus {
            return Ok(Devices::read(value));
        }
        Err(vec![
            "[ERROR] Command not found: nvidia-container-cli, see https://github.com/NVIDIA/libnvidia-container".into(),
            format!("[ERROR] {}/hooks.d/98-nvidia.sh exited with return code 1", self.enroot.conf.sysconf),
        ])
    }
}

fn largest_file(squash: &Squash) -> &'static str {
    if squash.rootfs.has_glibc() { "/usr/lib/x86_64-linux-gnu/libc.so.6" } else { "/bin/busybox" }
}

/// The environment of a command in a container.
pub(crate) fn environment(
    squash: &Squash,
    host: &BTreeMap<String, String>,
    host_wins: impl Fn(&str) -> bool,
) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = host
        .iter()
        .filter(|(name, _)| !name.starts_with("ENROOT_"))
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    for (name, value) in &squash.env {
        if !(host.contains_key(name) && host_wins(name)) {
            env.insert(name.clone(), value.clone());
        }
    }
    // The command script of a container is run by a shell.
    let level: u32 = env.get("SHLVL").and_then(|level| level.parse().ok()).unwrap_or(0);
    env.insert("SHLVL".into(), (level + 1).to_string());
    env
}

/// What Pyxis did on a node before the tasks of a step start there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prepared {
    /// What the first task on the node writes to standard error: lines of Pyxis itself.
    pub(crate) said: Vec<String>,
    /// What stepd logs in the first task, without its prefix; the tasks fail when there is something.
    pub(crate) errors: Vec<String>,
    /// What stepd logs in every further task.
    pub(crate) others: Vec<String>,
    /// The container.
    pub(crate) view: Option<View>,
    /// The environment of the tasks' commands.
    pub(crate) squash: Option<Squash>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// The two lines with which stepd gives up a task that Pyxis refused.
const SPANK: [&str; 2] = [
    "spank: required plugin spank_pyxis.so: task_init() failed with rc=-1",
    "Failed to invoke spank plugin stack",
];
const NOT_STARTED: &str = "pyxis: container was not started successfully by another task";

/// Who a container is prepared for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct For<'a> {
    pub(crate) node: &'a str,
    pub(crate) uid: u32,
    pub(crate) job: u32,
    /// The step as Pyxis numbers it.
    pub(crate) step: u32,
    /// Tasks of the step: more than one make Pyxis say less.
    pub(crate) ntasks: usize,
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) cwd: &'a str,
}

impl SlurmCluster {
    /// Pyxis on one node: import, create, start.
    pub(crate) fn prepare_container(&mut self, who: For<'_>, args: &PyxisArgs) -> Prepared {
        let mut prepared = self.try_container(who, args);
        // Which process of Pyxis failed: a number that means nothing here.
        for (at, line) in prepared.errors.iter_mut().enumerate() {
            *line = line
                .replace("child 0 failed", &format!("child {} failed", 24_000 + who.job as usize * 16 + at));
        }
        prepared
    }

    fn try_container(&mut self, who: For<'_>, args: &PyxisArgs) -> Prepared {
        let mut prepared = Prepared { took: START, ..Prepared::default() };
        let container = container_name(who.job, who.step, args);
        let path = format!("{}/{container}", data_path(&self.enroot.conf, who.env, who.uid));
        let exists = args.name.is_some() && self.enroot.root(who.node, &path).is_some();
        let running = self.enroot.root(who.node, &path).is_some_and(|root| root.running > 0);
        let flag = args.name.as_ref().map_or(NameFlag::Auto, |(_, flag)| *flag);
        let refused = match flag {
            NameFlag::Create if exists => Some(
                "\"create\" flag was passed to --container-name but the container already exists".to_owned(),
            ),
            NameFlag::Exec if !running => Some(
                "\"exec\" flag was passed to --container-name but the container is not running".to_owned(),
            ),
            _ if !exists && args.image.is_none() => Some(format!(
                "a container with name \"{container}\" does not exist, and --container-image is not set"
            )),
            _ => None,
        };
        if let Some(text) = refused {
            return fail(prepared, vec![format!("pyxis: error: {text}")], &[]);
        }
        let mut log = Vec::new();
        if !exists {
            match self.make_root(who, args, &path, &mut prepared) {
                Ok(lines) => log = lines,
                Err(errors) => return fail(prepared, errors, &["pyxis: child 0 failed with error code: 1"]),
            }
        }
        let base = self.enroot.root(who.node, &path).map(|root| root.squash.clone());
        let Some(squash) = base else { return prepared };
        let env = environment(&squash, who.env, |name| args.env.iter().any(|other| other == name));
        let missing = args.mounts.iter().find_map(|entry| match &entry.source {
            Source::Path(path) if !self.files.exists(&resolve(who.cwd, path)) => Some(path.clone()),
            _ => None,
        });
        if let Some(source) = missing {
            let mut errors = vec![
                format!("pyxis: --container-mounts: source path does not exist: {source}"),
                "pyxis: couldn't create enroot start configuration script".to_owned(),
            ];
            errors.extend(printed_log(&log));
            errors.push(NOT_STARTED.to_owned());
            self.drop_unnamed(who, args, &path);
            return fail(prepared, errors, &[]);
        }
        let conf = &self.enroot.conf;
        let options = Options {
            writable: args
                .writable
                .unwrap_or_else(|| switch(who.env, "ENROOT_ROOTFS_WRITABLE", conf.writable)),
            remap_root: args
                .remap_root
                .unwrap_or_else(|| switch(who.env, "ENROOT_REMAP_ROOT", conf.remap_root)),
            mount_home: args
                .mount_home
                .unwrap_or_else(|| switch(who.env, "ENROOT_MOUNT_HOME", conf.mount_home)),
            mounts: args.mounts.clone(),
            cwd: who.cwd.to_owned(),
        };
        let opened = if args.unshare.is_empty() {
            self.open_container(who.node, &path, &env, &options)
        } else {
            Err(vec!["[ERROR] not modelled: --container-unshare".into()])
        };
        match opened {
            Ok(mut view) => {
                view.groups = true;
                if let Some(root) = self.enroot.root_mut(who.node, &path) {
                    root.running += 1;
                }
                self.enroot.started.push(Started {
                    job: who.job,
                    node: who.node.to_owned(),
                    name: container,
                    image: args.image.clone().filter(|_| !exists).unwrap_or_default(),
                });
                prepared.view = Some(view);
                prepared.squash = Some(squash);
                prepared
            }
            Err(lines) => {
                let mut errors = vec!["pyxis: container start failed with error code: 1".to_owned()];
                errors.extend(printed_log(&lines));
                errors.push(NOT_STARTED.to_owned());
                self.drop_unnamed(who, args, &path);
                fail(prepared, errors, &[])
            }
        }
    }

    fn drop_unnamed(&mut self, who: For<'_>, args: &PyxisArgs, path: &str) {
        if args.name.is_none() {
            self.enroot.remove(who.node, path);
        }
    }

    /// Import where the image is one of a registry, and `enroot create`; the log of the latter.
    fn make_root(
        &mut self,
        who: For<'_>,
        args: &PyxisArgs,
        path: &str,
        prepared: &mut Prepared,
    ) -> Result<Vec<String>, Vec<String>> {
        let image = args.image.clone().unwrap_or_default();
        let step = args.name.is_none().then_some((who.job, who.step));
        let failed = |code: u8, what: &str, log: &[String]| {
            let mut errors = vec![format!("pyxis: child 0 failed with error code: {code}")];
            errors.push(format!("pyxis: failed to {what}: {image}"));
            errors.extend(printed_log(log));
            errors
        };
        let squash = if image.starts_with('/') || image.starts_with('.') {
            let file = resolve(who.cwd, &image);
            let bytes = self.files.read(&file).map(<[u8]>::to_vec);
            let why = match bytes {
                Err(_) => format!("[ERROR] No such file or directory: {image}"),
                Ok(bytes) => match self.enroot.unpack(&bytes) {
                    Some(squash) => {
                        return self
                            .unpack_into(who, &image, path, &squash, step, prepared)
                            .map_err(|log| failed(1, "create container filesystem for image", &log));
                    }
                    None => format!("[ERROR] Invalid image format: {image}"),
                },
            };
            return Err(failed(1, "create container filesystem for image", &[why]));
        } else {
            if who.ntasks == 1 {
                prepared.said.push(format!("pyxis: importing docker image: {image}"));
            }
            let uri = image.strip_prefix("docker://").unwrap_or(&image);
            match import::fetch(&mut self.enroot, &self.files, who.node, who.env, uri) {
                Ok(fetched) => {
                    prepared.took += fetched.took;
                    self.enroot.keep_layers(who.node, fetched.layers);
                    if who.ntasks == 1 {
                        prepared.said.push(format!("pyxis: imported docker image: {image}"));
                    }
                    fetched.squash
                }
                Err(ImportError { log, code }) => {
                    return Err(failed(code, "import docker image", &log));
                }
            }
        };
        self.unpack_into(who, &image, path, &squash, step, prepared)
            .map_err(|log| failed(1, "create container filesystem for image", &log))
    }

    fn unpack_into(
        &mut self,
        who: For<'_>,
        image: &str,
        path: &str,
        squash: &Squash,
        step: Option<(u32, u32)>,
        prepared: &mut Prepared,
    ) -> Result<Vec<String>, Vec<String>> {
        prepared.took += Duration::from_millis(squash.size * 1000 / UNPACK);
        self.create_root(who.node, path, image, squash, false, step)
    }

    /// The tasks of a step are gone from a node: its container is saved, if that was asked for, and removed unless it has a
    /// name. Answers what Pyxis says.
    pub(crate) fn close_container(&mut self, who: For<'_>, args: &PyxisArgs) -> Option<String> {
        let container = container_name(who.job, who.step, args);
        let path = format!("{}/{container}", data_path(&self.enroot.conf, who.env, who.uid));
        let root = self.enroot.root_mut(who.node, &path)?;
        root.running = root.running.saturating_sub(1);
        let squash = root.squash.clone();
        let said = args.save.as_ref().map(|target| {
            let content = self.enroot.pack(squash);
            let file = resolve(who.cwd, target);
            match self.files.write(&file, content, self.now()) {
                Ok(()) => format!("pyxis: exported container {container} to {target}"),
                Err(why) => format!("pyxis: failed to export container {container} to {target}: {why}"),
            }
        });
        self.drop_unnamed(who, args, &path);
        self.changes += 1;
        said
    }
}

fn container_name(job: u32, step: u32, args: &PyxisArgs) -> String {
    match &args.name {
        Some((name, _)) => format!("pyxis_{name}"),
        None => format!("pyxis_{job}.{step}"),
    }
}

/// The log of Enroot, as Pyxis passes it on.
fn printed_log(lines: &[String]) -> Vec<String> {
    std::iter::once("pyxis: printing enroot log file:".to_owned())
        .chain(lines.iter().map(|line| format!("pyxis:     {line}")))
        .collect()
}

fn fail(mut prepared: Prepared, errors: Vec<String>, after: &[&str]) -> Prepared {
    prepared.errors = errors;
    prepared.errors.extend(SPANK.iter().chain(after).map(|line| (*line).to_owned()));
    prepared.others = std::iter::once(NOT_STARTED).chain(SPANK).map(str::to_owned).collect();
    prepared
}

/// What stepd logs in a task whose working directory is not there.
pub(crate) fn no_directory(path: &str) -> Vec<String> {
    std::iter::once(format!("pyxis: couldn't chdir to {path}: No such file or directory"))
        .chain(SPANK.iter().map(|line| (*line).to_owned()))
        .collect()
}
