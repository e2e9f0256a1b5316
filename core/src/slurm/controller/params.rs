//! What the controller honours of `slurm.conf`, in the units in which it computes.

use crate::slurm::model::{Memory, PreemptMode};
use crate::slurm::select::SelectFlags;

/// `EnforcePartLimits`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Slurm's own")]
pub enum EnforcePartLimits {
    #[default]
    No,
    Any,
    All,
}

/// `PreemptType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Slurm's own")]
pub enum PreemptType {
    #[default]
    None,
    PartitionPrio,
    Qos,
}

/// `AccountingStorageEnforce`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Enforce {
    /// Jobs need an association.
    pub associations: bool,
    /// Limits of associations and QOS hold.
    pub limits: bool,
    /// A job needs a QOS that its association allows.
    pub qos: bool,
    /// A job starts only when it can run to its end within its limits.
    pub safe: bool,
}

/// `SchedulerType` and `SchedulerParameters`. Times in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerParams {
    /// `sched/backfill`, else `sched/builtin`.
    pub backfill: bool,
    /// A pass of the main scheduler looks at so many jobs, passes over the whole queue apart.
    pub default_queue_depth: usize,
    /// Time between passes over the whole queue.
    pub sched_interval: i64,
    /// Passes that submissions and ends ask for are at least so far apart.
    pub batch_sched_delay: i64,
    /// Submissions do not try to start the job.
    pub defer: bool,
    /// A job blocked by a limit of its association blocks those behind it.
    pub assoc_limit_stop: bool,
    /// Jobs whose dependency can never hold are cancelled.
    pub kill_invalid_depend: bool,
    /// Jobs of a partition looked at in a pass; 0 is no limit.
    pub partition_job_depth: usize,
    /// Preempt the youngest first.
    pub preempt_youngest_first: bool,
    /// Put the last tried candidate first only, instead of sorting by use.
    pub preempt_strict_order: bool,
    /// How often candidates are put in a better order.
    pub preempt_reorder_count: u32,
    /// Jobs start while others are being cleaned up.
    pub reduce_completing_frag: bool,
    /// Users may run `scontrol top`.
    pub enable_user_top: bool,
    /// Longest wait for `--switches`.
    pub max_switch_wait: u32,
    /// Tasks of an array that a pass may start.
    pub max_array_tasks: u32,
    /// Time between backfill cycles.
    pub bf_interval: i64,
    /// How far backfill looks ahead.
    pub bf_window: i64,
    /// Grain of reservations.
    pub bf_resolution: i64,
    /// Jobs that a cycle looks at.
    pub bf_max_job_test: usize,
    /// Jobs per user, 0 is no limit.
    pub bf_max_job_user: usize,
    /// Jobs per partition, 0 is no limit.
    pub bf_max_job_part: usize,
    /// Jobs per user and partition, 0 is no limit.
    pub bf_max_job_user_part: usize,
    /// Jobs per association, 0 is no limit.
    pub bf_max_job_assoc: usize,
    /// Jobs that a cycle starts, 0 is no limit.
    pub bf_max_job_start: usize,
    /// Tasks of an array that get a reservation.
    pub bf_max_job_array_resv: usize,
    /// Younger jobs get no reservation.
    pub bf_min_age_reserve: i64,
    /// Jobs of lower priority get no reservation.
    pub bf_min_prio_reserve: u32,
    /// Grain in which ends of running jobs are looked at; 0 doubles from 30 s.
    pub bf_window_linear: i64,
}

impl Default for SchedulerParams {
    fn default() -> Self {
        Self {
            backfill: true,
            default_queue_depth: 100,
            sched_interval: 60,
            batch_sched_delay: 3,
            defer: false,
            assoc_limit_stop: false,
            kill_invalid_depend: false,
            partition_job_depth: 0,
            preempt_youngest_first: false,
            preempt_strict_order: false,
            preempt_reorder_count: 1,
            reduce_completing_frag: false,
            enable_user_top: false,
            max_switch_wait: 300,
            max_array_tasks: 20,
            bf_interval: 30,
            bf_window: 86_400,
            bf_resolution: 60,
            bf_max_job_test: 500,
            bf_max_job_user: 0,
            bf_max_job_part: 0,
            bf_max_job_user_part: 0,
            bf_max_job_assoc: 0,
            bf_max_job_start: 0,
            bf_max_job_array_resv: 20,
            bf_min_age_reserve: 0,
            bf_min_prio_reserve: 0,
            bf_window_linear: 0,
        }
    }
}

