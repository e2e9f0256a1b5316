//! States of jobs and of nodes, with the names and codes that the commands print.

use std::fmt;

/// The base state of a job (squeue(1), JOB STATE CODES).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are Slurm's own and say what they mean")]
pub enum JobBase {
    Pending,
    Running,
    Suspended,
    Completed,
    Cancelled,
    Failed,
    Timeout,
    NodeFail,
    Preempted,
    BootFail,
    Deadline,
    OutOfMemory,
}

/// What is true of a job beside its base state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobFlags(u16);

impl JobFlags {
    /// Its nodes are being cleaned up.
    pub const COMPLETING: Self = Self(1);
    /// Its nodes are being made ready.
    pub const CONFIGURING: Self = Self(2);
    /// It goes back to the queue when its nodes are clean.
    pub const REQUEUE: Self = Self(4);
    /// It goes back to the queue, held.
    pub const REQUEUE_HOLD: Self = Self(8);
    /// It ended with an exit code of RequeueExitHold.
    pub const SPECIAL_EXIT: Self = Self(16);
    /// Its reservation was deleted.
    pub const RESV_DEL_HOLD: Self = Self(32);
    /// Stopped by SIGSTOP, with its allocation kept.
    pub const STOPPED: Self = Self(64);
    /// Its allocation is being changed.
    pub const RESIZING: Self = Self(128);

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Sets `flags`.
    pub const fn set(&mut self, flags: Self) {
        self.0 |= flags.0;
    }

    /// Unsets `flags`.
    pub const fn clear(&mut self, flags: Self) {
        self.0 &= !flags.0;
    }
}

/// A job's state: base and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobState {
    /// The base state.
    pub base: JobBase,
    /// The flags.
    pub flags: JobFlags,
}

impl JobState {
    /// A base state without flags.
    pub const fn new(base: JobBase) -> Self {
        Self { base, flags: JobFlags(0) }
    }

    /// Whether the job has ended: nothing of it will run again, though its nodes may still be cleaned up.
    pub const fn is_finished(self) -> bool {
        !matches!(self.base, JobBase::Pending | JobBase::Running | JobBase::Suspended)
    }

    /// Whether its nodes are being cleaned up.
    pub const fn is_completing(self) -> bool {
        self.flags.has(JobFlags::COMPLETING)
    }

    /// The long name, as `squeue -l` and `scontrol show job` print it: flags that override the base first.
    pub const fn name(self) -> &'static str {
        self.names().0
    }

    /// The code of at most three letters, as `squeue` prints it.
    pub const fn code(self) -> &'static str {
        self.names().1
    }

    const fn names(self) -> (&'static str, &'static str) {
        let f = self.flags;
        if f.has(JobFlags::COMPLETING) {
            return ("COMPLETING", "CG");
        }
        if f.has(JobFlags::STOPPED) {
            return ("STOPPED", "ST");
        }
        if f.has(JobFlags::CONFIGURING) {
            return ("CONFIGURING", "CF");
        }
        if f.has(JobFlags::RESIZING) {
            return ("RESIZING", "RS");
        }
        if f.has(JobFlags::REQUEUE) {
            return ("REQUEUED", "RQ");
        }
        if f.has(JobFlags::REQUEUE_HOLD) {
            return ("REQUEUE_HOLD", "RH");
        }
        if f.has(JobFlags::SPECIAL_EXIT) {
            return ("SPECIAL_EXIT", "SE");
        }
        if f.has(JobFlags::RESV_DEL_HOLD) {
            return ("RESV_DEL_HOLD", "RD");
        }
        self.base.names()
    }
}

impl JobBase {
    /// Every base state, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::Pending,
        Self::Running,
        Self::Suspended,
        Self::Completed,
        Self::Cancelled,
        Self::Failed,
        Self::Timeout,
        Self::NodeFail,
        Self::Preempted,
        Self::BootFail,
        Self::Deadline,
        Self::OutOfMemory,
    ];

    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Pending => ("PENDING", "PD"),
            Self::Running => ("RUNNING", "R"),
            Self::Suspended => ("SUSPENDED", "S"),
            Self::Completed => ("COMPLETED", "CD"),
            Self::Cancelled => ("CANCELLED", "CA"),
            Self::Failed => ("FAILED", "F"),
            Self::Timeout => ("TIMEOUT", "TO"),
            Self::NodeFail => ("NODE_FAIL", "NF"),
            Self::Preempted => ("PREEMPTED", "PR"),
            Self::BootFail => ("BOOT_FAIL", "BF"),
            Self::Deadline => ("DEADLINE", "DL"),
            Self::OutOfMemory => ("OUT_OF_MEMORY", "OOM"),
        }
    }

    /// The long name.
    pub const fn name(self) -> &'static str {
        self.names().0
    }

    /// The code.
    pub const fn code(self) -> &'static str {
        self.names().1
    }
}

