//! What a page or a terminal draws of a Slurm cluster: plain data, in the words that Slurm's own displays use.
//!
//! Times are seconds since the lab was switched on. Parts (factors, shares) are in millionths, so that values can be
//! compared.

use serde::{Deserialize, Serialize};

/// A Slurm cluster at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmView {
    /// `ClusterName`.
    pub cluster: String,
    /// Nodes, in the order of `slurm.conf`.
    pub nodes: Vec<SlurmNodeView>,
    /// Partitions, in the order of `slurm.conf`.
    pub partitions: Vec<PartitionView>,
    /// Every job that the controller still has a record of: those that wait in the order in which they are considered,
    /// then those that run, then those that ended, the latest first.
    pub jobs: Vec<JobView>,
    /// What ran, runs and is expected to run where: the chart of nodes and time, oldest first.
    pub spans: Vec<SpanView>,
    /// Reservations.
    pub reservations: Vec<ReservationView>,
    /// Accounts and users with their shares, depth first.
    pub associations: Vec<AssociationView>,
}

/// What checks of exercises see: the state, and what accounting knows of jobs that are over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckedView {
    /// Jobs: those that the controller has a record of, then those that only accounting has, each once.
    pub jobs: Vec<JobView>,
    /// Every run of a job that is over, oldest first.
    pub runs: Vec<JobView>,
    /// Nodes.
    pub nodes: Vec<SlurmNodeView>,
    /// Partitions.
    pub partitions: Vec<PartitionView>,
    /// Reservations.
    pub reservations: Vec<ReservationView>,
    /// Accounts and users.
    pub associations: Vec<AssociationView>,
    /// Root file systems of containers that there are on the nodes.
    pub containers: Vec<ContainerView>,
    /// Containers that Pyxis started for jobs, oldest first.
    pub container_starts: Vec<ContainerView>,
}

/// A container of Enroot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ContainerView {
    /// The job that it was started for; 0 of a root file system that is just there.
    pub job_id: u32,
    /// Its node; empty where all nodes see it.
    pub node: String,
    /// As `enroot list` shows it: `pyxis_dev`.
    pub name: String,
    /// The image: as it was asked for, of a root file system the registry's name of it.
    pub image: String,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlurmNodeView {
    /// `NodeName`.
    pub name: String,
    /// As `sinfo -o %T` prints it: `mixed`.
    pub state: String,
    /// Why it is down or drained; empty if nobody said.
    pub reason: String,
    /// CPUs given away.
    pub alloc_cpus: u32,
    /// CPUs.
    pub cpus: u32,
    /// Memory given away, MiB.
    pub alloc_memory: u64,
    /// `RealMemory`, MiB.
    pub real_memory: u64,
    /// GPUs given away.
    pub alloc_gpus: u32,
    /// GPUs.
    pub gpus: u32,
    /// `Gres=` of `slurm.conf`.
    pub gres: String,
    /// Ids of the jobs on it.
    pub jobs: Vec<u32>,
}

/// One partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionView {
    /// Its name.
    pub name: String,
    /// Whether jobs go there that name none.
    pub default: bool,
    /// Whether it is up.
    pub up: bool,
    /// Its nodes as a host list.
    pub nodes: String,
    /// `MaxTime`, minutes.
    pub max_time: Option<u32>,
    /// `PriorityTier`.
    pub priority_tier: u32,
}

/// One job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobView {
    /// Its number.
    pub job_id: u32,
    /// As `squeue` shows it: `7`, `7_3`, `7_[4-9]`.
    pub id: String,
    /// Of a task of an array: the array's number.
    pub array_job_id: Option<u32>,
    /// Its task.
    pub array_task_id: Option<u32>,
    /// `--job-name`.
    pub name: String,
    /// Who submitted it.
    pub user_name: String,
    /// `--account`.
    pub account: String,
    /// `--partition`.
    pub partition: String,
    /// `--qos`.
    pub qos: String,
    /// `PENDING`.
    pub job_state: String,
    /// `PD`.
    pub state_code: String,
    /// As `squeue -o %r` prints it: `Resources`, `None`.
    pub state_reason: String,
    /// What of the many reasons it is.
    pub blocked: BlockKind,
    /// Its priority; 0 is held.
    pub priority: u32,
    /// What the priority is made of; of jobs that wait, in the order of `sprio`.
    pub factors: Vec<FactorView>,
    /// `--nice`.
    pub nice: i32,
    /// When it was submitted.
    pub submit_time: i64,
    /// When it became eligible.
    pub eligible_time: Option<i64>,
    /// When it started.
    pub start_time: Option<i64>,
    /// When it ended, or must end.
    pub end_time: Option<i64>,
    /// When it is expected to start, where backfill has planned it.
    pub expected_start: Option<i64>,
    /// Where backfill has planned it.
    pub planned_nodes: String,
    /// Time limit, minutes.
    pub time_limit: Option<u32>,
    /// Its nodes, as a host list; empty while it waits.
    pub nodes: String,
    /// Its nodes one by one.
    pub node_list: Vec<String>,
    /// How many nodes it has, or asks for at least.
    pub node_count: u32,
    /// CPUs that it has, or asks for.
    pub cpus: u32,
    /// Memory that it has, or asks for, MiB.
    pub memory: u64,
    /// GPUs that it has, or asks for.
    pub gpus: u32,
    /// Whether it gets its nodes for itself.
    pub exclusive: bool,
    /// `--dependency` as far as it is not fulfilled.
    pub dependency: String,
    /// How often it was started again.
    pub restart_cnt: u32,
    /// Exit code.
    pub exit_code: u8,
    /// The signal that ended it.
    pub exit_signal: u8,
    /// It was started by backfill, before jobs of higher priority.
    pub backfilled: bool,
    /// `--reservation`.
    pub reservation: String,
    /// Steps, without the batch script.
    pub steps: u32,
}

