//! `scontrol show job`: one record of a job.

use super::{Flags, stamp_or};
use crate::slurm::controller::Controller;
use crate::slurm::model::{
    Dependency, DependencyState, Job, JobBase, Memory, OverSubscribe, Scheduler, Sharing, TresCount,
};
use crate::slurm::units;

/// A size of memory as TRES print it: in the next unit as long as it is a multiple of half of it (`48000M`, `62.50G`, `125G`).
pub(crate) fn memory_text(mib: u64) -> String {
    if mib == 0 {
        return "0".into();
    }
    let (mut value, mut unit) = (mib as f64, 0);
    while value >= 1024.0 && unit < 3 && (value as u64).is_multiple_of(512) {
        value /= 1024.0;
        unit += 1;
    }
    let name = ["M", "G", "T", "P"][unit];
    if value.fract() == 0.0 { format!("{value:.0}{name}") } else { format!("{value:.2}{name}") }
}

/// `cpu=1,mem=1000M,node=1,billing=1,gres/gpu=3`, GRES as accounting knows them. `nodes`: whether the count of nodes is there.
pub(crate) fn tres_text(controller: &Controller, tres: &TresCount, nodes: bool, billing: bool) -> String {
    let mut parts = vec![format!("cpu={}", tres.cpus)];
    if tres.memory > 0 {
        parts.push(format!("mem={}", memory_text(tres.memory)));
    }
    if nodes {
        parts.push(format!("node={}", tres.nodes));
    }
    if billing {
        parts.push(format!("billing={}", tres.billing as u64));
    }
    for name in &controller.params.accounting_tres {
        let count = tres.of(name);
        if name.starts_with("gres/") && count > 0 {
            parts.push(format!("{name}={count}"));
        }
    }
    parts.join(",")
}

fn or_null(text: Option<&str>) -> &str {
    text.filter(|text| !text.is_empty()).unwrap_or("(null)")
}

fn dependency_text(dependencies: &[Dependency]) -> String {
    if dependencies.is_empty() {
        return "(null)".into();
    }
    let any = dependencies.iter().any(|dependency| dependency.any);
    let parts: Vec<String> = dependencies
        .iter()
        .filter(|dependency| dependency.state != DependencyState::Fulfilled)
        .map(|dependency| {
            let state = if dependency.state == DependencyState::Failed { "failed" } else { "unfulfilled" };
            match dependency.target {
                None => format!("singleton({state})"),
                Some(target) => {
                    let task = target.task.map_or(String::new(), |task| format!("_{task}"));
                    let all = if target.task.is_none()
                        && dependency.kind == crate::slurm::model::DependencyKind::AfterCorr
                    {
                        "_*"
                    } else {
                        ""
                    };
                    let delay = if target.delay > 0 { format!("+{}", target.delay) } else { String::new() };
                    format!("{}:{}{task}{all}{delay}({state})", dependency.kind.name(), target.job)
                }
            }
        })
        .collect();
    if parts.is_empty() { "(null)".into() } else { parts.join(if any { "?" } else { "," }) }
}

fn limit(minutes: Option<u32>) -> String {
    minutes.map_or_else(|| "UNLIMITED".into(), |minutes| units::clock(i64::from(minutes) * 60))
}

