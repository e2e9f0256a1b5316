//! What `enroot` does that takes its time: fetching an image, packing it, unpacking it.

use std::time::Duration;

use super::Squash;
use crate::process::files::resolve;
use crate::process::{Io, Step};
use crate::sim::SimTime;
use crate::slurm::cluster::JobHost;

/// A command that is at work.
#[derive(Clone, Debug)]
pub(crate) struct Work {
    /// When it is done.
    until: SimTime,
    /// What it says before.
    first: Vec<String>,
    /// What it says then.
    then: Vec<String>,
    squash: Squash,
    into: Destination,
    /// Layers that will have been fetched.
    layers: Vec<String>,
}

/// Where an image goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// A squashfs file.
    File(String),
    /// A root file system: its path, the file that it comes from, whether it takes the place of another, and whether what
    /// is unpacked is said.
    Root { path: String, image: String, force: bool, said: bool },
}

/// The line with which the work on a fetched image begins.
const EXTRACTING: &str = "[INFO] Extracting image layers...";

impl Work {
    /// Work on an image that is done after `took`; of `log` the lines up to the fetching come first.
    pub(super) fn new(
        now: SimTime,
        took: Duration,
        mut log: Vec<String>,
        squash: Squash,
        into: Destination,
    ) -> Self {
        let at = log.iter().position(|line| line == EXTRACTING).unwrap_or(log.len());
        let then = log.split_off(at);
        Self { until: now + took, first: log, then, squash, into, layers: Vec::new() }
    }

    /// These layers are in the cache when it is done.
    pub(super) fn of_layers(self, layers: Vec<String>) -> Self {
        Self { layers, ..self }
    }

    /// Waits, and puts the image where it belongs.
    pub(crate) fn step(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Step {
        let mut say = |lines: Vec<String>| {
            for line in lines {
                io.stderr.extend_from_slice(format!("{line}\n").as_bytes());
            }
        };
        say(std::mem::take(&mut self.first));
        if host.cluster.now() < self.until {
            return Step::Until(self.until);
        }
        say(std::mem::take(&mut self.then));
        let node = host.node.clone();
        host.cluster.enroot.keep_layers(&node, std::mem::take(&mut self.layers));
        let done = match &self.into {
            Destination::File(path) => pack(host, &self.squash, path),
            Destination::Root { path, image, force, said } => {
                let log = host.cluster.create_root(&node, path, image, &self.squash, *force, None);
                log.map(|log| if *said { log } else { Vec::new() })
            }
        };
        let code = u8::from(done.is_err());
        say(done.unwrap_or_else(|lines| lines));
        Step::Exit(code)
    }
}

/// Writes a squashfs file; the lines that `mksquashfs` prints.
fn pack(host: &mut JobHost<'_>, squash: &Squash, path: &str) -> Result<Vec<String>, Vec<String>> {
    let target = resolve("/", path);
    let (files, directories) = squash.counts();
    let mut log = vec![
        "Parallel mksquashfs: Using 2 processors".into(),
        format!("Creating 4.0 filesystem on {target}, block size 131072."),
    ];
    let (size, links) = (squash.size, squash.links);
    let content = host.cluster.enroot.pack(squash.clone());
    let now = host.cluster.now();
    if let Err(why) = host.cluster.files.write(&target, content, now) {
        log.push(format!("Write failed because {why}"));
        log.push("FATAL ERROR:Failed to write to output filesystem".into());
        return Err(log);
    }
    log.push(String::new());
    log.push(format!(
        "Filesystem size {:.2} Kbytes ({:.2} Mbytes)",
        size as f64 / 1024.0,
        size as f64 / 1_048_576.0
    ));
    log.push(format!("Number of inodes {}", files + directories + links));
    log.push(format!("Number of files {files}"));
    log.push(format!("Number of symbolic links {links}"));
    log.push(format!("Number of directories {directories}"));
    host.cluster.changes += 1;
    Ok(log)
}
