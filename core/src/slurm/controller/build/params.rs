//! The parameters that the engine honours.

use super::super::{
    Enforce, EnforcePartLimits, License, MultifactorParams, Params, PreemptType, SchedulerParams,
};
use crate::slurm::config::{Config, Fields};
use crate::slurm::model::{Memory, PreemptMode};
use crate::slurm::select::SelectFlags;
use crate::slurm::units::{minutes, seconds};

pub(super) fn params(config: &Config) -> Params {
    let text = |name: &str| config.text(name);
    let has = |name: &str, word: &str| config.has_word(name, word);
    let select = text("SelectTypeParameters").to_ascii_lowercase();
    let (mode, gang) = preempt_mode(text("PreemptMode"));
    let seconds_of = |name: &str| config.number::<u32>(name).map_or(i64::MAX, i64::from);
    let defaults = Params::default();
    Params {
        cluster: text("ClusterName").to_ascii_lowercase(),
        select: SelectFlags {
            memory: select.contains("memory"),
            whole_nodes: text("SelectType").ends_with("linear"),
            sockets: select.contains("cr_socket"),
            cpus: select.contains("cr_cpu"),
            lln: has("SelectTypeParameters", "CR_LLN"),
            pack_nodes: has("SelectTypeParameters", "CR_Pack_Nodes"),
            one_task_per_core: has("SelectTypeParameters", "CR_ONE_TASK_PER_CORE"),
            dist_block: has("SelectTypeParameters", "CR_CORE_DEFAULT_DIST_BLOCK"),
            pack_serial_at_end: has("SchedulerParameters", "pack_serial_at_end"),
        },
        scheduler: scheduler(config),
        multifactor: text("PriorityType").ends_with("multifactor").then(|| multifactor(config)),
        preempt_type: match text("PreemptType") {
            "preempt/partition_prio" => PreemptType::PartitionPrio,
            "preempt/qos" => PreemptType::Qos,
            _ => PreemptType::None,
        },
        preempt_mode: mode,
        gang,
        preempt_exempt_time: seconds(text("PreemptExemptTime")).unwrap_or(0),
        time_slice: config.number("SchedulerTimeSlice").filter(|slice| *slice >= 5).unwrap_or(30),
        enforce: {
            // Each of them brings associations, `safe` the limits too.
            let word = |word: &str| has("AccountingStorageEnforce", word);
            Enforce {
                associations: ["associations", "limits", "qos", "safe", "1", "2"].into_iter().any(word),
                limits: word("limits") || word("safe") || word("2"),
                qos: word("qos"),
                safe: word("safe"),
            }
        },
        enforce_part_limits: match text("EnforcePartLimits").to_ascii_uppercase().as_str() {
            "ALL" | "YES" => EnforcePartLimits::All,
            "ANY" => EnforcePartLimits::Any,
            _ => EnforcePartLimits::No,
        },
        accounting: text("AccountingStorageType").ends_with("slurmdbd"),
        constrain_devices: config.cgroup.flag("ConstrainDevices"),
        allowed_ram: config.cgroup.flag("ConstrainRAMSpace").then(|| {
            config
                .cgroup
                .text("AllowedRAMSpace")
                .trim_end_matches('%')
                .parse()
                .ok()
                .filter(|percent: &f64| percent.is_finite() && *percent > 0.0)
                .unwrap_or(100.0)
        }),
        accounting_tres: config.list("AccountingStorageTRES"),
        def_memory: memory(&config.parameters, "DefMemPerCPU", "DefMemPerNode"),
        max_memory: memory(&config.parameters, "MaxMemPerCPU", "MaxMemPerNode"),
        def_mem_per_gpu: config.number("DefMemPerGPU"),
        def_cpu_per_gpu: config.number("DefCPUPerGPU"),
        disable_root_jobs: config.flag("DisableRootJobs"),
        requeue: config.number::<u16>("JobRequeue") != Some(0),
        file_append: config.number::<u16>("JobFileAppend").is_some_and(|append| append != 0),
        requeue_exit: codes(text("RequeueExit")),
        requeue_exit_hold: codes(text("RequeueExitHold")),
        kill_wait: seconds_of("KillWait"),
        spool: text("SlurmdSpoolDir").to_owned(),
        min_job_age: match seconds_of("MinJobAge") {
            1 => 2,
            age => age,
        },
        over_time_limit: config.number("OverTimeLimit").unwrap_or(u32::MAX),
        max_array_size: config.number("MaxArraySize").unwrap_or(defaults.max_array_size),
        max_job_count: config.number("MaxJobCount").unwrap_or(usize::MAX),
        first_job_id: config.number("FirstJobId").unwrap_or(1),
        max_job_id: config.number("MaxJobId").unwrap_or(u32::MAX).min(67_108_863),
        slurmctld_timeout: seconds_of("SlurmctldTimeout"),
        message_timeout: config.number("MessageTimeout").unwrap_or(10),
        slurmd_timeout: seconds_of("SlurmdTimeout"),
        return_to_service: config.number("ReturnToService").unwrap_or(0),
        resv_over_run: config.number("ResvOverRun").unwrap_or(u32::MAX),
        complete_wait: seconds_of("CompleteWait"),
        reboot_program: !text("RebootProgram").is_empty(),
        resume_timeout: seconds_of("ResumeTimeout"),
    }
}