/// `PriorityType=priority/multifactor` and its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct MultifactorParams {
    /// PriorityWeightAge.
    pub weight_age: u32,
    /// PriorityWeightAssoc.
    pub weight_assoc: u32,
    /// PriorityWeightFairshare.
    pub weight_fairshare: u32,
    /// PriorityWeightJobSize.
    pub weight_job_size: u32,
    /// PriorityWeightPartition.
    pub weight_partition: u32,
    /// PriorityWeightQOS.
    pub weight_qos: u32,
    /// PriorityWeightTRES: name and weight.
    pub weight_tres: Vec<(String, f64)>,
    /// PriorityMaxAge, seconds.
    pub max_age: i64,
    /// PriorityFavorSmall.
    pub favor_small: bool,
    /// PriorityFlags=SMALL_RELATIVE_TO_TIME.
    pub small_relative_to_time: bool,
    /// PriorityFlags=ACCRUE_ALWAYS.
    pub accrue_always: bool,
    /// PriorityFlags=CALCULATE_RUNNING.
    pub calculate_running: bool,
    /// PriorityFlags=MAX_TRES: billing of a node is the largest of its weighted TRES.
    pub max_tres: bool,
    /// Fair Tree; off with PriorityFlags=NO_FAIR_TREE.
    pub fair_tree: bool,
    /// PriorityFlags=INCR_ONLY: priorities never fall.
    pub incr_only: bool,
    /// PriorityFlags=NO_NORMAL_ASSOC: the association's priority counts as it is.
    pub no_normal_assoc: bool,
    /// PriorityFlags=NO_NORMAL_PART.
    pub no_normal_part: bool,
    /// PriorityFlags=NO_NORMAL_QOS.
    pub no_normal_qos: bool,
    /// PriorityFlags=NO_NORMAL_TRES.
    pub no_normal_tres: bool,
    /// FairShareDampeningFactor.
    pub damp: u32,
    /// PriorityDecayHalfLife, seconds; 0 never decays.
    pub decay_half_life: i64,
    /// PriorityCalcPeriod, seconds.
    pub calc_period: i64,
}

impl Default for MultifactorParams {
    fn default() -> Self {
        Self {
            weight_age: 0,
            weight_assoc: 0,
            weight_fairshare: 0,
            weight_job_size: 0,
            weight_partition: 0,
            weight_qos: 0,
            weight_tres: Vec::new(),
            max_age: 7 * 86_400,
            favor_small: false,
            small_relative_to_time: false,
            accrue_always: false,
            calculate_running: false,
            max_tres: false,
            fair_tree: true,
            incr_only: false,
            no_normal_assoc: false,
            no_normal_part: false,
            no_normal_qos: false,
            no_normal_tres: false,
            damp: 1,
            decay_half_life: 7 * 86_400,
            calc_period: 300,
        }
    }
}

