//! Enroot and Pyxis: containers without a daemon and without privileges.
//!
//! [Enroot](enroot) turns an image of a registry into a squashfs file, unpacks that into a directory of the user, and starts
//! commands in it in a user namespace of their own. [Pyxis](pyxis) does all of it for the tasks of a step.
//!
//! What is modelled: images as the registries of [`process::images`](crate::process::images) have them; squashfs files that
//! are copied and exported like any file (their content is a name for what is in them, not the bytes); root file systems
//! on a node or shared; mounts, read-only roots, root in a user namespace, the environment. Not modelled: cgroups, `/proc` and
//! `/sys`, network and process namespaces. Texts and rules: Enroot 4.1 and Pyxis 0.24 as recorded in `pyxis_enroot`.

mod command;
mod import;
pub(crate) mod pyxis;
pub(crate) mod start;
mod view;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use command::{Outcome, enroot};
pub(crate) use view::{Bind, View};
pub(crate) use work::Work;

use crate::process::files::Files;
use crate::process::images::{Image, Registry, Rootfs};
use crate::slurm::model::JobId;

/// How Enroot is set up on the cluster (`enroot.conf`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrootConf {
    /// ENROOT_DATA_PATH: where root file systems are; `%u` is the user's id.
    pub data_path: String,
    /// ENROOT_SYSCONF_PATH: where `enroot.conf` and the hooks are.
    pub sysconf: String,
    /// Each node has directories of its own under these paths.
    pub node_local: bool,
    /// Bytes that the root file systems of a node may take; `None` is without a limit.
    pub capacity: Option<u64>,
    /// Registries can be reached.
    pub online: bool,
    /// ENROOT_ROOTFS_WRITABLE.
    pub writable: bool,
    /// ENROOT_REMAP_ROOT.
    pub remap_root: bool,
    /// ENROOT_MOUNT_HOME.
    pub mount_home: bool,
    /// `nvidia-container-cli` is installed, so that the hook 98-nvidia.sh can bring in the driver.
    pub nvidia: bool,
    /// `/dev/fuse` may be opened, so that `enroot start` can run a squashfs file directly.
    pub fuse: bool,
}

impl Default for EnrootConf {
    fn default() -> Self {
        Self {
            data_path: "/raid/enroot/data/%u".into(),
            sysconf: "/etc/enroot".into(),
            node_local: true,
            capacity: None,
            online: true,
            writable: false,
            remap_root: false,
            mount_home: false,
            nvidia: true,
            fuse: true,
        }
    }
}

/// What a squashfs file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Squash {
    /// Its files.
    pub files: Files,
    /// Which standard utilities it has.
    pub rootfs: Rootfs,
    /// `/etc/environment`: the image's variables.
    pub env: Vec<(String, String)>,
    /// The directory that commands start in.
    pub workdir: String,
    /// What runs when no command is given.
    pub command: Vec<String>,
    /// Bytes when it is unpacked.
    pub size: u64,
    /// Symbolic links that it has beside its files.
    pub links: u32,
    /// The image that it came from, for its simulated programs.
    pub image: Option<Arc<Image>>,
}

/// A container that Pyxis started for the tasks of a step, or for a batch script, on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The job.
    pub job: JobId,
    /// The node.
    pub node: String,
    /// Name of its root file system, as `enroot list` shows it there.
    pub name: String,
    /// `--container-image` as typed; empty where a named container was there already.
    pub image: String,
}

/// A container's root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// What it was made of; its files are those of the root, written or not.
    pub squash: Squash,
    /// The step that removes it at its end.
    pub step: Option<(JobId, u32)>,
    /// Processes that run in it.
    pub running: u32,
    /// File systems in memory, by the path where they are mounted.
    tmpfs: BTreeMap<String, Files>,
}

/// Where a root file system is: the node, empty when all nodes see it, and the path.
type RootKey = (String, String);

/// All that Enroot keeps on the machines.
#[derive(Clone, Debug, Default)]
pub struct Enroot {
    /// How it is set up.
    pub conf: EnrootConf,
    /// The registries.
    pub registry: Registry,
    roots: BTreeMap<RootKey, Root>,
    /// Squashfs files by the name that their content carries.
    squashes: BTreeMap<String, Arc<Squash>>,
    /// What Pyxis started, oldest first.
    started: Vec<Started>,
    /// Layers in each node's cache.
    layers: BTreeMap<String, std::collections::BTreeSet<String>>,
}

/// What every squashfs file begins with.
const MAGIC: &str = "hsqs";

impl Enroot {
    /// What Pyxis started so far, oldest first.
    pub fn started(&self) -> &[Started] {
        &self.started
    }

    /// The root file systems that there are: the node (empty where all nodes see it), the path, and what it is.
    pub fn roots(&self) -> impl Iterator<Item = (&str, &str, &Root)> {
        self.roots.iter().map(|((node, path), root)| (node.as_str(), path.as_str(), root))
    }

    fn scope(&self, node: &str) -> String {
        if self.conf.node_local { node.to_owned() } else { String::new() }
    }