fn codes(text: &str) -> Vec<u8> {
    text.split(',')
        .filter_map(|part| {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            Some(from.parse::<u8>().ok()?..=to.parse::<u8>().ok()?)
        })
        .flatten()
        .collect()
}

/// A limit per CPU or per node; that of the node counts where both are given.
pub(super) fn memory(fields: &Fields, per_cpu: &str, per_node: &str) -> Option<Memory> {
    let some = |mib: &u64| *mib > 0;
    if fields.get(per_node).is_some() {
        return fields.number(per_node).filter(some).map(Memory::PerNode);
    }
    fields.number(per_cpu).filter(some).map(Memory::PerCpu)
}

/// The mode, and whether GANG is on.
pub(super) fn preempt_mode(text: &str) -> (PreemptMode, bool) {
    let mut mode = PreemptMode::Off;
    let mut gang = false;
    for word in text.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "GANG" => gang = true,
            "SUSPEND" => mode = PreemptMode::Suspend,
            "REQUEUE" => mode = PreemptMode::Requeue,
            "CANCEL" => mode = PreemptMode::Cancel,
            _ => {}
        }
    }
    (mode, gang)
}

fn scheduler(config: &Config) -> SchedulerParams {
    let number = |word: &str| config.scheduler_number(word);
    let count = |word: &str| usize::try_from(config.scheduler_number(word)).unwrap_or(0);
    let small = |word: &str| u32::try_from(config.scheduler_number(word)).unwrap_or(0);
    let has = |word: &str| config.has_word("SchedulerParameters", word);
    SchedulerParams {
        backfill: !config.text("SchedulerType").ends_with("builtin"),
        default_queue_depth: count("default_queue_depth"),
        sched_interval: number("sched_interval"),
        batch_sched_delay: number("batch_sched_delay"),
        defer: has("defer") || has("defer_batch"),
        assoc_limit_stop: has("assoc_limit_stop"),
        kill_invalid_depend: has("kill_invalid_depend")
            || config.has_word("DependencyParameters", "kill_invalid_depend"),
        partition_job_depth: count("partition_job_depth"),
        preempt_youngest_first: has("preempt_youngest_first"),
        preempt_strict_order: has("preempt_strict_order"),
        preempt_reorder_count: small("preempt_reorder_count"),
        reduce_completing_frag: has("reduce_completing_frag"),
        enable_user_top: has("enable_user_top"),
        max_switch_wait: small("max_switch_wait"),
        max_array_tasks: SchedulerParams::default().max_array_tasks,
        bf_interval: number("bf_interval"),
        bf_window: number("bf_window") * 60,
        bf_resolution: number("bf_resolution"),
        bf_max_job_test: count("bf_max_job_test"),
        bf_max_job_user: count("bf_max_job_user"),
        bf_max_job_part: count("bf_max_job_part"),
        bf_max_job_user_part: count("bf_max_job_user_part"),
        bf_max_job_assoc: count("bf_max_job_assoc"),
        bf_max_job_start: count("bf_max_job_start"),
        bf_max_job_array_resv: count("bf_max_job_array_resv"),
        bf_min_age_reserve: number("bf_min_age_reserve"),
        bf_min_prio_reserve: small("bf_min_prio_reserve"),
        bf_window_linear: number("bf_window_linear"),
    }
}

