//! What a job asks for, as `sbatch`, `salloc` and `srun` send it to the controller.

use super::Memory;
use crate::slurm::Time;

/// How a job wants to share its nodes (`--exclusive`, `--oversubscribe`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// As the partition says.
    #[default]
    Default,
    /// Whole nodes.
    Exclusive,
    /// Nodes that only this user's jobs share.
    ExclusiveUser,
    /// Cores may be shared where the partition allows it.
    Oversubscribe,
}

/// Indices of an array job (`--array`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArraySpec {
    /// The text of the option, as `SLURM_ARRAY…` and messages show it.
    pub text: String,
    /// Task ids, rising.
    pub tasks: Vec<u32>,
    /// `%N`: at most that many at once.
    pub limit: Option<u32>,
    /// The step of `0-9:3`.
    pub step: u32,
}

/// One kind of dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are sbatch's own")]
pub enum DependencyKind {
    After,
    AfterAny,
    AfterOk,
    AfterNotOk,
    AfterCorr,
    Singleton,
    /// `afterburstbuffer`, `expand` and others that only parse.
    Expand,
}

impl DependencyKind {
    /// The word in `--dependency`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::After => "after",
            Self::AfterAny => "afterany",
            Self::AfterOk => "afterok",
            Self::AfterNotOk => "afternotok",
            Self::AfterCorr => "aftercorr",
            Self::Singleton => "singleton",
            Self::Expand => "expand",
        }
    }
}

/// Which jobs a dependency is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DependencyTarget {
    /// Job id (of an array: of the array).
    pub job: u32,
    /// Task id; `None` for a job, or all tasks of an array.
    pub task: Option<u32>,
    /// Minutes after its start (`after:job+minutes`).
    pub delay: u32,
}

/// Whether a part of a dependency holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DependencyState {
    /// Not yet known.
    #[default]
    Unfulfilled,
    /// It holds.
    Fulfilled,
    /// It can never hold.
    Failed,
}

/// One part of `--dependency`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Which kind.
    pub kind: DependencyKind,
    /// On which job; `singleton` has none.
    pub target: Option<DependencyTarget>,
    /// Joined with `?` (one of them is enough) instead of `,` (all).
    pub any: bool,
    /// Whether it holds.
    pub state: DependencyState,
}

