//! The columns of `squeue`: letters of `-o`, names of `-O`, titles, values (squeue(1), OUTPUT FORMAT).

use crate::slurm::Time;
use crate::slurm::controller::Controller;
use crate::slurm::model::{Job, JobBase, PartIdx, Step};
use crate::slurm::units::{short_clock, stamp};

use super::super::jobs;

/// A row: a job, one waiting task of an array, one partition of a job, or a step.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub(super) job: &'a Job,
    pub(super) task: Option<u32>,
    pub(super) partition: Option<PartIdx>,
    pub(super) step: Option<&'a Step>,
    /// Where the job stands in the controller's list.
    pub(super) position: usize,
}

/// Letter of `-o` (`None`: only `-O` has it), name of `-O`, title.
type Known = (Option<char>, &'static str, &'static str);

/// Columns of jobs.
const JOBS: &[Known] = &[
    (Some('a'), "account", "ACCOUNT"),
    (Some('A'), "jobid", "JOBID"),
    (Some('b'), "tres-per-node", "TRES_PER_NODE"),
    (Some('B'), "batchhost", "EXEC_HOST"),
    (Some('c'), "mincpus", "MIN_CPUS"),
    (Some('C'), "numcpus", "CPUS"),
    (Some('d'), "mintmpdisk", "MIN_TMP_DISK"),
    (Some('D'), "numnodes", "NODES"),
    (Some('e'), "endtime", "END_TIME"),
    (Some('E'), "dependency", "DEPENDENCY"),
    (Some('f'), "feature", "FEATURES"),
    (Some('F'), "arrayjobid", "ARRAY_JOB_ID"),
    (Some('g'), "groupname", "GROUP"),
    (Some('G'), "groupid", "GROUP"),
    (Some('h'), "oversubscribe", "OVER_SUBSCRIBE"),
    (Some('H'), "sockets", "SOCKETS_PER_NODE"),
    (Some('i'), "jobarrayid", "JOBID"),
    (Some('I'), "cores", "CORES_PER_SOCKET"),
    (Some('j'), "name", "NAME"),
    (Some('J'), "threads", "THREADS_PER_CORE"),
    (Some('k'), "comment", "COMMENT"),
    (Some('K'), "arraytaskid", "ARRAY_TASK_ID"),
    (Some('l'), "timelimit", "TIME_LIMIT"),
    (Some('L'), "timeleft", "TIME_LEFT"),
    (Some('m'), "minmemory", "MIN_MEMORY"),
    (Some('M'), "timeused", "TIME"),
    (Some('n'), "reqnodes", "REQ_NODES"),
    (Some('N'), "nodelist", "NODELIST"),
    (Some('o'), "command", "COMMAND"),
    (Some('O'), "contiguous", "CONTIGUOUS"),
    (Some('p'), "priority", "PRIORITY"),
    (Some('P'), "partition", "PARTITION"),
    (Some('q'), "qos", "QOS"),
    (Some('Q'), "prioritylong", "PRIORITY"),
    (Some('r'), "reason", "REASON"),
    (Some('R'), "reasonlist", "NODELIST(REASON)"),
    (Some('S'), "starttime", "START_TIME"),
    (Some('t'), "statecompact", "ST"),
    (Some('T'), "state", "STATE"),
    (Some('u'), "username", "USER"),
    (Some('U'), "userid", "UID"),
    (Some('v'), "reservation", "RESERVATION"),
    (Some('V'), "submittime", "SUBMIT_TIME"),
    (Some('w'), "wckey", "WCKEY"),
    (Some('W'), "licenses", "LICENSES"),
    (Some('x'), "exc_nodes", "EXC_NODES"),
    (Some('X'), "corespec", "CORE_SPEC"),
    (Some('y'), "nice", "NICE"),
    (Some('Y'), "schednodes", "SCHEDNODES"),
    (Some('z'), "sct", "S:C:T"),
    (Some('Z'), "workdir", "WORK_DIR"),
    (None, "accruetime", "ACCRUE_TIME"),
    (None, "allocnodes", "ALLOC_NODES"),
    (None, "allocsid", "ALLOC_SID"),
    (None, "associd", "ASSOC_ID"),
    (None, "batchflag", "BATCH_FLAG"),
    (None, "cluster", "CLUSTER"),
    (None, "cpus-per-task", "CPUS_PER_TASK"),
    (None, "cpus-per-tres", "CPUS_PER_TRES"),
    (None, "deadline", "DEADLINE"),
    (None, "delayboot", "DELAY_BOOT"),
    (None, "derivedec", "DERIVED_EC"),
    (None, "eligibletime", "ELIGIBLE_TIME"),
    (None, "exit_code", "EXIT_CODE"),
    (None, "maxcpus", "MAX_CPUS"),
    (None, "maxnodes", "MAX_NODES"),
    (None, "mem-per-tres", "MEM_PER_TRES"),
    (None, "mintime", "TIME_MIN"),
    (None, "nodes", "NODES"),
    (None, "ntpercore", "NTASKS_PER_CORE"),
    (None, "ntpernode", "NTASKS_PER_NODE"),
    (None, "ntpersocket", "NTASKS_PER_SOCKET"),
    (None, "numtasks", "TASKS"),
    (None, "pendingtime", "PENDING_TIME"),
    (None, "preemptime", "PREEMPT_TIME"),
    (None, "presustime", "PRE_SUS_TIME"),
    (None, "reboot", "REBOOT"),
    (None, "reqswitch", "REQ_SWITCH"),
    (None, "requeue", "REQUEUE"),
    (None, "restartcnt", "RESTART_COUNT"),
    (None, "stderr", "STDERR"),
    (None, "stdin", "STDIN"),
    (None, "stdout", "STDOUT"),
    (None, "suspendtime", "SUSPEND_TIME"),
    (None, "tres-alloc", "TRES_ALLOC"),
    (None, "tres-bind", "TRES_BIND"),
    (None, "tres-per-job", "TRES_PER_JOB"),
    (None, "tres-per-socket", "TRES_PER_SOCKET"),
    (None, "tres-per-task", "TRES_PER_TASK"),
];