/// The lines of a job's record.
pub(super) fn job(controller: &Controller, flags: Flags, job: &Job) -> String {
    let now = controller.time();
    let mut lines: Vec<String> = Vec::new();
    let pending = job.state.base == JobBase::Pending;
    let mut head = format!("JobId={}", job.id);
    if let Some((array, task)) = job.array {
        head.push_str(&format!(" ArrayJobId={array}"));
        match (&job.pending_tasks, task) {
            (Some(tasks), _) => {
                let text = tasks.text();
                let (list, limit) =
                    text.split_once('%').map_or((text.as_str(), None), |(list, limit)| (list, Some(limit)));
                head.push_str(&format!(" ArrayTaskId={list}"));
                if let Some(limit) = limit {
                    head.push_str(&format!("%{limit} ArrayTaskThrottle={limit}"));
                }
            }
            (None, Some(task)) => {
                head.push_str(&format!(" ArrayTaskId={task}"));
                if let Some(limit) = job.request.array.as_ref().and_then(|array| array.limit) {
                    head.push_str(&format!(" ArrayTaskThrottle={limit}"));
                }
            }
            (None, None) => {}
        }
    }
    head.push_str(&format!(" JobName={}", job.request.name));
    lines.push(head);
    lines.push(format!(
        "UserId={}({}) GroupId={}({}) MCS_label=N/A",
        job.user, job.request.uid, job.group, job.request.gid
    ));
    lines.push(format!(
        "Priority={} Nice={} Account={} QOS={}",
        job.priority,
        job.request.nice,
        or_null(job.request.account.as_deref()),
        job.qos
    ));
    let reason =
        job.state_desc.as_ref().map_or_else(|| job.reason.to_string(), |text| text.replace(' ', "_"));
    lines.push(format!(
        "JobState={} Reason={reason} Dependency={}",
        job.state.name(),
        dependency_text(&job.dependency)
    ));
    lines.push(format!(
        "Requeue={} Restarts={} BatchFlag={} Reboot={} ExitCode={}:{}",
        u8::from(job.requeue),
        job.restarts,
        u8::from(job.request.batch),
        u8::from(job.request.reboot),
        job.exit.0,
        job.exit.1
    ));
    if flags.details {
        lines.push(format!("DerivedExitCode={}:{}", job.derived_exit.0, job.derived_exit.1));
    }
    let part = &controller.partitions[job.partition];
    let of_partition =
        pending && job.request.time_limit.is_none() && part.default_time.or(part.max_time).is_some();
    let time_limit = if of_partition && job.time_limit.is_none() {
        "Partition_Limit".to_owned()
    } else {
        limit(job.time_limit)
    };
    lines.push(format!(
        "RunTime={} TimeLimit={time_limit} TimeMin={}",
        units::clock(job.run_time(now)),
        job.request.time_min.map_or_else(|| "N/A".into(), |minutes| units::clock(i64::from(minutes) * 60))
    ));
    lines.push(format!(
        "SubmitTime={} EligibleTime={}",
        units::stamp(job.submit),
        stamp_or(job.eligible, "Unknown")
    ));
    lines.push(format!("AccrueTime={}", stamp_or(job.accrue, "Unknown")));
    let start = if pending && job.start == 0 && job.begin > now { job.begin } else { job.start };
    let end = if pending {
        if start == 0 { 0 } else { job.time_limit.map_or(0, |minutes| start + i64::from(minutes) * 60) }
    } else {
        job.end
    };
    lines.push(format!(
        "StartTime={} EndTime={} Deadline={}",
        stamp_or(start, "Unknown"),
        stamp_or(end, "Unknown"),
        job.request.deadline.map_or_else(|| "N/A".into(), units::stamp)
    ));
    if let Some(from) = controller.preemptable_from(job) {
        lines.push(format!(
            "PreemptEligibleTime={} PreemptTime={}",
            units::stamp(from),
            stamp_or(job.preempt_time, "None")
        ));
    }
    lines.push(format!(
        "SuspendTime={} SecsPreSuspend={} LastSchedEval={} Scheduler={}",
        stamp_or(job.suspended_at, "None"),
        if job.state.base == JobBase::Suspended {
            job.suspended_at - job.start - job.suspended_for
        } else {
            0
        },
        stamp_or(job.last_sched_eval, "Unknown"),
        match job.scheduler {
            // The star: backfill expects when it will start.
            _ if pending && !job.planned_nodes.is_empty() => "Backfill:*",
            Some(Scheduler::Backfill) => "Backfill",
            _ => "Main",
        }
    ));
    let partitions: Vec<&str> =
        job.partitions.iter().map(|part| controller.partitions[*part].name.as_str()).collect();
    let partition =
        if pending { partitions.join(",") } else { controller.partitions[job.partition].name.clone() };
    lines.push(format!(
        "Partition={partition} AllocNode:Sid={}:{}",
        job.request.alloc_node, job.request.alloc_sid
    ));
    let listed = |names: &[String]| {
        if names.is_empty() {
            "(null)".into()
        } else {
            crate::slurm::hostlist::compress(names.iter().map(String::as_str))
        }
    };
    lines.push(format!(
        "ReqNodeList={} ExcNodeList={}",
        listed(&job.request.nodelist),
        listed(&job.request.exclude)
    ));
    let mut nodes =
        format!("NodeList={}", if pending { String::new() } else { controller.names_of(&job.nodes) });
    if pending && !job.planned_nodes.is_empty() {
        nodes.push_str(&format!(" SchedNodeList={}", controller.names_of(&job.planned_nodes)));
    }
    lines.push(nodes);
    if !pending && let Some(first) = job.nodes.min() {
        lines.push(format!("BatchHost={}", controller.nodes[first].name));
    }
    numbers(controller, job, pending, &mut lines);
    if flags.details && !job.shares_of_nodes.is_empty() {
        details(controller, job, &mut lines);
    }
    let memory = match job.memory {
        _ if job.gres.iter().any(|ask| ask.mem_per > 0) => "MinMemoryNode=0".to_owned(),
        Some(Memory::PerCpu(each)) => format!("MinMemoryCPU={}", memory_text(each)),
        Some(Memory::PerNode(each)) => format!("MinMemoryNode={}", memory_text(each)),
        None => "MinMemoryNode=0".to_owned(),
    };
    lines.push(format!("MinCPUsNode={} {memory} MinTmpDiskNode={}", job.pn_min_cpus, job.request.tmp_disk));
    let mut features = format!(
        "Features={} DelayBoot={}",
        or_null(job.request.constraint.as_deref()),
        units::clock(i64::from(job.request.delay_boot))
    );
    if let Some(id) = job.reservation
        && let Some(reservation) = controller.reservations.iter().find(|reservation| reservation.id == id)
    {
        features.push_str(&format!(" Reservation={}", reservation.name));
    }
    lines.push(features);
    let share = match (job.request.sharing, controller.partitions[job.partition].oversubscribe) {
        (Sharing::Exclusive, _) | (_, OverSubscribe::Exclusive) => "NO",
        (Sharing::ExclusiveUser, _) => "USER",
        (Sharing::Oversubscribe, _) | (_, OverSubscribe::Force(_)) => "YES",
        _ => "OK",
    };
    lines.push(format!(
        "OverSubscribe={share} Contiguous={} Licenses={} Network=(null)",
        u8::from(job.request.contiguous),
        or_null(job.request.licenses.as_deref())
    ));
    let mut command = format!("Command={}", or_null(job.request.command.as_deref()));
    for arg in &job.request.argv {
        command.push_str(&format!(" {arg}"));
    }
    lines.push(command);
    lines.push(format!("WorkDir={}", job.request.work_dir));
    if let Some(comment) = &job.request.comment {
        lines.push(format!("Comment={comment} "));
    }
    if job.request.batch {
        let path = |text: Option<&str>| output(job, text);
        let out = path(job.request.std_out.as_deref());
        lines.push(format!(
            "StdErr={}",
            job.request.std_err.as_deref().map_or_else(|| out.clone(), |text| path(Some(text)))
        ));
        lines.push(format!("StdIn={}", job.request.std_in.as_deref().unwrap_or("/dev/null")));
        lines.push(format!("StdOut={out}"));
    }
    if let Some((count, wait)) = job.request.switches {
        let wait = wait.unwrap_or(controller.params.scheduler.max_switch_wait);
        lines.push(format!("Switches={count}@{}", units::clock(i64::from(wait))));
    }
    lines.push("Power=".into());
    if job.request.spread {
        lines.push("SpreadJob=Yes".into());
    }
    for (key, text) in [
        ("CpusPerTres", &job.request.cpus_per_tres),
        ("MemPerTres", &job.request.mem_per_tres),
        ("TresBind", &job.request.tres_bind),
        ("TresPerJob", &job.request.tres_per_job),
        ("TresPerNode", &job.request.tres_per_node),
        ("TresPerSocket", &job.request.tres_per_socket),
        ("TresPerTask", &job.request.tres_per_task),
    ] {
        if let Some(text) = text {
            lines.push(format!("{key}={text}"));
        }
    }
    if let Some(user) = &job.request.mail_user {
        lines
            .push(format!("MailUser={user} MailType={}", job.request.mail_type.as_deref().unwrap_or("NONE")));
    }
    if let Some(count) = job.request.ntasks_per_tres {
        lines.push(format!("NtasksPerTRES={count}"));
    }
    if flags.one_line {
        return format!("{} \n", lines.join(" "));
    }
    // Every record ends with an empty line of its own indent, and one more.
    format!("{}\n   \n\n", lines.join("\n   "))
}