/// What the controller honours of `slurm.conf`.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// ClusterName.
    pub cluster: String,
    /// SelectType and SelectTypeParameters.
    pub select: SelectFlags,
    /// The scheduler.
    pub scheduler: SchedulerParams,
    /// `priority/multifactor`; `None` is `priority/basic`.
    pub multifactor: Option<MultifactorParams>,
    /// PreemptType.
    pub preempt_type: PreemptType,
    /// PreemptMode, GANG apart.
    pub preempt_mode: PreemptMode,
    /// PreemptMode has GANG.
    pub gang: bool,
    /// PreemptExemptTime, seconds.
    pub preempt_exempt_time: i64,
    /// SchedulerTimeSlice, seconds.
    pub time_slice: i64,
    /// AccountingStorageEnforce.
    pub enforce: Enforce,
    /// EnforcePartLimits.
    pub enforce_part_limits: EnforcePartLimits,
    /// Whether accounting keeps records (`accounting_storage/slurmdbd`).
    pub accounting: bool,
    /// ConstrainDevices of `cgroup.conf`: a job sees the GPUs that it was given, and no others.
    pub constrain_devices: bool,
    /// ConstrainRAMSpace and AllowedRAMSpace of `cgroup.conf`: the percentage of its memory that a job may have.
    pub allowed_ram: Option<f64>,
    /// AccountingStorageTRES beyond the standard ones.
    pub accounting_tres: Vec<String>,
    /// DefMemPerCPU or DefMemPerNode.
    pub def_memory: Option<Memory>,
    /// MaxMemPerCPU or MaxMemPerNode.
    pub max_memory: Option<Memory>,
    /// DefMemPerGPU.
    pub def_mem_per_gpu: Option<u64>,
    /// DefCpuPerGPU.
    pub def_cpu_per_gpu: Option<u32>,
    /// DisableRootJobs.
    pub disable_root_jobs: bool,
    /// JobFileAppend.
    pub file_append: bool,
    /// JobRequeue.
    pub requeue: bool,
    /// RequeueExit.
    pub requeue_exit: Vec<u8>,
    /// RequeueExitHold.
    pub requeue_exit_hold: Vec<u8>,
    /// KillWait, seconds.
    pub kill_wait: i64,
    /// SlurmdSpoolDir; `%n` is the node's name.
    pub spool: String,
    /// MinJobAge, seconds.
    pub min_job_age: i64,
    /// OverTimeLimit, minutes.
    pub over_time_limit: u32,
    /// MaxArraySize.
    pub max_array_size: u32,
    /// MaxJobCount.
    pub max_job_count: usize,
    /// FirstJobId.
    pub first_job_id: u32,
    /// MaxJobId.
    pub max_job_id: u32,
    /// SlurmctldTimeout, seconds.
    pub slurmctld_timeout: i64,
    /// MessageTimeout, seconds.
    pub message_timeout: u32,
    /// SlurmdTimeout, seconds; 0 never.
    pub slurmd_timeout: i64,
    /// ReturnToService.
    pub return_to_service: u8,
    /// ResvOverRun, minutes.
    pub resv_over_run: u32,
    /// CompleteWait, seconds.
    pub complete_wait: i64,
    /// Whether there is a RebootProgram.
    pub reboot_program: bool,
    /// ResumeTimeout, seconds.
    pub resume_timeout: i64,
}

impl Default for Params {
    /// Slurm's own defaults, with the select type and accounting that the course uses.
    fn default() -> Self {
        Self {
            cluster: "cluster".into(),
            select: SelectFlags { memory: true, ..SelectFlags::default() },
            scheduler: SchedulerParams::default(),
            multifactor: None,
            preempt_type: PreemptType::None,
            preempt_mode: PreemptMode::Off,
            gang: false,
            preempt_exempt_time: 0,
            time_slice: 30,
            enforce: Enforce::default(),
            enforce_part_limits: EnforcePartLimits::No,
            accounting: true,
            constrain_devices: false,
            allowed_ram: None,
            accounting_tres: Vec::new(),
            def_memory: None,
            max_memory: None,
            def_mem_per_gpu: None,
            def_cpu_per_gpu: None,
            disable_root_jobs: false,
            file_append: false,
            requeue: true,
            requeue_exit: Vec::new(),
            requeue_exit_hold: Vec::new(),
            kill_wait: 30,
            spool: "/var/spool/slurmd".into(),
            min_job_age: 300,
            over_time_limit: 0,
            max_array_size: 1001,
            max_job_count: 10_000,
            first_job_id: 1,
            max_job_id: 67_043_328,
            slurmctld_timeout: 120,
            message_timeout: 10,
            slurmd_timeout: 300,
            return_to_service: 0,
            resv_over_run: 0,
            complete_wait: 0,
            reboot_program: false,
            resume_timeout: 60,
        }
    }
}