    fn key(&self, node: &str, path: &str) -> RootKey {
        (self.scope(node), path.to_owned())
    }

    /// The root file system at a path, as a node sees it.
    pub(crate) fn root(&self, node: &str, path: &str) -> Option<&Root> {
        self.roots.get(&self.key(node, path))
    }

    pub(crate) fn root_mut(&mut self, node: &str, path: &str) -> Option<&mut Root> {
        let key = self.key(node, path);
        self.roots.get_mut(&key)
    }

    /// Paths of the root file systems below a directory, in order.
    fn names(&self, node: &str, directory: &str) -> Vec<String> {
        let (scope, prefix) = (self.scope(node), format!("{directory}/"));
        self.roots
            .keys()
            .filter(|(of, _)| *of == scope)
            .filter_map(|(_, path)| path.strip_prefix(&prefix))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }

    fn used(&self, node: &str) -> u64 {
        let scope = self.scope(node);
        self.roots.iter().filter(|((of, _), _)| *of == scope).map(|(_, root)| root.squash.size).sum()
    }

    pub(crate) fn remove(&mut self, node: &str, path: &str) -> bool {
        let key = self.key(node, path);
        self.roots.remove(&key).is_some()
    }

    /// The content of a new squashfs file.
    pub(crate) fn pack(&mut self, squash: Squash) -> Vec<u8> {
        let known = self.squashes.iter().find(|(_, other)| ***other == squash).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| format!("{:08}", self.squashes.len() + 1));
        self.squashes.entry(name.clone()).or_insert_with(|| Arc::new(squash));
        format!("{MAGIC}{name}").into_bytes()
    }

    /// What a squashfs file holds; `None` when it is none.
    pub(crate) fn unpack(&self, bytes: &[u8]) -> Option<Arc<Squash>> {
        let name = std::str::from_utf8(bytes).ok()?.strip_prefix(MAGIC)?;
        self.squashes.get(name).cloned()
    }
}

impl Squash {
    /// What Enroot makes of an image.
    pub fn of_image(image: &Arc<Image>) -> Self {
        let mut files = image.files();
        let rc =
            "mkdir -p \"WORKDIR\" 2> /dev/null\ncd \"WORKDIR\" && unset OLDPWD || exit 1\n\nexec \"$@\"\n"
                .replace("WORKDIR", &image.working_dir);
        let environment: String = image.env.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        for (path, text) in [("/etc/rc", rc), ("/etc/environment", environment)] {
            // An image has room for two short files.
            let _ = files.put(path, text, crate::sim::SimTime::ZERO);
        }
        let _ = files.create_dir_all(&image.working_dir, crate::sim::SimTime::ZERO);
        Self {
            files,
            rootfs: image.rootfs,
            env: image.env.clone(),
            workdir: image.working_dir.clone(),
            command: image.argv(None, None),
            // Compressed layers unpack to about 2.5 times their size.
            size: image.size_bytes * 5 / 2,
            links: 0,
            image: Some(Arc::clone(image)),
        }
    }

    /// What `unsquashfs` prints of it.
    fn extraction(&self) -> Vec<String> {
        let (files, directories) = self.counts();
        let inodes = files + self.links;
        let blocks = self.size.div_ceil(128 << 10).max(u64::from(files));
        let mut lines = vec![
            "[INFO] Extracting squashfs filesystem...".to_owned(),
            "Parallel unsquashfs: Using 2 processors".to_owned(),
            format!("{inodes} inodes ({blocks} blocks) to write"),
            String::new(),
            String::new(),
            format!("created {files} files"),
            format!("created {directories} directories"),
            format!("created {} symlinks", self.links),
        ];
        lines.extend(["devices", "fifos", "sockets", "hardlinks"].map(|what| format!("created 0 {what}")));
        lines
    }

    /// Regular files and directories, the root among them.
    fn counts(&self) -> (u32, u32) {
        fn walk(files: &Files, path: &str, found: &mut (u32, u32)) {
            found.1 += 1;
            for name in files.list(path).unwrap_or_default() {
                let path = crate::process::files::join(path, &name);
                match files.metadata(&path) {
                    Ok(meta) if meta.is_dir => walk(files, &path, found),
                    Ok(meta) if !meta.is_device => found.0 += 1,
                    _ => {}
                }
            }
        }
        let mut found = (0, 0);
        walk(&self.files, "/", &mut found);
        found
    }
}

/// The directory of a user's root file systems.
pub(crate) fn data_path(conf: &EnrootConf, env: &BTreeMap<String, String>, uid: u32) -> String {
    let path = env.get("ENROOT_DATA_PATH").cloned().unwrap_or_else(|| conf.data_path.clone());
    path.replace("%u", &uid.to_string())
}

/// A switch of Enroot: off by `n`, `no`, `N`, `false`, `f` and nothing; anything else is on.
pub(crate) fn switch(env: &BTreeMap<String, String>, name: &str, default: bool) -> bool {
    match env.get(name).map(String::as_str) {
        None => default,
        Some(value) => !matches!(value.to_ascii_lowercase().as_str(), "" | "n" | "no" | "f" | "false"),
    }
}