/// A factor of a job's priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorView {
    /// The column of `sprio`: `AGE`, `FAIRSHARE`; `TRES` is already weighted.
    pub name: String,
    /// `PriorityWeight…`.
    pub weight: u32,
    /// Between 0 and 1, in millionths.
    pub millionths: u32,
    /// Weight times factor.
    pub points: i64,
}

/// What keeps a job from running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// Nothing: it runs, or ended, or was not looked at yet.
    #[default]
    Nothing,
    /// Jobs before it in the queue.
    Priority,
    /// What it asks for is not free.
    Resources,
    /// A limit of its association, its QOS or its partition.
    Limit,
    /// Another job.
    Dependency,
    /// A reservation, its own or of others.
    Reservation,
    /// Its begin time.
    Begin,
    /// It is held.
    Held,
    /// Nodes that it needs are down, drained or reserved.
    Nodes,
    /// Its partition takes no jobs to its nodes.
    Partition,
    /// Licences.
    Licenses,
    /// Anything else.
    Other,
}

/// A stretch of time that a job has, had, or is expected to have its nodes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpanView {
    /// The job.
    pub job_id: u32,
    /// As `squeue` shows it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its user.
    pub user_name: String,
    /// Start.
    pub start: i64,
    /// End; of a job that runs, its limit.
    pub end: i64,
    /// Whether it is over, runs, or is expected.
    pub kind: SpanKind,
    /// How it ended: `COMPLETED`; else its state.
    pub state: String,
    /// It was started by backfill.
    pub backfilled: bool,
    /// What it has of which node.
    pub shares: Vec<ShareView>,
}

/// What a job has of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// Index into [`SlurmView::nodes`].
    pub node: u32,
    /// CPUs.
    pub cpus: u32,
    /// GPUs.
    pub gpus: u32,
}

/// Whether a stretch of time is over, present, or to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanKind {
    /// It is over.
    #[default]
    Ended,
    /// It runs; the end is its limit.
    Running,
    /// Backfill expects it.
    Expected,
}

/// A reservation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationView {
    /// Its name.
    pub name: String,
    /// Start.
    pub start: i64,
    /// End.
    pub end: i64,
    /// Its nodes as a host list.
    pub nodes: String,
    /// Indices into [`SlurmView::nodes`].
    pub node_indices: Vec<u32>,
    /// Who may use it: users, then accounts.
    pub users: Vec<String>,
    /// For maintenance.
    pub maint: bool,
}

/// An account or a user in an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociationView {
    /// How deep below root.
    pub depth: u32,
    /// Account.
    pub account: String,
    /// User; `None` for the account itself.
    pub user: Option<String>,
    /// `RawShares`; `None` shares the account's.
    pub raw_shares: Option<u32>,
    /// `NormShares`, millionths.
    pub norm_shares: u32,
    /// `RawUsage`: billed seconds, decayed.
    pub raw_usage: u64,
    /// `EffectvUsage`, millionths.
    pub effective_usage: u32,
    /// `FairShare`, millionths; only users have one.
    pub fair_share: Option<u32>,
    /// `LevelFS` in millionths; `None` is infinite.
    pub level_fs: Option<u64>,
}

/// Why a job is where it is, or waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobWhy {
    /// The job.
    pub job: JobView,
    /// Jobs that are considered before it in its partition, the first first.
    pub ahead: Vec<AheadView>,
    /// Jobs that have nodes that it could use, by when they must end.
    pub holders: Vec<HolderView>,
    /// What it waits for of other jobs.
    pub dependencies: Vec<DependencyView>,
    /// Reservations that keep nodes of its partition from it.
    pub reservations: Vec<ReservationView>,
    /// Nodes of its partition, as they are now.
    pub nodes: Vec<SlurmNodeView>,
    /// When it could start if nobody were before it and all that runs ended at its limit.
    pub alone_start: Option<i64>,
    /// Where.
    pub alone_nodes: String,
}

/// A job that is considered earlier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AheadView {
    /// Its number.
    pub job_id: u32,
    /// As `squeue` shows it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its user.
    pub user_name: String,
    /// Its priority.
    pub priority: u32,
    /// When it is expected to start.
    pub expected_start: Option<i64>,
}

/// A job that has what another waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderView {
    /// Its number.
    pub job_id: u32,
    /// As `squeue` shows it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its user.
    pub user_name: String,
    /// Its nodes, as a host list.
    pub nodes: String,
    /// When its limit ends it; `None` without a limit.
    pub end: Option<i64>,
}

/// One part of a dependency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyView {
    /// `afterok`.
    pub kind: String,
    /// The job; `None` for `singleton`.
    pub job_id: Option<u32>,
    /// That job's state; empty if the controller has forgotten it.
    pub job_state: String,
    /// `unfulfilled`, `fulfilled` or `failed`.
    pub state: String,
}