/// Columns of steps (`-s`).
const STEPS: &[Known] = &[
    (Some('A'), "numtasks", "TASKS"),
    (Some('i'), "stepid", "STEPID"),
    (Some('j'), "stepname", "NAME"),
    (Some('l'), "timelimit", "TIME_LIMIT"),
    (Some('M'), "timeused", "TIME"),
    (Some('N'), "nodes", "NODELIST"),
    (Some('P'), "partition", "PARTITION"),
    (Some('S'), "starttime", "START_TIME"),
    (Some('t'), "stepstate", "STATE"),
    (Some('u'), "username", "USER"),
    (Some('U'), "userid", "UID"),
];

/// Name and title of a column by its letter or name.
pub(super) fn known(key: &str, steps: bool) -> Option<(&'static str, &'static str)> {
    let mut chars = key.chars();
    let letter = chars.next().filter(|_| chars.next().is_none());
    let table = if steps { STEPS } else { JOBS };
    table
        .iter()
        .find(|(short, name, _)| *name == key || (letter.is_some() && *short == letter))
        .map(|(_, name, title)| (*name, *title))
}

/// `%all`: every letter with a bar between.
pub(super) fn all() -> String {
    JOBS.iter()
        .filter_map(|(letter, ..)| *letter)
        .map(|letter| format!("%{letter}"))
        .collect::<Vec<_>>()
        .join("|")
}

fn or(text: Option<&String>, none: &str) -> String {
    text.map(String::as_str).filter(|text| !text.is_empty()).unwrap_or(none).to_owned()
}

fn time(at: Time) -> String {
    if at == 0 { "N/A".into() } else { stamp(at) }
}

fn count(value: Option<u32>) -> String {
    value.map_or_else(|| "*".into(), |value| value.to_string())
}

/// The id that users see: `7`, `7_3`, `7_[4-9%2]`.
fn id(row: &Row<'_>) -> String {
    match (row.task, row.job.array) {
        (Some(task), Some((array, _))) => format!("{array}_{task}"),
        _ => row.job.display_id(),
    }
}

/// The earliest start that is known: of a waiting job the planned one, or the one asked for.
pub(super) fn start(job: &Job) -> Time {
    if job.is_pending() { job.start.max(job.begin) } else { job.start }
}

fn limit(controller: &Controller, job: &Job) -> String {
    jobs::time_limit(controller, job)
        .map_or_else(|| "UNLIMITED".into(), |minutes| short_clock(i64::from(minutes) * 60))
}

/// The value of a step's column.
pub(super) fn step_value(controller: &Controller, row: &Row<'_>, step: &Step, name: &str) -> String {
    match name {
        "stepid" => {
            format!("{}.{}", id(row), step.id)
        }
        "stepname" => step.name.clone(),
        "numtasks" => step.tasks.to_string(),
        "timeused" => short_clock(controller.time() - step.start - row.job.suspended_for),
        "nodes" => controller.names_of(&step.nodes),
        "starttime" => stamp(step.start),
        "stepstate" => step.state.name().to_owned(),
        "timelimit" => {
            step.time_limit.map_or_else(|| "UNLIMITED".into(), |minutes| short_clock(i64::from(minutes) * 60))
        }
        other => value(controller, row, other),
    }
}