fn multifactor(config: &Config) -> MultifactorParams {
    let flag = |word: &str| config.has_word("PriorityFlags", word);
    let weight = |name: &str| config.number(name).unwrap_or(0);
    // Times in minutes; a time without end never comes.
    let time =
        |name: &str| minutes(config.text(name)).map_or(i64::MAX / 4, |minutes| i64::from(minutes) * 60);
    MultifactorParams {
        weight_age: weight("PriorityWeightAge"),
        weight_assoc: weight("PriorityWeightAssoc"),
        weight_fairshare: weight("PriorityWeightFairshare"),
        weight_job_size: weight("PriorityWeightJobSize"),
        weight_partition: weight("PriorityWeightPartition"),
        weight_qos: weight("PriorityWeightQOS"),
        weight_tres: weights(config.text("PriorityWeightTRES").trim_start_matches("(null)")),
        max_age: time("PriorityMaxAge"),
        favor_small: config.flag("PriorityFavorSmall"),
        small_relative_to_time: flag("SMALL_RELATIVE_TO_TIME"),
        accrue_always: flag("ACCRUE_ALWAYS"),
        calculate_running: flag("CALCULATE_RUNNING"),
        max_tres: flag("MAX_TRES"),
        fair_tree: !flag("NO_FAIR_TREE"),
        incr_only: flag("INCR_ONLY"),
        no_normal_assoc: flag("NO_NORMAL_ASSOC") || flag("NO_NORMAL_ALL"),
        no_normal_part: flag("NO_NORMAL_PART") || flag("NO_NORMAL_ALL"),
        no_normal_qos: flag("NO_NORMAL_QOS") || flag("NO_NORMAL_ALL"),
        no_normal_tres: flag("NO_NORMAL_TRES") || flag("NO_NORMAL_ALL"),
        damp: config.number("FairShareDampeningFactor").filter(|damp| *damp > 0).unwrap_or(1),
        // 0 never decays.
        decay_half_life: time("PriorityDecayHalfLife"),
        calc_period: time("PriorityCalcPeriod"),
    }
}

/// `CPU=1.0,Mem=0.25G,GRES/gpu=2.0`: names in lower case; a weight of memory is per MiB.
pub(super) fn weights(text: &str) -> Vec<(String, f64)> {
    text.split(',')
        .filter_map(|part| {
            let (name, weight) = part.split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            let digits = weight.trim_end_matches(|c: char| c.is_ascii_alphabetic());
            let value: f64 = digits.parse().ok()?;
            let per = match &weight[digits.len()..] {
                "K" | "k" => 1.0 / 1024.0,
                "G" | "g" => 1024.0,
                "T" | "t" => 1024.0 * 1024.0,
                _ => 1.0,
            };
            Some((name, value / per))
        })
        .collect()
}

/// `mat:3,sim` as licences; a name without a count is one.
pub(super) fn licenses(config: &Config) -> Vec<License> {
    let split = |part: &str| -> (String, u32) {
        let (name, count) = part.split_once([':', '*', '=']).unwrap_or((part, "1"));
        (name.trim().to_owned(), count.trim().parse().unwrap_or(1))
    };
    let mut all: Vec<License> = Vec::new();
    for (name, total) in config.list("Licenses").iter().map(|part| split(part)) {
        match all.iter_mut().find(|license| license.name == name) {
            Some(license) => license.total = license.total.saturating_add(total),
            None => all.push(License { name, total, used: 0 }),
        }
    }
    all
}

/// A time limit in minutes of a partition's key; `None` is UNLIMITED or not given.
pub(super) fn limit(fields: &Fields, name: &str) -> Option<u32> {
    minutes(fields.text(name))
}

/// OverTimeLimit of a partition: minutes, `u32::MAX` for UNLIMITED.
pub(super) fn over_time(fields: &Fields) -> Option<u32> {
    let text = &fields.get("OverTimeLimit")?.text;
    if text.eq_ignore_ascii_case("unlimited") || text.eq_ignore_ascii_case("infinite") {
        return Some(u32::MAX);
    }
    text.parse().ok()
}