/// The signal as which an end for lack of memory is recorded: 253 less 128 (`SIG_OOM`).
pub const SIG_OOM: u8 = 125;

/// Why a job waits, or why it ended: the text that `%r` and `%R` print.
///
/// The set of texts is Slurm's; most are constants here, those of limits are made of the limit's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason(pub &'static str);

#[allow(missing_docs, reason = "the names are Slurm's own and say what they mean")]
impl Reason {
    pub const NONE: Self = Self("None");
    pub const PRIORITY: Self = Self("Priority");
    pub const DEPENDENCY: Self = Self("Dependency");
    pub const DEPENDENCY_NEVER: Self = Self("DependencyNeverSatisfied");
    pub const RESOURCES: Self = Self("Resources");
    pub const PART_NODE_LIMIT: Self = Self("PartitionNodeLimit");
    pub const PART_TIME_LIMIT: Self = Self("PartitionTimeLimit");
    pub const PART_DOWN: Self = Self("PartitionDown");
    pub const PART_INACTIVE: Self = Self("PartitionInactive");
    pub const PART_CONFIG: Self = Self("PartitionConfig");
    pub const HELD_ADMIN: Self = Self("JobHeldAdmin");
    pub const HELD_USER: Self = Self("JobHeldUser");
    pub const BEGIN_TIME: Self = Self("BeginTime");
    pub const LICENSES: Self = Self("Licenses");
    pub const RESERVATION: Self = Self("Reservation");
    pub const RESERVATION_DELETED: Self = Self("ReservationDeleted");
    pub const NODE_NOT_AVAIL: Self = Self("ReqNodeNotAvail");
    pub const BAD_CONSTRAINTS: Self = Self("BadConstraints");
    pub const ARRAY_TASK_LIMIT: Self = Self("JobArrayTaskLimit");
    pub const TIME_LIMIT: Self = Self("TimeLimit");
    pub const NON_ZERO_EXIT: Self = Self("NonZeroExitCode");
    pub const LAUNCH_FAILURE: Self = Self("JobLaunchFailure");
    pub const OOM: Self = Self("OutOfMemory");
    pub const NODE_DOWN: Self = Self("NodeDown");
    pub const DEADLINE: Self = Self("DeadLine");
    pub const MAX_MEM_PER_LIMIT: Self = Self("MaxMemPerLimit");
    pub const ACCOUNT: Self = Self("InvalidAccount");
    pub const QOS: Self = Self("InvalidQOS");
    pub const QOS_NOT_ALLOWED: Self = Self("QOSNotAllowed");
    pub const ACCOUNT_NOT_ALLOWED: Self = Self("AccountNotAllowed");
    pub const CLEANING: Self = Self("Cleaning");
    pub const FRONT_END_DOWN: Self = Self("FrontEndDown");
    pub const SCHED_DEFER: Self = Self("SchedDefer");
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// The base state of a node as it was set; what its jobs use is worked out from the allocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Slurm's own and say what they mean")]
pub enum NodeBase {
    Unknown,
    Down,
    Up,
    Future,
}

/// What is true of a node beside its base state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFlags(u16);

#[allow(missing_docs, reason = "the names are Slurm's own and say what they mean")]
impl NodeFlags {
    pub const DRAIN: Self = Self(1);
    pub const FAIL: Self = Self(2);
    pub const NO_RESPOND: Self = Self(4);
    pub const MAINT: Self = Self(8);
    pub const RESERVED: Self = Self(16);
    pub const PLANNED: Self = Self(32);
    pub const REBOOT_REQUESTED: Self = Self(64);
    pub const REBOOT_ISSUED: Self = Self(128);
    pub const POWERED_DOWN: Self = Self(256);
    pub const POWERING_UP: Self = Self(512);
    pub const POWERING_DOWN: Self = Self(1024);
    pub const POWER_DOWN: Self = Self(2048);

    /// Whether all of `flags` are set.
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// Sets `flags`.
    pub const fn set(&mut self, flags: Self) {
        self.0 |= flags.0;
    }

    /// Unsets `flags`.
    pub const fn clear(&mut self, flags: Self) {
        self.0 &= !flags.0;
    }

    /// Sets or unsets `flags`.
    pub const fn put(&mut self, flags: Self, on: bool) {
        if on { self.set(flags) } else { self.clear(flags) }
    }
}
