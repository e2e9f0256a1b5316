//! Compute nodes and partitions, as the controller keeps them.

use smallvec::SmallVec;

use super::{Bits, GresGrant, NodeBase, NodeFlags, NodeGres};
use crate::slurm::Time;

/// Index of a node; nodes have the order of `slurm.conf`.
pub type NodeIdx = usize;
/// Index of a partition; partitions have the order of `slurm.conf`.
pub type PartIdx = usize;

/// Why a node is down, draining or failing, who said so, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReason {
    /// The text.
    pub text: String,
    /// User id of who set it.
    pub uid: u32,
    /// When.
    pub time: Time,
}

/// What becomes of a node after a reboot (`nextstate=`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Slurm's own")]
pub enum NextState {
    Resume,
    Down,
}

/// A reboot that was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reboot {
    /// The state afterwards; the present one when none was given.
    pub next: Option<NextState>,
    /// The node was drained for the reboot alone.
    pub undrain: bool,
}

/// A compute node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// NodeAddr.
    pub addr: String,
    /// NodeHostname.
    pub hostname: String,
    /// Port of its slurmd.
    pub port: u16,
    /// Logical CPUs.
    pub cpus: u32,
    /// Boards.
    pub boards: u32,
    /// Sockets on all boards.
    pub sockets: u32,
    /// Cores per socket.
    pub cores_per_socket: u32,
    /// Threads per core.
    pub threads: u32,
    /// RealMemory, MiB.
    pub memory: u64,
    /// TmpDisk, MiB.
    pub tmp_disk: u64,
    /// Scheduling weight: lower is used first.
    pub weight: u32,
    /// Features, in the order of `slurm.conf`.
    pub features: Vec<String>,
    /// `Gres=` as configured, for display.
    pub gres_text: String,
    /// Generic resources.
    pub gres: Vec<NodeGres>,
    /// The base state.
    pub base: NodeBase,
    /// Flags.
    pub flags: NodeFlags,
    /// Why it is down or draining.
    pub reason: Option<NodeReason>,
    /// When its machine was started.
    pub boot_time: Time,
    /// When its slurmd was started.
    pub slurmd_start: Time,
    /// When it last became idle or busy.
    pub last_busy: Time,
    /// Whether its slurmd answers.
    pub responds: bool,
    /// When its slurmd last answered.
    pub last_response: Time,
    /// A reboot that was asked for and is not over.
    pub reboot: Option<Reboot>,
}

impl Node {
    /// Cores.
    pub fn cores(&self) -> usize {
        (self.sockets * self.cores_per_socket) as usize
    }

    /// CPUs that a core counts for: its threads, or one where `CPUs=` counts cores.
    pub fn cpus_per_core(&self) -> u32 {
        (self.cpus / (self.cores() as u32).max(1)).max(1)
    }

    /// Whether a job may be put here at all.
    pub fn is_available(&self) -> bool {
        self.base == NodeBase::Up
            && !self.flags.has(NodeFlags::DRAIN)
            && !self.flags.has(NodeFlags::FAIL)
            && !self.flags.has(NodeFlags::NO_RESPOND)
            && !self.flags.has(NodeFlags::POWERED_DOWN)
            && !self.flags.has(NodeFlags::REBOOT_ISSUED)
    }
}

/// What a job has on one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeShare {
    /// The node.
    pub node: NodeIdx,
    /// Its cores.
    pub cores: Bits,
    /// In which row of the node they are.
    pub row: u8,
    /// CPUs that the job was given: at most cores × threads.
    pub cpus: u32,
    /// MiB.
    pub memory: u64,
    /// Generic resources.
    pub gres: SmallVec<[GresGrant; 1]>,
    /// The job has the node for itself.
    pub whole: bool,
    /// The job has the node for its user.
    pub user_exclusive: bool,
}

/// `OverSubscribe` of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverSubscribe {
    /// Jobs get whole nodes.
    Exclusive,
    /// No core is shared.
    No,
    /// Cores are shared by at most that many jobs, when the jobs ask for it.
    Yes(u16),
    /// Cores are shared by at most that many jobs, whether or not they ask.
    Force(u16),
}

impl OverSubscribe {
    /// How many jobs may have a core at once, for a job that does or does not ask to share.
    pub fn rows(self, asked: bool) -> u8 {
        match self {
            Self::Force(n) => n.clamp(1, 64) as u8,
            Self::Yes(n) if asked => n.clamp(1, 64) as u8,
            _ => 1,
        }
    }
}

/// `State` of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Slurm's own")]
pub enum PartitionState {
    Up,
    Down,
    Drain,
    Inactive,
}

/// How jobs are preempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are Slurm's own")]
pub enum PreemptMode {
    Off,
    Suspend,
    Requeue,
    Cancel,
}

/// A limit on memory: per node or per CPU, MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// MiB on each node.
    PerNode(u64),
    /// MiB for each allocated CPU.
    PerCpu(u64),
}

/// A partition.
#[derive(Clone, Debug)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// Its nodes.
    pub nodes: Bits,
    /// `Nodes=` as configured, for display.
    pub nodes_text: String,
    /// Whether jobs go here that name none.
    pub default: bool,
    /// Not shown without `-a` to those who may not use it.
    pub hidden: bool,
    /// State.
    pub state: PartitionState,
    /// MaxTime, minutes; `None` is UNLIMITED.
    pub max_time: Option<u32>,
    /// DefaultTime, minutes; `None` when the limit of a job without one is MaxTime.
    pub default_time: Option<u32>,
    /// MaxNodes; `None` is UNLIMITED.
    pub max_nodes: Option<u32>,
    /// MinNodes.
    pub min_nodes: u32,
    /// MaxCPUsPerNode.
    pub max_cpus_per_node: Option<u32>,
    /// PriorityTier.
    pub tier: u16,
    /// PriorityJobFactor.
    pub job_factor: u16,
    /// OverSubscribe.
    pub oversubscribe: OverSubscribe,
    /// PreemptMode, where it is not the cluster's.
    pub preempt_mode: Option<PreemptMode>,
    /// GraceTime, seconds.
    pub grace_time: u32,
    /// OverTimeLimit, minutes, where it is not the cluster's.
    pub over_time_limit: Option<u32>,
    /// DefMemPerCPU or DefMemPerNode.
    pub def_memory: Option<Memory>,
    /// MaxMemPerCPU or MaxMemPerNode.
    pub max_memory: Option<Memory>,
    /// DefCpuPerGPU.
    pub def_cpu_per_gpu: Option<u32>,
    /// DefMemPerGPU, MiB.
    pub def_mem_per_gpu: Option<u64>,
    /// AllowAccounts; `None` allows all.
    pub allow_accounts: Option<Vec<String>>,
    /// DenyAccounts.
    pub deny_accounts: Vec<String>,
    /// AllowQos; `None` allows all.
    pub allow_qos: Option<Vec<String>>,
    /// DenyQos.
    pub deny_qos: Vec<String>,
    /// AllowGroups; `None` allows all.
    pub allow_groups: Option<Vec<String>>,
    /// QOS whose limits the partition adds.
    pub qos: Option<String>,
    /// RootOnly.
    pub root_only: bool,
    /// ReqResv.
    pub req_resv: bool,
    /// DisableRootJobs.
    pub disable_root_jobs: bool,
    /// ExclusiveUser.
    pub exclusive_user: bool,
    /// LLN: least loaded nodes first.
    pub lln: bool,
    /// TRESBillingWeights as configured, for display.
    pub billing_text: String,
    /// TRESBillingWeights: TRES name and weight.
    pub billing_weights: Vec<(String, f64)>,
}
