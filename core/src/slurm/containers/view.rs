//! What a process in a container sees: the root file system, what is mounted into it, who it is.

use super::Root;
use crate::process::files::{FileError, Files};
use crate::process::images::Rootfs;
use crate::slurm::cluster::SlurmCluster;

/// A file or directory of the host inside of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bind {
    /// Path on the host; `None` is a file system in memory.
    pub(crate) source: Option<String>,
    /// Path inside.
    pub(crate) target: String,
    pub(crate) read_only: bool,
}

/// The container of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// Path of the root file system.
    pub(crate) root_path: String,
    /// Which utilities there are.
    pub(crate) rootfs: Rootfs,
    /// The root may be written.
    pub(crate) writable: bool,
    /// Inside it is root (a user namespace maps it to the user).
    pub(crate) root: bool,
    /// `id` shows supplementary groups.
    pub(crate) groups: bool,
    pub(crate) binds: Vec<Bind>,
    pub(crate) devices: Devices,
}

/// The GPUs that the hook 98-nvidia.sh brings into a container, by NVIDIA_VISIBLE_DEVICES.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Devices {
    /// None, and no driver.
    #[default]
    None,
    /// All that there are.
    All,
    /// Those with these numbers.
    Listed(Vec<usize>),
}

impl Devices {
    /// What the value of the variable asks for.
    pub(super) fn read(value: &str) -> Self {
        match value {
            "" | "void" | "none" => Self::None,
            "all" => Self::All,
            list => Self::Listed(list.split(',').filter_map(|number| number.trim().parse().ok()).collect()),
        }
    }

    /// Those of the machine's GPUs that it asks for, out of those that are there.
    pub(crate) fn of(&self, gpus: &[usize]) -> Vec<usize> {
        match self {
            Self::None => Vec::new(),
            Self::All => gpus.to_vec(),
            Self::Listed(numbers) => numbers.iter().filter_map(|number| gpus.get(*number).copied()).collect(),
        }
    }
}

/// What was taken from the host for as long as a process works.
type Lent = Vec<(String, Files)>;

impl SlurmCluster {
    /// The files of a container, with what is mounted into it.
    pub(crate) fn enter(&mut self, node: &str, view: &View) -> Files {
        let Some(root) = self.enroot.root(node, &view.root_path) else { return Files::new() };
        let mut files = root.squash.files.clone();
        for bind in &view.binds {
            // A target was made when the container started; one that vanished is not seen, as a mount that failed.
            let _ = match &bind.source {
                None => {
                    let memory = root.tmpfs.get(&bind.target).cloned().unwrap_or_default();
                    files.mount(&bind.target, memory, bind.read_only).map(|_| ())
                }
                Some(source) => mount(&mut files, &self.files, source, bind),
            };
        }
        // A mount over a directory that is not there shows nothing.
        let _ = files.mount("/proc", proc_files(view), true);
        files.set_read_only(!view.writable);
        files
    }

    /// Takes back what a process wrote.
    pub(crate) fn leave(&mut self, node: &str, view: &View, mut files: Files) {
        files.set_read_only(false);
        let _ = files.unmount("/proc");
        let mut lent: Lent = Vec::new();
        let mut memory: Lent = Vec::new();
        let now = self.now();
        for bind in view.binds.iter().rev() {
            match &bind.source {
                None => memory.extend(files.unmount(&bind.target).map(|taken| (bind.target.clone(), taken))),
                Some(source) => match files.unmount(&bind.target) {
                    Some(taken) if !bind.read_only => lent.push((source.clone(), taken)),
                    Some(_) => {}
                    None => {
                        // A single file.
                        let content = files.read(&bind.target).map(<[u8]>::to_vec);
                        if let (Ok(content), false) = (content, bind.read_only)
                            && self.files.read(source).is_ok_and(|old| old != content)
                        {
                            let _ = self.files.write(source, content, now);
                        }
                        let _ = files.remove(&bind.target);
                    }
                },
            }
        }
        for (source, taken) in lent {
            if self.files.subtree(&source).is_ok_and(|old| old != taken) {
                self.changes += 1;
                let _ = self.files.replace(&source, &taken);
            }
        }
        let Some(root) = self.enroot.root_mut(node, &view.root_path) else { return };
        for (target, taken) in memory {
            root.tmpfs.insert(target, taken);
        }
        if view.writable && root.squash.files != files {
            root.squash.files = files;
        }
    }
}

/// What `/proc` has of a container: its mounts.
fn proc_files(view: &View) -> Files {
    let mut text = String::new();
    let mode = |read_only: bool| if read_only { "ro" } else { "rw" };
    let mut line = |number: usize, source: &str, target: &str, read_only: bool, memory: bool| {
        let (device, kind, from) =
            if memory { ("0:40", "tmpfs", "tmpfs") } else { ("254:0", "ext4", "/dev/vda") };
        text.push_str(&format!(
            "{} 78 {device} {source} {target} {},nosuid,nodev,relatime - {kind} {from} rw\n",
            78 + number,
            mode(read_only)
        ));
    };
    line(0, &view.root_path, "/", !view.writable, false);
    for (at, bind) in view.binds.iter().enumerate() {
        line(
            at + 1,
            bind.source.as_deref().unwrap_or("/"),
            &bind.target,
            bind.read_only,
            bind.source.is_none(),
        );
    }
    let mut files = Files::new();
    // A fresh file system has room for a few lines.
    let _ = files.put("/self/mountinfo", text, crate::sim::SimTime::ZERO);
    files
}

fn mount(files: &mut Files, host: &Files, source: &str, bind: &Bind) -> Result<(), FileError> {
    if host.is_dir(source) {
        let taken = host.subtree(source)?;
        return files.mount(&bind.target, taken, bind.read_only).map(|_| ());
    }
    let content = host.read(source)?.to_vec();
    files.put(&bind.target, content, crate::sim::SimTime::ZERO)
}

impl Root {
    /// A fresh root file system.
    pub(super) fn new(squash: super::Squash, step: Option<(u32, u32)>) -> Self {
        Self { squash, step, running: 0, tmpfs: std::collections::BTreeMap::new() }
    }
}
