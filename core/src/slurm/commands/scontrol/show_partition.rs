//! `scontrol show partition`, `show reservation`, `show license`, `show topology`, `show step`.

use super::Flags;
use super::show_job::tres_text;
use crate::slurm::controller::{Controller, Reservation};
use crate::slurm::model::{Memory, OverSubscribe, Partition, PartitionState, PreemptMode};
use crate::slurm::units;

fn join(flags: Flags, lines: &[String]) -> String {
    if flags.one_line { format!("{}\n", lines.join(" ")) } else { format!("{}\n\n", lines.join("\n   ")) }
}

fn names(list: Option<&Vec<String>>) -> String {
    list.map_or_else(|| "ALL".into(), |list| list.join(","))
}

pub(super) fn partition(controller: &Controller, flags: Flags, at: usize, part: &Partition) -> String {
    let count = |n: Option<u32>| n.map_or_else(|| "UNLIMITED".into(), |n| n.to_string());
    let time = |minutes: Option<u32>, none: &str| {
        minutes.map_or_else(|| none.to_owned(), |minutes| units::clock(i64::from(minutes) * 60))
    };
    let yes = |on: bool| if on { "YES" } else { "NO" };
    let mut lines = vec![format!("PartitionName={}", part.name)];
    let accounts = if part.deny_accounts.is_empty() {
        format!("AllowAccounts={}", names(part.allow_accounts.as_ref()))
    } else {
        format!("DenyAccounts={}", part.deny_accounts.join(","))
    };
    let qos = if part.deny_qos.is_empty() {
        format!("AllowQos={}", names(part.allow_qos.as_ref()))
    } else {
        format!("DenyQos={}", part.deny_qos.join(","))
    };
    lines.push(format!("AllowGroups={} {accounts} {qos}", names(part.allow_groups.as_ref())));
    lines.push(format!(
        "AllocNodes=ALL Default={} QoS={}",
        yes(part.default),
        part.qos.as_deref().unwrap_or("N/A")
    ));
    lines.push(format!(
        "DefaultTime={} DisableRootJobs={} ExclusiveUser={} GraceTime={} Hidden={}",
        time(part.default_time, "NONE"),
        yes(part.disable_root_jobs),
        yes(part.exclusive_user),
        part.grace_time,
        yes(part.hidden)
    ));
    lines.push(format!(
        "MaxNodes={} MaxTime={} MinNodes={} LLN={} MaxCPUsPerNode={}",
        count(part.max_nodes),
        time(part.max_time, "UNLIMITED"),
        part.min_nodes,
        yes(part.lln),
        count(part.max_cpus_per_node)
    ));
    lines.push(format!("Nodes={}", sorted_names(controller, part)));
    let share = match part.oversubscribe {
        OverSubscribe::Exclusive => "EXCLUSIVE".to_owned(),
        OverSubscribe::No => "NO".to_owned(),
        OverSubscribe::Yes(n) => format!("YES:{n}"),
        OverSubscribe::Force(n) => format!("FORCE:{n}"),
    };
    lines.push(format!(
        "PriorityJobFactor={} PriorityTier={} RootOnly={} ReqResv={} OverSubscribe={share}",
        part.job_factor,
        part.tier,
        yes(part.root_only),
        yes(part.req_resv)
    ));
    let mode = part.preempt_mode.unwrap_or(controller.params.preempt_mode);
    let mode = match mode {
        PreemptMode::Off if controller.params.gang => "GANG",
        PreemptMode::Off => "OFF",
        PreemptMode::Suspend => "GANG,SUSPEND",
        PreemptMode::Requeue => "REQUEUE",
        PreemptMode::Cancel => "CANCEL",
    };
    lines.push(format!(
        "OverTimeLimit={} PreemptMode={mode}",
        part.over_time_limit.map_or_else(|| "NONE".into(), |n| n.to_string())
    ));
    let state = match part.state {
        PartitionState::Up => "UP",
        PartitionState::Down => "DOWN",
        PartitionState::Drain => "DRAIN",
        PartitionState::Inactive => "INACTIVE",
    };
    let tres = controller.partition_tres(at);
    lines.push(format!(
        "State={state} TotalCPUs={} TotalNodes={} SelectTypeParameters=NONE",
        tres.cpus, tres.nodes
    ));
    lines.push("JobDefaults=(null)".into());
    let memory = |limit: Option<Memory>, which: &str| match limit {
        Some(Memory::PerCpu(each)) => format!("{which}MemPerCPU={each}"),
        Some(Memory::PerNode(each)) => format!("{which}MemPerNode={each}"),
        None => format!("{which}MemPerNode=UNLIMITED"),
    };
    lines.push(format!("{} {}", memory(part.def_memory, "Def"), memory(part.max_memory, "Max")));
    lines.push(format!("TRES={}", tres_text(controller, &tres, true, true)));
    if !part.billing_weights.is_empty() {
        lines.push(format!("TRESBillingWeights={}", part.billing_text));
    }
    join(flags, &lines)
}

