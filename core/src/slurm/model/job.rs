//! A job, as the controller keeps it.

use smallvec::SmallVec;

use super::{Bits, Dependency, GresAsk, JobRequest, JobState, Memory, NodeShare, PartIdx, Reason, Step};
use crate::slurm::Time;

/// A job's id; tasks of an array have ids of their own once they start.
pub type JobId = u32;

/// Which scheduler started a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// The main loop, or at submission.
    Main,
    /// Backfill.
    Backfill,
}

/// The tasks of an array that have no record of their own yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingTasks {
    /// Task ids that wait.
    pub tasks: std::collections::VecDeque<u32>,
    /// `%N`: at most that many at once.
    pub limit: Option<u32>,
}

/// Factors of a job's priority, each between 0 and 1 (`sprio`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs, reason = "the names are those of sprio(1)")]
pub struct PriorityFactors {
    pub age: f64,
    pub assoc: f64,
    pub fairshare: f64,
    pub job_size: f64,
    pub partition: f64,
    pub qos: f64,
    /// Weighted sum of the TRES factors.
    pub tres: f64,
    /// Added by a site's plugin.
    pub site: i64,
}

/// What a job uses or asks for, in the units of accounting.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TresCount {
    /// CPUs.
    pub cpus: u64,
    /// MiB.
    pub memory: u64,
    /// Nodes.
    pub nodes: u64,
    /// Billing, as `TRESBillingWeights` or CPUs give it.
    pub billing: f64,
    /// GRES names (with type where accounting has it) and counts.
    pub gres: SmallVec<[(String, u64); 1]>,
}

/// A job record.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The array's id and this record's task; `None` for a job that is no array.
    pub array: Option<(JobId, Option<u32>)>,
    /// Tasks that wait in this record.
    pub pending_tasks: Option<PendingTasks>,
    /// What was asked for, with the controller's defaults filled in.
    pub request: JobRequest,
    /// User name.
    pub user: String,
    /// Group name.
    pub group: String,
    /// State.
    pub state: JobState,
    /// Why it waits or ended.
    pub reason: Reason,
    /// A longer text that commands print in place of the reason.
    pub state_desc: Option<String>,
    /// Priority; 0 is held.
    pub priority: u32,
    /// A priority that was set directly does not change by itself.
    pub direct_priority: bool,
    /// Priority in each partition of `partitions`, where there are several.
    pub part_priorities: SmallVec<[u32; 1]>,
    /// Factors at the last calculation.
    pub factors: PriorityFactors,
    /// The partitions that it may run in.
    pub partitions: SmallVec<[PartIdx; 1]>,
    /// The partition that it runs in, or is considered for.
    pub partition: PartIdx,
    /// Association id of accounting; 0 without one.
    pub assoc: u32,
    /// QOS name.
    pub qos: String,
    /// Time of submission.
    pub submit: Time,
    /// When it became (or becomes) eligible; 0 when that is not known.
    pub eligible: Time,
    /// Since when its age counts; 0 when it does not.
    pub accrue: Time,
    /// Not before that.
    pub begin: Time,
    /// Start, or expected start; 0 without.
    pub start: Time,
    /// End, or expected end; 0 without.
    pub end: Time,
    /// Last suspension; 0 without.
    pub suspended_at: Time,
    /// Seconds of suspension that are over.
    pub suspended_for: i64,
    /// When the scheduler last looked at it; 0 never.
    pub last_sched_eval: Time,
    /// Which scheduler started or last looked at it.
    pub scheduler: Option<Scheduler>,
    /// Time limit in force, minutes; `None` is UNLIMITED.
    pub time_limit: Option<u32>,
    /// When it was told that it is preempted and has GraceTime; 0 not.
    pub preempt_time: Time,
    /// Whether PreemptMode says that it goes back to the queue.
    pub preempt_requeue: bool,
    /// Jobs that were preempted for it.
    pub preempting: Vec<JobId>,
    /// Restarts.
    pub restarts: u32,
    /// Whether it may be requeued.
    pub requeue: bool,
    /// Exit code and signal.
    pub exit: (u8, u8),
    /// The same when its end was recorded: what its script does afterwards does not change the record.
    pub accounted_exit: (u8, u8),
    /// Highest exit code of its steps.
    pub derived_exit: (u8, u8),
    /// Least nodes, after defaults.
    pub min_nodes: u32,
    /// Most nodes; `None` without a limit.
    pub max_nodes: Option<u32>,
    /// Least CPUs in all, after defaults.
    pub min_cpus: u32,
    /// Most CPUs in all (`min_cpus` when tasks are given).
    pub max_cpus: Option<u32>,
    /// CPUs of the last allocation that the scheduler worked out; decides the job size factor.
    pub tested_cpus: Option<u32>,
    /// Tasks, after defaults.
    pub ntasks: u32,
    /// Least CPUs per node, for display.
    pub pn_min_cpus: u32,
    /// Memory, after defaults; `None` takes all of each node.
    pub memory: Option<Memory>,
    /// Generic resources, all scopes joined by name and type.
    pub gres: Vec<GresAsk>,
    /// Whether it gets whole nodes.
    pub whole_node: bool,
    /// Whether its cores may be shared.
    pub shares: bool,
    /// What each part of its dependencies says now.
    pub dependency: Vec<Dependency>,
    /// Nodes asked for by name.
    pub required_nodes: Bits,
    /// Nodes ruled out by name.
    pub excluded_nodes: Bits,
    /// Licences: name and count; joined with OR when the flag is set.
    pub licenses: Vec<(String, u32)>,
    /// See `licenses`.
    pub licenses_or: bool,
    /// Index of the reservation by its id.
    pub reservation: Option<u32>,
    /// Its nodes while it has them, and afterwards those that it had.
    pub nodes: Bits,
    /// What it has on each node; kept after its end for display.
    pub shares_of_nodes: Vec<NodeShare>,
    /// Nodes where it still has to be cleaned up.
    pub completing_nodes: Bits,
    /// Nodes that backfill planned for it.
    pub planned_nodes: Bits,
    /// What it was given, in TRES.
    pub alloc_tres: Option<TresCount>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Number of the next step.
    pub next_step: u32,
    /// Signal before the limit was sent.
    pub warned: bool,
    /// It is suspended by gang scheduling, not by a command.
    pub gang: bool,
    /// The kill at its time limit, or another forced end, was begun at.
    pub kill_begun: Time,
    /// Since when it runs without being stopped by gang scheduling.
    pub slice_since: Time,
    /// User id of who cancelled it.
    pub cancelled_by: Option<u32>,
    /// Until when its usage was charged.
    pub charged: Time,
    /// Waits for leaf switches since; 0 not.
    pub switch_wait_since: Time,
    /// Runs for the nth time: results that belong to an earlier run are dropped.
    pub run: u32,
    /// When the record is forgotten by the controller; 0 while it is not finished.
    pub purge_at: Time,
}