/// What a job asks for. Everything that an option left out is `None` or empty: the controller fills in defaults.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobRequest {
    /// `--job-name`.
    pub name: String,
    /// User id, group id, and name.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// `--account`.
    pub account: Option<String>,
    /// `--partition`, in order.
    pub partitions: Vec<String>,
    /// `--qos`.
    pub qos: Option<String>,
    /// `--wckey`.
    pub wckey: Option<String>,
    /// `--nodes`: least.
    pub min_nodes: Option<u32>,
    /// `--nodes`: most.
    pub max_nodes: Option<u32>,
    /// `--ntasks`.
    pub ntasks: Option<u32>,
    /// `--cpus-per-task`.
    pub cpus_per_task: Option<u32>,
    /// `--ntasks-per-node`.
    pub ntasks_per_node: Option<u32>,
    /// `--ntasks-per-socket`.
    pub ntasks_per_socket: Option<u32>,
    /// `--ntasks-per-core`.
    pub ntasks_per_core: Option<u32>,
    /// `--mincpus`.
    pub min_cpus_node: Option<u32>,
    /// `--threads-per-core`.
    pub threads_per_core: Option<u32>,
    /// `--sockets-per-node`.
    pub sockets_per_node: Option<u32>,
    /// `--cores-per-socket`.
    pub cores_per_socket: Option<u32>,
    /// `--mem`, `--mem-per-cpu`.
    pub memory: Option<Memory>,
    /// `--tmp`, MiB.
    pub tmp_disk: u64,
    /// `--time`, minutes; `Some(None)` is UNLIMITED.
    pub time_limit: Option<Option<u32>>,
    /// `--time-min`, minutes.
    pub time_min: Option<u32>,
    /// `--begin`.
    pub begin: Option<Time>,
    /// `--deadline`.
    pub deadline: Option<Time>,
    /// `--dependency`.
    pub dependency: Vec<Dependency>,
    /// `--kill-on-invalid-dep`.
    pub kill_on_invalid_dep: Option<bool>,
    /// `--array`.
    pub array: Option<ArraySpec>,
    /// `--nice`.
    pub nice: i32,
    /// `--priority`.
    pub priority: Option<u32>,
    /// `--hold`.
    pub hold: bool,
    /// `--exclusive`, `--oversubscribe`.
    pub sharing: Sharing,
    /// `--contiguous`.
    pub contiguous: bool,
    /// `--spread-job`.
    pub spread: bool,
    /// `--use-min-nodes`.
    pub use_min_nodes: bool,
    /// `--constraint` as typed.
    pub constraint: Option<String>,
    /// `--prefer` as typed.
    pub prefer: Option<String>,
    /// `--nodelist`, expanded.
    pub nodelist: Vec<String>,
    /// `--exclude`, expanded.
    pub exclude: Vec<String>,
    /// `--licenses` as typed.
    pub licenses: Option<String>,
    /// `--reservation`.
    pub reservation: Option<String>,
    /// Texts of TRES per job, node, socket, task, as displays show them (`gres:gpu:2`).
    pub tres_per_job: Option<String>,
    /// See `tres_per_job`.
    pub tres_per_node: Option<String>,
    /// See `tres_per_job`.
    pub tres_per_socket: Option<String>,
    /// See `tres_per_job`.
    pub tres_per_task: Option<String>,
    /// `--cpus-per-gpu` as displays show it.
    pub cpus_per_tres: Option<String>,
    /// `--mem-per-gpu` as displays show it.
    pub mem_per_tres: Option<String>,
    /// `--ntasks-per-gpu`.
    pub ntasks_per_tres: Option<u32>,
    /// `--gpu-bind` and friends as displays show it.
    pub tres_bind: Option<String>,
    /// `--requeue`, `--no-requeue`.
    pub requeue: Option<bool>,
    /// `--switches`: count and longest wait in seconds.
    pub switches: Option<(u32, Option<u32>)>,
    /// `--reboot`.
    pub reboot: bool,
    /// `--delay-boot`, seconds.
    pub delay_boot: u32,
    /// `--comment`.
    pub comment: Option<String>,
    /// `--signal`: number, seconds before the limit, whether the batch shell gets it.
    pub signal: Option<(u8, u32, bool)>,
    /// `--mail-user`.
    pub mail_user: Option<String>,
    /// `--mail-type` as displays show it.
    pub mail_type: Option<String>,
    /// `--container` and others that are only shown.
    pub container: Option<String>,
    /// Whether there is a batch script.
    pub batch: bool,
    /// The batch script.
    pub script: String,
    /// The command as displays show it (`Command=`); `None` with `--wrap`.
    pub command: Option<String>,
    /// Arguments of the batch script.
    pub argv: Vec<String>,
    /// Environment of the batch script.
    pub environment: Vec<(String, String)>,
    /// Working directory.
    pub work_dir: String,
    /// `--output` as typed.
    pub std_out: Option<String>,
    /// `--error` as typed.
    pub std_err: Option<String>,
    /// `--input` as typed.
    pub std_in: Option<String>,
    /// `--open-mode=append`.
    pub append: Option<bool>,
    /// `--immediate`, seconds.
    pub immediate: Option<u32>,
    /// `--no-kill`: the job survives the loss of a node.
    pub no_kill: bool,
    /// `--overcommit`.
    pub overcommit: bool,
    /// `--distribution` as displays show it.
    pub distribution: Option<String>,
    /// What Pyxis was asked for; `None` without a container.
    pub pyxis: Option<crate::slurm::containers::pyxis::PyxisArgs>,
    /// `--wait-all-nodes`.
    pub wait_all_nodes: Option<bool>,
    /// The host where the command ran, and the session id there.
    pub alloc_node: String,
    /// See `alloc_node`.
    pub alloc_sid: u32,
}