fn output(job: &Job, text: Option<&str>) -> String {
    let default = if job.array.is_some() { "slurm-%A_%a.out" } else { "slurm-%j.out" };
    let (array, task) = job.array.map_or((job.id, None), |(array, task)| (array, task));
    let task = task.map_or_else(|| "4294967294".to_owned(), |task| task.to_string());
    let name = text
        .unwrap_or(default)
        .replace("%j", &job.id.to_string())
        .replace("%A", &array.to_string())
        .replace("%a", &task)
        .replace("%u", &job.user)
        .replace("%x", &job.request.name);
    if name.starts_with('/') {
        name
    } else {
        format!("{}/{name}", job.request.work_dir.trim_end_matches('/'))
    }
}

fn numbers(controller: &Controller, job: &Job, pending: bool, lines: &mut Vec<String>) {
    let (nodes, cpus, tasks) = if pending {
        let planned = job.planned_nodes.count() as u32;
        let least = planned.max(job.min_nodes);
        let nodes = match job.max_nodes {
            // A number that was given shows as a range until the job first ran.
            Some(most) if job.restarts == 0 => format!("{}-{most}", job.min_nodes),
            _ => least.to_string(),
        };
        (nodes, u64::from(job.min_cpus), job.ntasks.to_string())
    } else if job.shares_of_nodes.is_empty() {
        // It ended without ever having had nodes.
        let tasks = job.request.ntasks.map_or_else(|| "N/A".to_owned(), |tasks| tasks.to_string());
        (job.min_nodes.to_string(), u64::from(job.min_cpus), tasks)
    } else {
        let cpus = job.shares_of_nodes.iter().map(|share| u64::from(share.cpus)).sum();
        let nodes = job.shares_of_nodes.len() as u32;
        let tasks = if job.request.ntasks.is_some() || job.request.ntasks_per_tres.is_some() {
            job.ntasks
        } else {
            job.ntasks.max(nodes)
        };
        (nodes.to_string(), cpus, tasks.to_string())
    };
    lines.push(format!(
        "NumNodes={nodes} NumCPUs={cpus} NumTasks={tasks} CPUs/Task={} ReqB:S:C:T=0:0:*:*",
        job.request.cpus_per_task.unwrap_or(1)
    ));
    let tres = match &job.alloc_tres {
        Some(tres) if !pending && tres.nodes > 0 => tres_text(controller, tres, true, true),
        _ => tres_text(controller, &controller.requested_tres(job), true, true),
    };
    lines.push(format!("TRES={tres}"));
    let star = |count: Option<u32>| count.map_or_else(|| "*".to_owned(), |n| n.to_string());
    lines.push(format!(
        "Socks/Node={} NtasksPerN:B:S:C={}:0:{}:{} CoreSpec=*",
        star(job.request.sockets_per_node),
        job.request.ntasks_per_node.unwrap_or(0),
        star(job.request.ntasks_per_socket),
        star(job.request.ntasks_per_core)
    ));
}