/// The value of a job's column.
pub(super) fn value(controller: &Controller, row: &Row<'_>, name: &str) -> String {
    let job = row.job;
    let request = &job.request;
    let now = controller.time();
    let waits = job.is_pending();
    match name {
        "account" => or(request.account.as_ref(), "(null)"),
        "jobid" => job.id.to_string(),
        "jobarrayid" => id(row),
        "arrayjobid" => job.array.map_or(job.id, |(array, _)| array).to_string(),
        "arraytaskid" => match (row.task, job.array, &job.pending_tasks) {
            (Some(task), ..) => task.to_string(),
            (_, Some(_), Some(pending)) => pending.text(),
            (_, Some((_, Some(task))), None) => task.to_string(),
            _ => "N/A".into(),
        },
        "tres-per-node" => or(request.tres_per_node.as_ref(), "N/A"),
        "tres-per-job" => or(request.tres_per_job.as_ref(), "N/A"),
        "tres-per-socket" => or(request.tres_per_socket.as_ref(), "N/A"),
        "tres-per-task" => or(request.tres_per_task.as_ref(), "N/A"),
        "tres-bind" => or(request.tres_bind.as_ref(), "N/A"),
        "tres-alloc" => match &job.alloc_tres {
            Some(tres) if !waits => jobs::tres_text(tres),
            _ => jobs::tres_text(&controller.requested_tres(job)),
        },
        "cpus-per-tres" => or(request.cpus_per_tres.as_ref(), "N/A"),
        "mem-per-tres" => or(request.mem_per_tres.as_ref(), "N/A"),
        "batchhost" => match job.nodes.min().filter(|_| !waits).and_then(|node| controller.nodes.get(node)) {
            Some(node) if request.batch => node.name.clone(),
            Some(_) => request.alloc_node.clone(),
            None => "n/a".into(),
        },
        "mincpus" => job.pn_min_cpus.max(1).to_string(),
        "numcpus" => jobs::cpu_count(job).to_string(),
        "mintmpdisk" => request.tmp_disk.to_string(),
        "numnodes" => jobs::node_count(job).to_string(),
        "endtime" => time(job.end),
        "dependency" => dependency(job),
        "feature" => or(request.constraint.as_ref(), "(null)"),
        "groupname" => job.group.clone(),
        "groupid" => request.gid.to_string(),
        "oversubscribe" => {
            use crate::slurm::model::Sharing;
            match request.sharing {
                Sharing::Default => "OK",
                Sharing::Exclusive => "NO",
                Sharing::ExclusiveUser => "USER",
                Sharing::Oversubscribe => "YES",
            }
            .into()
        }
        "sockets" => count(request.sockets_per_node),
        "cores" => count(request.cores_per_socket),
        "threads" => count(request.threads_per_core),
        "sct" => format!(
            "{}:{}:{}",
            count(request.sockets_per_node),
            count(request.cores_per_socket),
            count(request.threads_per_core)
        ),
        "name" => request.name.clone(),
        "comment" => or(request.comment.as_ref(), "(null)"),
        "timelimit" => limit(controller, job),
        "timeleft" => match jobs::time_limit(controller, job) {
            None => "UNLIMITED".into(),
            Some(minutes) => short_clock(i64::from(minutes) * 60 - job.run_time(now)),
        },
        "minmemory" => match jobs::min_memory(job) {
            0 => "0".into(),
            amount => super::super::format::mebibytes(amount),
        },
        "timeused" => short_clock(job.run_time(now)),
        "reqnodes" => controller.names_of(&job.required_nodes),
        "exc_nodes" => controller.names_of(&job.excluded_nodes),
        "nodelist" => nodes(controller, job),
        "command" => or(request.command.as_ref(), "(null)"),
        "contiguous" => u8::from(request.contiguous).to_string(),
        "priority" => format!("{:.14}", f64::from(priority(row)) / f64::from(u32::MAX)),
        "prioritylong" => priority(row).to_string(),
        "partition" => match row.partition.and_then(|at| controller.partitions.get(at)) {
            Some(part) => part.name.clone(),
            None => jobs::partitions(controller, job),
        },
        "qos" => job.qos.clone(),
        "reason" => jobs::reason(job),
        "reasonlist" => {
            let says = matches!(
                job.state.base,
                JobBase::Pending
                    | JobBase::Timeout
                    | JobBase::OutOfMemory
                    | JobBase::Deadline
                    | JobBase::Failed
            );
            if says && !job.state.is_completing() {
                format!("({})", jobs::reason(job))
            } else {
                nodes(controller, job)
            }
        }
        "starttime" => time(start(job)),
        "statecompact" => job.state.code().into(),
        "state" => job.state.name().into(),
        "username" => job.user.clone(),
        "userid" => request.uid.to_string(),
        "reservation" => or(request.reservation.as_ref(), "(null)"),
        "submittime" => time(job.submit),
        "wckey" => or(request.wckey.as_ref(), "(null)"),
        "licenses" => or(request.licenses.as_ref(), "(null)"),
        "corespec" => "N/A".into(),
        "nice" => request.nice.to_string(),
        "schednodes" => {
            if waits && !job.planned_nodes.is_empty() {
                controller.names_of(&job.planned_nodes)
            } else {
                "(null)".into()
            }
        }
        "workdir" => request.work_dir.clone(),
        "accruetime" => time(job.accrue),
        "allocnodes" => request.alloc_node.clone(),
        "allocsid" => request.alloc_sid.to_string(),
        "associd" => job.assoc.to_string(),
        "batchflag" => u8::from(request.batch).to_string(),
        "cluster" => controller.params.cluster.clone(),
        "cpus-per-task" => request.cpus_per_task.map_or_else(|| "N/A".into(), |n| n.to_string()),
        "deadline" => time(request.deadline.unwrap_or(0)),
        "delayboot" => short_clock(i64::from(request.delay_boot)),
        "derivedec" => job.derived_exit.0.to_string(),
        "eligibletime" => time(job.eligible),
        "exit_code" => job.exit.0.to_string(),
        // What `-n` sets is not a limit that is shown (recorded: `max_cpus` of `--json` in outputs).
        "maxcpus" => "0".into(),
        "maxnodes" => job.max_nodes.unwrap_or(0).to_string(),
        "mintime" => {
            request.time_min.map_or_else(|| "N/A".into(), |minutes| short_clock(i64::from(minutes) * 60))
        }
        "nodes" => jobs::node_count(job).to_string(),
        "ntpercore" => request.ntasks_per_core.map_or_else(|| "N/A".into(), |n| n.to_string()),
        "ntpernode" => request.ntasks_per_node.unwrap_or(0).to_string(),
        "ntpersocket" => request.ntasks_per_socket.map_or_else(|| "N/A".into(), |n| n.to_string()),
        "numtasks" => job.ntasks.to_string(),
        "pendingtime" => {
            (if job.start == 0 || waits { now } else { job.start } - job.submit).max(0).to_string()
        }
        "preemptime" => time(job.preempt_time),
        "presustime" => short_clock(if job.suspended_at == 0 { 0 } else { job.run_time(now) }),
        "reboot" => u8::from(request.reboot).to_string(),
        "reqswitch" => request.switches.map_or(0, |(count, _)| count).to_string(),
        "requeue" => u8::from(job.requeue).to_string(),
        "restartcnt" => job.restarts.to_string(),
        "stderr" => or(request.std_err.as_ref(), &or(request.std_out.as_ref(), "(null)")),
        "stdin" => or(request.std_in.as_ref(), "/dev/null"),
        "stdout" => or(request.std_out.as_ref(), "(null)"),
        "suspendtime" => time(job.suspended_at),
        _ => String::new(),
    }
}