/// The nodes of a partition by name (observed: sorted, not as configured).
fn sorted_names(controller: &Controller, part: &Partition) -> String {
    let mut names: Vec<&str> = part
        .nodes
        .iter()
        .filter_map(|node| controller.nodes.get(node))
        .map(|node| node.name.as_str())
        .collect();
    let number = |name: &str| {
        let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
        (name[..name.len() - digits].to_owned(), name[name.len() - digits..].parse::<u64>().unwrap_or(0))
    };
    names.sort_by_key(|name| number(name));
    crate::slurm::hostlist::compress(names)
}

pub(super) fn reservation(controller: &Controller, flags: Flags, reservation: &Reservation) -> String {
    let now = controller.time();
    let cores: usize = reservation.nodes.iter().map(|node| controller.nodes[node].cores()).sum();
    let cpus: u32 = reservation.nodes.iter().map(|node| controller.nodes[node].cpus).sum();
    let list = |names: &[String]| if names.is_empty() { "(null)".to_owned() } else { names.join(",") };
    let f = &reservation.flags;
    let flag_names = [
        (f.maint, "MAINT"),
        (f.flex, "FLEX"),
        (f.overlap, "OVERLAP"),
        (f.ignore_jobs, "IGNORE_JOBS"),
        (f.daily, "DAILY"),
        (f.weekly, "WEEKLY"),
        (f.any_nodes, "ANY_NODES"),
        (f.static_alloc, "STATIC"),
        (f.part_nodes, "PART_NODES"),
        (f.spec_nodes, "SPEC_NODES"),
        (f.all_nodes, "ALL_NODES"),
        (f.purge.is_some(), "PURGE_COMP"),
    ];
    let mut text: Vec<String> =
        flag_names.iter().filter(|(on, _)| *on).map(|(_, name)| (*name).to_owned()).collect();
    if let (Some(last), Some(seconds)) = (text.last_mut(), f.purge)
        && last == "PURGE_COMP"
    {
        *last = format!("PURGE_COMP={}", units::clock(i64::from(seconds)));
    }
    let lines = [
        format!(
            "ReservationName={} StartTime={} EndTime={} Duration={}",
            reservation.name,
            units::stamp(reservation.start),
            units::stamp(reservation.end),
            units::clock(reservation.end - reservation.start)
        ),
        format!(
            "Nodes={} NodeCnt={} CoreCnt={cores} Features={} PartitionName={} Flags={}",
            controller.names_of(&reservation.nodes),
            reservation.nodes.count(),
            reservation.features.as_deref().unwrap_or("(null)"),
            reservation.partition.as_deref().unwrap_or("(null)"),
            text.join(",")
        ),
        format!("TRES=cpu={cpus}"),
        format!(
            "Users={} Groups={} Accounts={} Licenses={} State={} BurstBuffer=(null) Watts=n/a",
            list(&reservation.users),
            list(&reservation.groups),
            list(&reservation.accounts),
            reservation.licenses.as_deref().unwrap_or("(null)"),
            if reservation.is_active(now) { "ACTIVE" } else { "INACTIVE" }
        ),
        "MaxStartDelay=(null)".to_owned(),
    ];
    join(flags, &lines)
}
