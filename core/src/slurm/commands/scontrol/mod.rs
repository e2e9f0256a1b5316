//! `scontrol`: looks at and changes the controller's state.

mod admin;
mod create;
mod show;
mod show_assoc;
mod show_job;
mod show_node;
mod show_partition;
mod update;
mod update_reservation;

use super::{CommandOutput, Session, Writes};
use crate::slurm::controller::Controller;
use crate::slurm::error::SlurmError;
use crate::slurm::{hostlist, units};

pub(crate) use show_job::tres_text;

/// Options that come before the command.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    details: bool,
    one_line: bool,
    quiet: bool,
}

/// Runs `scontrol` with these arguments (without the name itself).
pub fn scontrol(controller: &mut Controller, session: &Session<'_>, args: &[String]) -> CommandOutput {
    let mut flags = Flags::default();
    let mut words: Vec<&str> = Vec::new();
    for arg in args {
        match arg.as_str() {
            "-d" | "--detail" | "--details" if words.is_empty() => flags.details = true,
            "-o" | "--oneliner" if words.is_empty() => flags.one_line = true,
            "-Q" | "--quiet" if words.is_empty() => flags.quiet = true,
            "-a" | "--all" | "-v" | "--verbose" if words.is_empty() => {}
            "-V" | "--version" if words.is_empty() => return CommandOutput::text("slurm-wlm 22.05.8\n"),
            other if words.is_empty() && other.starts_with("--") => {
                return CommandOutput::error(format!(
                    "scontrol: unrecognized option '{other}'\nTry \"scontrol --help\" for more information\n"
                ));
            }
            other => words.push(other),
        }
    }
    let Some((verb, rest)) = words.split_first() else {
        return CommandOutput::error("scontrol: not modelled: the interactive mode\n");
    };
    let keyword = verb.to_ascii_lowercase();
    if let Some(call) = asks(&keyword, rest)
        && let Some(output) = super::no_contact(controller, call)
    {
        return output;
    }
    match keyword.as_str() {
        "show" => show::show(controller, session, flags, rest),
        "update" => update::update(controller, session, rest),
        "create" => create::create(controller, session, rest),
        "delete" => create::delete(controller, session, rest),
        "hold" => each_job(controller, session, rest, "slurm_suspend", |c, id, tasks, uid| {
            c.hold(id, tasks, uid, false)
        }),
        "uhold" => each_job(controller, session, rest, "slurm_suspend", |c, id, tasks, uid| {
            c.hold(id, tasks, uid, true)
        }),
        "release" => each_job(controller, session, rest, "slurm_suspend", Controller::release_hold),
        "requeue" => {
            each_job(controller, session, rest, "", |c, id, tasks, uid| c.requeue(id, tasks, uid, false))
        }
        "requeuehold" => {
            each_job(controller, session, rest, "", |c, id, tasks, uid| c.requeue(id, tasks, uid, true))
        }
        "suspend" => suspension(controller, session, rest, true),
        "resume" => suspension(controller, session, rest, false),
        "top" => admin::top(controller, session, rest),
        "ping" => admin::ping(controller, session),
        "version" => CommandOutput::text("slurm-wlm 22.05.8\n"),
        "reconfigure" => admin::reconfigure(controller, session),
        "shutdown" => admin::shutdown(controller, session, rest),
        "takeover" => admin::takeover(controller, session, rest),
        "reboot" | "reboot_nodes" => admin::reboot(controller, session, flags, rest),
        "cancel_reboot" => admin::cancel_reboot(controller, session, rest),
        "write" if rest.first().is_some_and(|what| what.eq_ignore_ascii_case("batch_script")) => {
            batch_script(controller, session, &rest[1..])
        }
        "abort" | "setdebug" | "setdebugflags" | "schedloglevel" | "fsdampeningfactor" | "token"
        | "write" | "wait_job" | "notify" | "listpids" | "getaddrs" | "completing" | "checkpoint"
        | "errnumstr" => CommandOutput::error(format!("not modelled: scontrol {verb}\n")),
        other => CommandOutput::error(format!("invalid keyword: {other}\n")),
    }
}

/// The call that a keyword makes and that fails when no controller answers; `None` where it makes none, or looks itself.
fn asks(keyword: &str, rest: &[&str]) -> Option<&'static str> {
    match keyword {
        "update" if rest.iter().any(|word| word.to_ascii_lowercase().starts_with("reservation")) => {
            Some("Error updating the reservation")
        }
        "update" | "cancel_reboot" => Some("slurm_update error"),
        "create" => Some("Error creating the reservation"),
        "delete" => Some("slurm_delete_reservation error"),
        "hold" | "uhold" | "release" | "suspend" | "resume" => Some("slurm_suspend error"),
        "requeue" | "requeuehold" => Some("slurm_requeue error"),
        "top" => Some("slurm_top_job error"),
        "show" => {
            let (entity, inline) = rest.first()?.split_once('=').unwrap_or((rest.first()?, ""));
            let lower = entity.to_ascii_lowercase();
            let is = |name: &str, least: usize| lower.len() >= least && name.starts_with(&lower);
            if is("jobs", 1) || is("jobid", 1) {
                let one = rest.len() > 1 || !inline.is_empty();
                Some(if one { "slurm_load_job error" } else { "slurm_load_jobs error" })
            } else if is("nodes", 1) || lower == "nodename" {
                Some("slurm_load_node error")
            } else if is("partitions", 1) || lower == "partitionname" {
                Some("slurm_load_partitions error")
            } else if is("reservations", 1) || lower == "reservationname" {
                Some("slurm_load_reservations error")
            } else if is("licenses", 2) {
                Some("slurm_load_license error")
            } else if is("topology", 1) {
                Some("slurm_load_topo error")
            } else if is("steps", 2) {
                Some("slurm_get_job_steps error")
            } else if is("config", 1) {
                Some("slurm_load_ctl_conf error")
            } else if is("assoc_mgr", 3) {
                Some("slurm_load_assoc_mgr_info error")
            } else {
                None
            }
        }
        _ => None,
    }
}