fn nodes(controller: &Controller, job: &Job) -> String {
    if job.is_pending() { String::new() } else { controller.names_of(&job.nodes) }
}

/// The priority of a row: that of its partition where the job has one for each.
pub(super) fn priority(row: &Row<'_>) -> u32 {
    let of_partition = row.partition.and_then(|part| {
        let at = row.job.partitions.iter().position(|other| *other == part)?;
        row.job.part_priorities.get(at).copied()
    });
    of_partition.unwrap_or(row.job.priority)
}

/// `afterok:7(unfulfilled),singleton(unfulfilled)`: what is still waited for.
fn dependency(job: &Job) -> String {
    use crate::slurm::model::DependencyState;
    let mut text = String::new();
    for dependency in
        job.dependency.iter().filter(|dependency| dependency.state != DependencyState::Fulfilled)
    {
        if !text.is_empty() {
            text.push(if dependency.any { '?' } else { ',' });
        }
        text.push_str(dependency.kind.name());
        if let Some(target) = &dependency.target {
            text.push_str(&format!(":{}", target.job));
            if let Some(task) = target.task {
                text.push_str(&format!("_{task}"));
            }
            if target.delay > 0 {
                text.push_str(&format!("+{}", target.delay));
            }
        }
        text.push_str(if dependency.state == DependencyState::Failed { "(failed)" } else { "(unfulfilled)" });
    }
    if text.is_empty() { "(null)".into() } else { text }
}
