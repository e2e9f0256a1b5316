//! The words that `SchedulerParameters`, `SelectTypeParameters`, `PriorityFlags` and the like are made of.

use super::table::Role;
use Role::{Honoured, HostOnly, NotModelled};

/// A word of a parameter that is a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordOption {
    /// The parameter.
    pub parameter: &'static str,
    /// The word, without its value.
    pub word: &'static str,
    /// Smallest and largest value of a number; `None` for words without one.
    pub range: Option<(i64, i64)>,
    /// Default of a number.
    pub default: i64,
    /// What the engine does with it.
    pub role: Role,
}

const S: &str = "SchedulerParameters";
const C: &str = "SelectTypeParameters";
const P: &str = "PriorityFlags";
const LARGE: i64 = 1_000_000;

const fn number(word: &'static str, low: i64, high: i64, default: i64, about: &'static str) -> WordOption {
    WordOption { parameter: S, word, range: Some((low, high)), default, role: Honoured { range: "", about } }
}

const fn flag(parameter: &'static str, word: &'static str, about: &'static str) -> WordOption {
    WordOption { parameter, word, range: None, default: 0, role: Honoured { range: "", about } }
}

const fn other(parameter: &'static str, word: &'static str, role: Role) -> WordOption {
    WordOption { parameter, word, range: None, default: 0, role }
}