/// `scontrol write batch_script JOB [FILE]`: the script of a job, into a file or (`-`) onto the standard output.
fn batch_script(controller: &Controller, session: &Session<'_>, rest: &[&str]) -> CommandOutput {
    let failed = |why: SlurmError| CommandOutput::error(format!("job script retrieval failed: {why}\n"));
    let name = rest.first().copied().unwrap_or_default();
    // A task has the script of its array, whether it waits in the array's record or has one of its own.
    let found = job_and_tasks(name).and_then(|(id, tasks)| match tasks.as_deref() {
        None => controller.jobs.get(id),
        Some([task]) => controller.jobs.iter().find(|job| match job.array {
            Some((of, Some(own))) if of == id && own == *task && job.pending_tasks.is_none() => true,
            Some((of, _)) if of == id => {
                Controller::waiting_tasks(job).is_some_and(|waiting| waiting.tasks.contains(task))
            }
            _ => false,
        }),
        Some(_) => None,
    });
    let Some(job) = found.filter(|job| job.request.batch) else {
        return failed(SlurmError::InvalidJobId);
    };
    if session.uid != 0 && session.uid != job.request.uid {
        return failed(SlurmError::AccessDenied);
    }
    let script = job.request.script.clone();
    match rest.get(1).copied() {
        Some("-") => CommandOutput::text(script),
        file => {
            let file = file.map_or_else(|| format!("slurm-{name}.sh"), str::to_owned);
            CommandOutput {
                stdout: format!("batch script for job {name} written to {file}\n"),
                writes: Some(Writes::Text(file, script)),
                ..CommandOutput::default()
            }
        }
    }
}

/// `7`, `7_3`, `7_[1-3]`.
fn job_and_tasks(word: &str) -> Option<(u32, Option<Vec<u32>>)> {
    let (job, task) = word.split_once('_').map_or((word, None), |(job, task)| (job, Some(task)));
    let tasks = match task {
        Some(text) => Some(super::job_options::array(text, u32::MAX - 1)?.tasks),
        None => None,
    };
    Some((job.parse().ok()?, tasks))
}

type JobVerb = fn(&mut Controller, u32, Option<&[u32]>, u32) -> Result<(), SlurmError>;

fn each_job(
    controller: &mut Controller,
    session: &Session<'_>,
    words: &[&str],
    trailer: &str,
    verb: JobVerb,
) -> CommandOutput {
    let mut output = CommandOutput::default();
    if words.is_empty() {
        return CommandOutput::error("too few arguments for keyword\n");
    }
    for word in words.iter().flat_map(|word| word.split(',')) {
        let result = match job_and_tasks(word.strip_prefix("jobid=").unwrap_or(word)) {
            Some((id, tasks)) => verb(controller, id, tasks.as_deref(), session.uid),
            None => Err(SlurmError::InvalidJobId),
        };
        if let Err(error) = result {
            output.stderr.push_str(&format!("{error} for job {word}\n"));
            if !trailer.is_empty() {
                output.stderr.push_str(&format!("{trailer} error: {error}\n"));
            }
            output.code = 1;
        }
    }
    output
}

fn suspension(
    controller: &mut Controller,
    session: &Session<'_>,
    words: &[&str],
    stop: bool,
) -> CommandOutput {
    let mut output = CommandOutput::default();
    for word in words {
        let id: Option<u32> = word.parse().ok();
        let result = match id {
            Some(id) if stop => controller.suspend_job(id, session.uid),
            Some(id) => controller.resume_job(id, session.uid),
            None => Err(SlurmError::InvalidJobId),
        };
        match result {
            Ok(()) => {}
            // What the real one says when the job is not known (observed).
            Err(SlurmError::InvalidJobId) => {
                output.stderr.push_str(&format!("Unexpected message received for job {word}\n"));
                output.code = 1;
            }
            Err(error) => {
                output.stderr.push_str(&format!("{error} for job {word}\n"));
                output.code = 1;
            }
        }
    }
    output
}

/// `key=value`, the key in lower case.
fn pair(word: &str) -> Option<(String, &str)> {
    word.split_once('=').map(|(key, value)| (key.to_ascii_lowercase(), value))
}

fn stamp_or(time: i64, none: &str) -> String {
    if time == 0 { none.to_owned() } else { units::stamp(time) }
}

fn expand(list: &str) -> Option<Vec<String>> {
    hostlist::expand(list).ok()
}