impl Job {
    /// Seconds that it ran up to `now`, suspensions left out.
    pub fn run_time(&self, now: Time) -> i64 {
        if self.start == 0 || self.state.base == super::JobBase::Pending {
            return 0;
        }
        let until = if self.state.is_finished() {
            self.end
        } else if self.state.base == super::JobBase::Suspended {
            self.suspended_at
        } else {
            now
        };
        (until - self.start - self.suspended_for).max(0)
    }

    /// Whether the scheduler may consider it at `now`.
    pub fn is_pending(&self) -> bool {
        self.state.base == super::JobBase::Pending && !self.state.is_completing()
    }

    /// The id that messages show: `7`, `7_3`, or `7_[3-5]` for tasks that wait together.
    pub fn display_id(&self) -> String {
        match (&self.array, &self.pending_tasks) {
            (Some((array, _)), Some(pending)) => format!("{array}_[{}]", pending.text()),
            (Some((array, Some(task))), None) => format!("{array}_{task}"),
            _ => self.id.to_string(),
        }
    }
}

impl PendingTasks {
    /// `0-3,7%2`: the tasks and the limit; a regular step shows as `0-9:3`.
    pub fn text(&self) -> String {
        let tasks: Vec<u32> = self.tasks.iter().copied().collect();
        let mut text = match tasks.as_slice() {
            [first, second, .., last]
                if second - first > 1
                    && tasks.len() > 2
                    && tasks.windows(2).all(|pair| pair[1] - pair[0] == second - first) =>
            {
                format!("{first}-{last}:{}", second - first)
            }
            _ => tasks.iter().map(|task| *task as usize).collect::<Bits>().to_string(),
        };
        if let Some(limit) = self.limit {
            text.push_str(&format!("%{limit}"));
        }
        text
    }
}
