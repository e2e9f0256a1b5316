//! `scontrol`: looks at and changes the controller's state.

mod create;
mod show;
mod show_job;
mod show_node;
mod show_partition;
mod update;

use super::{CommandOutput, Session};
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
    match verb.to_ascii_lowercase().as_str() {
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
        "top" => CommandOutput::error("not modelled: scontrol top\n"),
        "ping" => CommandOutput::text("Slurmctld(primary) at vm is UP\n"),
        "version" => CommandOutput::text("slurm-wlm 22.05.8\n"),
        "reconfigure" if session.uid != 0 => {
            CommandOutput::error("slurm_reconfigure error: Invalid user id\n")
        }
        "shutdown" if session.uid != 0 => CommandOutput::error("slurm_shutdown error: Invalid user id\n"),
        "reconfigure" => CommandOutput::default(),
        "shutdown" | "reboot" | "cancel_reboot" | "takeover" | "setdebug" | "setdebugflags" | "token"
        | "write" => CommandOutput::error(format!("not modelled: scontrol {verb}\n")),
        other => CommandOutput::error(format!("invalid keyword: {other}\n")),
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