/// Every word that slurm.conf(5) of 22.05 has.
#[rustfmt::skip]
pub const OPTIONS: &[WordOption] = &[
    other(S, "assoc_limit_stop", NotModelled),
    number("batch_sched_delay", 0, 86_400, 3, "Seconds by which a pass after a submission may wait for more."),
    number("bf_interval", 1, 10_800, 30, "Seconds between backfill cycles."),
    number("bf_max_job_array_resv", 0, 1000, 20, "Tasks of an array that get a reservation."),
    other(S, "bf_max_job_assoc", NotModelled),
    number("bf_max_job_part", 0, LARGE, 0, "Jobs per partition that a cycle tries; 0 is no limit."),
    number("bf_max_job_start", 0, 10_000, 0, "Jobs that a cycle starts; 0 is no limit."),
    number("bf_max_job_test", 1, LARGE, 500, "Jobs that a cycle tries."),
    number("bf_max_job_user", 0, LARGE, 0, "Jobs per user that a cycle tries; 0 is no limit."),
    other(S, "bf_max_job_user_part", NotModelled),
    number("bf_min_age_reserve", 0, 2_592_000, 0, "Seconds that a job waits before it gets a reservation."),
    number("bf_min_prio_reserve", 0, 4_294_967_294, 0, "Jobs of less priority get no reservation."),
    number("bf_resolution", 1, 3600, 60, "Seconds to which reservations are rounded."),
    number("bf_window", 1, 43_200, 1440, "Minutes that backfill looks ahead."),
    other(S, "bf_window_linear", NotModelled),
    number("default_queue_depth", 0, LARGE, 100, "Jobs that a pass after an event looks at."),
    flag(S, "defer", "A submission does not try to start its job."),
    flag(S, "defer_batch", "The same for batch jobs."),
    flag(S, "enable_user_top", "Users may run `scontrol top`."),
    flag(S, "kill_invalid_depend", "Jobs whose dependency can never hold are cancelled."),
    other(S, "max_array_tasks", NotModelled),
    number("max_switch_wait", 0, 4_294_967_294, 300, "Most seconds that `--switches` waits."),
    flag(S, "pack_serial_at_end", "Jobs of one CPU go to the end of the node list."),
    other(S, "partition_job_depth", NotModelled),
    number("preempt_reorder_count", 0, 1000, 1, "How often candidates for preemption are put in a better order."),
    flag(S, "preempt_strict_order", "The last candidate tried is put first, the order of the others stays."),
    flag(S, "preempt_youngest_first", "The youngest jobs are preempted first."),
    flag(S, "reduce_completing_frag", "Jobs start on other nodes while some are cleaned up."),
    number("sched_interval", 1, 86_400, 60, "Seconds between passes over the whole queue."),
    other(S, "bf_continue", HostOnly),
    other(S, "bf_max_time", HostOnly),
    other(S, "bf_node_space_size", HostOnly),
    other(S, "bf_yield_interval", HostOnly),
    other(S, "bf_yield_rpc_cnt", HostOnly),
    other(S, "bf_yield_sleep", HostOnly),
    other(S, "build_queue_timeout", HostOnly),
    other(S, "default_gbytes", NotModelled),
    other(S, "max_rpc_cnt", HostOnly),
    other(S, "max_sched_time", HostOnly),
    other(S, "max_script_size", NotModelled),
    other(S, "no_env_cache", HostOnly),
    other(S, "requeue_setup_env_fail", HostOnly),
    other(S, "sched_min_interval", HostOnly),
    flag(C, "CR_Core", "Cores are consumed."),
    flag(C, "CR_Core_Memory", "Cores and memory are consumed."),
    flag(C, "CR_CPU", "CPUs are consumed."),
    flag(C, "CR_CPU_Memory", "CPUs and memory are consumed."),
    flag(C, "CR_Socket", "Sockets are consumed."),
    flag(C, "CR_Socket_Memory", "Sockets and memory are consumed."),
    flag(C, "CR_Memory", "Memory is consumed."),
    flag(C, "CR_LLN", "The least loaded nodes first."),
    flag(C, "CR_Pack_Nodes", "Tasks fill a node before the next is used."),
    flag(C, "CR_ONE_TASK_PER_CORE", "A core has one task, however many threads it has."),
    flag(C, "CR_CORE_DEFAULT_DIST_BLOCK", "Cores of a node are taken socket by socket."),
    other(C, "other_cons_res", HostOnly),
    other(C, "other_cons_tres", HostOnly),
    flag(P, "ACCRUE_ALWAYS", "Age grows while a job is held or depends on others."),
    other(P, "CALCULATE_RUNNING", NotModelled),
    flag(P, "FAIR_TREE", "The default."),
    flag(P, "INCR_ONLY", "Priorities never fall."),
    flag(P, "MAX_TRES", "Billing counts the dearest resource of a node, not the sum."),
    flag(P, "NO_FAIR_TREE", "Classic fair-share."),
    flag(P, "NO_NORMAL_ALL", "All of the following."),
    flag(P, "NO_NORMAL_ASSOC", "The association's priority counts as it is."),
    flag(P, "NO_NORMAL_PART", "The partition's factor counts as it is."),
    flag(P, "NO_NORMAL_QOS", "The QOS's priority counts as it is."),
    flag(P, "NO_NORMAL_TRES", "TRES counts count as they are."),
    flag(P, "SMALL_RELATIVE_TO_TIME", "Size relative to the time limit."),
    other(P, "DEPTH_OBLIVIOUS", NotModelled),
];

/// The words of a parameter: each with its value, if it has one.
pub(super) fn words(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(|word| match word.split_once('=') {
        Some((word, value)) => (word.trim(), Some(value.trim())),
        None => (word, None),
    })
}

/// The row of a word.
pub(super) fn find(parameter: &str, word: &str) -> Option<&'static WordOption> {
    OPTIONS.iter().find(|row| row.parameter == parameter && row.word.eq_ignore_ascii_case(word))
}

impl super::Config {
    /// The number of a word of `SchedulerParameters`: as given where that is within its range, else its default.
    pub fn scheduler_number(&self, word: &str) -> i64 {
        let Some(row) = find(S, word) else { return 0 };
        words(self.text(S))
            .filter(|(other, _)| other.eq_ignore_ascii_case(word))
            .filter_map(|(_, value)| value?.parse::<i64>().ok())
            .filter(|number| row.range.is_some_and(|(low, high)| (low..=high).contains(number)))
            .last()
            .unwrap_or(row.default)
    }
}
