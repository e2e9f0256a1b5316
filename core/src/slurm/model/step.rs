//! Steps: what runs in an allocation, and what `srun` asks for when it wants one.

use super::{Bits, JobState, Memory, NodeIdx};
use crate::slurm::Time;

/// Which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepId {
    /// The batch script.
    Batch,
    /// `salloc`'s or `srun`'s outer step for interactive use.
    Interactive,
    /// The external step (`PrologFlags=Contain`).
    Extern,
    /// `srun` number n.
    Number(u32),
}

impl std::fmt::Display for StepId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Batch => f.write_str("batch"),
            Self::Interactive => f.write_str("interactive"),
            Self::Extern => f.write_str("extern"),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// What a step has on one of its nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepShare {
    /// The node.
    pub node: NodeIdx,
    /// CPUs.
    pub cpus: u32,
    /// MiB.
    pub memory: u64,
    /// GPUs, by their indices on the node.
    pub gpus: Bits,
    /// Ranks of its tasks here, rising.
    pub ranks: Vec<u32>,
}

/// A step: what runs in an allocation.
#[derive(Clone, Debug)]
pub struct Step {
    /// Which.
    pub id: StepId,
    /// Its name.
    pub name: String,
    /// State.
    pub state: JobState,
    /// Start.
    pub start: Time,
    /// End; 0 while it runs.
    pub end: Time,
    /// Exit code and signal; [`Step::UNREPORTED`] when its node was lost before it told.
    pub exit: (u8, u8),
    /// Its nodes.
    pub nodes: Bits,
    /// CPUs.
    pub cpus: u32,
    /// Tasks.
    pub tasks: u32,
    /// What it has on each node, in the order of the nodes.
    pub shares: Vec<StepShare>,
    /// How its tasks were dealt out; `None` of the batch script.
    pub distribution: Option<Distribution>,
    /// It shares what it has with other steps (`--overlap`).
    pub overlap: bool,
    /// Its time limit, minutes; `None` is that of the job.
    pub time_limit: Option<u32>,
    /// Host and process id of its `srun`.
    pub srun: Option<(String, u32)>,
}

impl Step {
    /// The exit of a step that nobody told of.
    pub const UNREPORTED: (u8, u8) = (0, u8::MAX);
}

/// How tasks are dealt out over nodes (`--distribution`, its first part).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Distribution {
    /// A node is filled before the next.
    #[default]
    Block,
    /// One task to each node in turn.
    Cyclic,
    /// So many tasks to each node in turn.
    Plane(u32),
}

impl Distribution {
    /// What `scontrol show step` calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Block => "Block",
            Self::Cyclic => "Cyclic",
            Self::Plane(_) => "Plane",
        }
    }

    /// The first part of `--distribution`; what is left out or `*` is block.
    pub fn parse(text: &str) -> Self {
        let first = text.split([':', ',']).next().unwrap_or_default();
        match first.strip_prefix("plane=") {
            Some(size) => Self::Plane(size.parse().unwrap_or(1)),
            None if first == "cyclic" => Self::Cyclic,
            None => Self::Block,
        }
    }
}

/// What `srun` asks of the controller for a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepRequest {
    /// `--job-name`, or the command's name.
    pub name: String,
    /// Tasks; `None` is one per node.
    pub ntasks: Option<u32>,
    /// `--ntasks-per-node`.
    pub ntasks_per_node: Option<u32>,
    /// CPUs of a task; `None` is one.
    pub cpus_per_task: Option<u32>,
    /// Least nodes; `None` is all of the job's.
    pub min_nodes: Option<u32>,
    /// Most nodes.
    pub max_nodes: Option<u32>,
    /// `--nodelist`, expanded.
    pub nodelist: Vec<String>,
    /// `--exclude`, expanded.
    pub exclude: Vec<String>,
    /// `--relative`: the first node, counted from the job's first.
    pub relative: u32,
    /// Only what was asked for, not all CPUs of its nodes (`--exact`).
    pub exact: bool,
    /// `--overlap`.
    pub overlap: bool,
    /// `--overcommit`: more tasks than CPUs.
    pub overcommit: bool,
    /// `--mem`, `--mem-per-cpu`.
    pub memory: Option<Memory>,
    /// GPUs in all (`--gpus`).
    pub gpus: Option<u64>,
    /// GPUs per node (`--gpus-per-node`, `--gres`).
    pub gpus_per_node: Option<u64>,
    /// GPUs per task (`--gpus-per-task`).
    pub gpus_per_task: Option<u64>,
    /// `--gres=none`: none, although the job has some.
    pub no_gpus: bool,
    /// `--distribution`.
    pub distribution: Distribution,
    /// `--time`, minutes.
    pub time_limit: Option<u32>,
    /// Host and process id of `srun`.
    pub srun: Option<(String, u32)>,
}