/// JOB_GRES and, for nodes with equal shares, one line of cores, memory and GRES.
fn details(controller: &Controller, job: &Job, lines: &mut Vec<String>) {
    let mut totals: Vec<(String, u64)> = Vec::new();
    for grant in job.shares_of_nodes.iter().flat_map(|share| &share.gres) {
        let kind = controller.names.kinds.get(usize::from(grant.kind)).map_or("gres", String::as_str);
        let name = match grant.typ.and_then(|typ| controller.names.types.get(usize::from(typ))) {
            Some(typ) => format!("{kind}:{typ}"),
            None => kind.to_owned(),
        };
        match totals.iter_mut().find(|(other, _)| *other == name) {
            Some((_, sum)) => *sum += grant.count,
            None => totals.push((name, grant.count)),
        }
    }
    let text = totals.iter().map(|(name, count)| format!("{name}:{count}")).collect::<Vec<_>>().join(",");
    lines.push(format!("JOB_GRES={}", if text.is_empty() { "(null)" } else { &text }));
    let mut groups: Vec<(Vec<usize>, String)> = Vec::new();
    for share in &job.shares_of_nodes {
        let node = &controller.nodes[share.node];
        let per_core = node.cpus_per_core() as usize;
        let cpus: crate::slurm::model::Bits =
            share.cores.iter().flat_map(|core| core * per_core..(core + 1) * per_core).collect();
        let gres = share
            .gres
            .iter()
            .map(|grant| {
                let kind = controller.names.kinds.get(usize::from(grant.kind)).map_or("gres", String::as_str);
                let typ = grant
                    .typ
                    .and_then(|typ| controller.names.types.get(usize::from(typ)))
                    .map_or(String::new(), |typ| format!(":{typ}"));
                if grant.devices.is_empty() {
                    format!("{kind}{typ}:{}", grant.count)
                } else {
                    format!("{kind}{typ}:{}(IDX:{})", grant.count, grant.devices)
                }
            })
            .collect::<Vec<_>>()
            .join(",");
        let what = format!("CPU_IDs={cpus} Mem={} GRES={gres}", share.memory);
        match groups.last_mut() {
            Some((nodes, same)) if *same == what => nodes.push(share.node),
            _ => groups.push((vec![share.node], what)),
        }
    }
    for (nodes, what) in groups {
        let names = controller.names_of(&nodes.into_iter().collect());
        lines.push(format!("  Nodes={names} {what}"));
    }
}
