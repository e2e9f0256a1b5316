//! `slurm.conf` and the files beside it, read as slurmctld 22.05 reads them.
//!
//! Text becomes lines ([`lines`]), lines become keys with values by the tables of slurm.conf(5) ([`PARAMETERS`], [`NODE`],
//! [`PARTITION`], …), and those a [`Config`] that the controller is built from. Everything that is wrong is said at once,
//! with file, line and column; what the real one honours and this engine does not is in [`Config::notes`].
//!
//! ```
//! use clusterlab::slurm::config::{Config, ConfigFiles};
//! let files = ConfigFiles::new("ClusterName=lab\nSlurmctldHost=ctl\nInclude nodes.conf\n")
//!     .with("nodes.conf", "NodeName=gpu[001-128,130] CPUs=64 RealMemory=512000\nPartitionName=main Nodes=ALL\n");
//! let config = Config::read(&files)?;
//! assert_eq!(config.nodes[0].name, "gpu[001-128,130]");
//!
//! let wrong = files.with("nodes.conf", "NodeName=n1 CPUs=many\n");
//! let errors = Config::read(&wrong).unwrap_err();
//! assert!(errors.to_string().starts_with("nodes.conf:1:18: CPUs value \"many\" is not a valid number"));
//! # Ok::<(), clusterlab::slurm::config::ConfigErrors>(())
//! ```

mod check;
mod error;
mod fields;
mod lines;
mod options;
mod parameters;
mod read;
mod records;
mod show;
mod table;

use std::collections::BTreeMap;

pub use error::{ConfigErrors, Diagnostic, Kind, Place, Severity};
pub use fields::{Field, Fields, Value};
pub use options::{OPTIONS, WordOption};
pub use parameters::PARAMETERS;
pub use records::{CGROUP, DOWN_NODES, FRONTEND, GRES, NODE, NODE_SET, PARTITION, SWITCH};
pub use show::{Shown, show};
pub use table::{Parameter, Role, Unit, ValueKind};

/// Configuration files by name; `slurm.conf` is read first, `gres.conf`, `topology.conf`, `cgroup.conf` and
/// `plugstack.conf` where they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigFiles(BTreeMap<String, String>);

impl ConfigFiles {
    /// Files of which one is this `slurm.conf`.
    pub fn new(slurm_conf: impl Into<String>) -> Self {
        Self::default().with("slurm.conf", slurm_conf)
    }

    /// The same with one more file, or another text of it.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.0.insert(name.into(), text.into());
        self
    }

    /// The text of a file.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

/// A line that describes nodes, a partition, a switch or the like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it is about: a host list, a partition's name, …
    pub name: String,
    /// Where that stands.
    pub place: Place,
    /// Its other keys, with those of the `DEFAULT` line above it.
    pub fields: Fields,
}

/// A line of `plugstack.conf`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpankPlugin {
    /// Whether a job fails when the plugin does.
    pub required: bool,
    /// Path of the plugin.
    pub path: String,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// A controller's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerHost {
    /// Its name.
    pub name: String,
    /// Its address, where that is not its name.
    pub address: Option<String>,
}

/// A configuration that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Name of the file that was read first.
    pub file: String,
    /// Parameters that were given, by [`PARAMETERS`].
    pub parameters: Fields,
    /// Controllers: the first is the primary, the others are backups.
    pub controllers: Vec<ControllerHost>,
    /// `NodeName=` lines, by [`NODE`].
    pub nodes: Vec<Record>,
    /// `PartitionName=` lines, by [`PARTITION`].
    pub partitions: Vec<Record>,
    /// `NodeSet=` lines, by [`NODE_SET`].
    pub node_sets: Vec<Record>,
    /// `DownNodes=` lines, by [`DOWN_NODES`].
    pub down_nodes: Vec<Record>,
    /// Lines of `gres.conf`, by [`GRES`]; the name is the host list of the line, empty for all nodes.
    pub gres: Vec<Record>,
    /// Lines of `topology.conf`, by [`SWITCH`].
    pub switches: Vec<Record>,
    /// `cgroup.conf`, by [`CGROUP`].
    pub cgroup: Fields,
    /// `plugstack.conf`.
    pub plugins: Vec<SpankPlugin>,
    /// What slurmctld would warn of, and what is not modelled.
    pub notes: Vec<Diagnostic>,
}

impl Config {
    /// Reads files that are in memory.
    ///
    /// # Errors
    ///
    /// Everything that keeps slurmctld from starting.
    pub fn read(files: &ConfigFiles) -> Result<Self, ConfigErrors> {
        Self::load("slurm.conf", &|name| files.text(name).map(str::to_owned))
    }

    /// Reads the file `name` through `read`, which gives the text of a file that there is.
    ///
    /// # Errors
    ///
    /// Everything that keeps slurmctld from starting.
    pub fn load(name: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let (config, mut findings) = read::read(name, read);
        let mut config = config;
        check::check(&config, &mut findings);
        let (errors, notes): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.severity == Severity::Error);
        config.notes = notes;
        if errors.is_empty() { Ok(config) } else { Err(ConfigErrors { findings: errors }) }
    }

    /// Makes parameters what they are in `old`.
    pub(crate) fn keep(&mut self, old: &Self, names: &[&str]) {
        for name in names {
            self.parameters.take_from(&old.parameters, name);
        }
        self.controllers.clone_from(&old.controllers);
    }

    /// A parameter's text: as given, else its default; empty for none.
    pub fn text(&self, name: &str) -> &str {
        match self.parameters.get(name) {
            Some(field) => &field.text,
            None => table::find(PARAMETERS, name).map_or("", |row| row.default).trim_start_matches("(null)"),
        }
    }

    /// A parameter's number, else its default; `None` when it is UNLIMITED, or has no default.
    pub fn number<T: TryFrom<u64>>(&self, name: &str) -> Option<T> {
        match self.parameters.get(name) {
            Some(_) => self.parameters.number(name),
            None => T::try_from(table::find(PARAMETERS, name)?.default.parse::<u64>().ok()?).ok(),
        }
    }

    /// Whether a parameter is YES.
    pub fn flag(&self, name: &str) -> bool {
        self.parameters.flag(name)
    }

    /// Whether a list of words has this one, whatever its case.
    pub fn has_word(&self, name: &str, word: &str) -> bool {
        self.text(name).split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    }

    /// The parts of a parameter between commas.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.text(name).split(',').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// What is not modelled: `not modelled: KEY (FILE line N)`.
    pub fn not_modelled(&self) -> impl Iterator<Item = &Diagnostic> {
        self.notes.iter().filter(|note| note.severity == Severity::NotModelled)
    }
}

#[cfg(test)]
mod tests;
