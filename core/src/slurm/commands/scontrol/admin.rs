//! What administrators tell the daemons: reconfigure, shut down, take over, reboot; and whether they answer.

use super::{Flags, expand};
use crate::slurm::commands::{CommandOutput, Session};
use crate::slurm::config::{Config, Shown, show};
use crate::slurm::controller::{Controller, RebootRequest, ReconfigureError};
use crate::slurm::error::SlurmError;
use crate::slurm::model::NextState;

/// Where commands and daemons look for their configuration, unless SLURM_CONF says another place.
const SLURM_CONF: &str = "/etc/slurm/slurm.conf";

/// `scontrol reconfigure`. The command reads `slurm.conf` itself first, as every command does, and ends there when that
/// has errors. Without such a file the configuration stays.
pub(super) fn reconfigure(controller: &mut Controller, session: &Session<'_>) -> CommandOutput {
    let path = session.variable("SLURM_CONF").unwrap_or(SLURM_CONF);
    let config = if (session.read_file)(path).is_some() {
        match Config::load(path, session.read_file) {
            Ok(config) => config,
            Err(errors) => return CommandOutput::error(errors.log("scontrol")),
        }
    } else {
        Config::clone(&controller.config)
    };
    let fail = |text: String| CommandOutput::error(format!("slurm_reconfigure error: {text}\n"));
    if session.uid != 0 {
        return fail(SlurmError::InvalidUser.to_string());
    }
    if !controller.answers() {
        return fail(SlurmError::NoContact.to_string());
    }
    let notes: String = config.not_modelled().map(|note| format!("{note}\n")).collect();
    match controller.reconfigure(config, session.uid) {
        Ok(()) => CommandOutput { stderr: notes, ..CommandOutput::default() },
        Err(error @ ReconfigureError::NotModelled(_)) => CommandOutput::error(format!("{error}\n")),
        Err(error) => fail(error.to_string()),
    }
}

/// `scontrol ping`, and the last lines of `scontrol show config`.
pub(super) fn ping(controller: &Controller, session: &Session<'_>) -> CommandOutput {
    let alive = controller.daemons.alive();
    let mut text = String::new();
    for (at, up) in alive.iter().enumerate() {
        let mode = match at {
            0 => "primary".to_owned(),
            1 if alive.len() == 2 => "backup".to_owned(),
            at => format!("backup{at}"),
        };
        let host = controller.config.controllers.get(at).map_or("localhost", |host| &host.name);
        text.push_str(&format!("Slurmctld({mode}) at {host} is {}\n", if *up { "UP" } else { "DOWN" }));
    }
    if session.uid == 0 && alive.contains(&false) {
        let line = "*****************************************\n";
        text.push_str(&format!("{line}** RESTORE SLURMCTLD DAEMON TO SERVICE **\n{line}"));
    }
    CommandOutput { stdout: text, code: u8::from(!alive.contains(&true)), ..CommandOutput::default() }
}

/// `scontrol show config`.
pub(super) fn config(controller: &Controller, session: &Session<'_>) -> CommandOutput {
    let shown = Shown {
        now: controller.time(),
        boot: controller.boot,
        next_job_id: controller.next_job_id(),
        nodes: controller.nodes.len(),
    };
    CommandOutput::text(show(&controller.config, &shown) + &ping(controller, session).stdout)
}

/// `scontrol show daemons`: which daemons should run on this host.
pub(super) fn daemons(controller: &Controller, session: &Session<'_>) -> CommandOutput {
    let mut names = Vec::new();
    let controllers = &controller.config.controllers;
    if controllers.iter().any(|host| host.name == session.host) {
        names.push("slurmctld");
    }
    if controller.nodes.iter().any(|node| node.name == session.host || node.hostname == session.host) {
        names.push("slurmd");
    }
    CommandOutput::text(format!("{}\n", names.join(" ")))
}

/// `scontrol shutdown [slurmctld|controller]`.
pub(super) fn shutdown(controller: &mut Controller, session: &Session<'_>, words: &[&str]) -> CommandOutput {
    match words {
        [] | ["slurmctld" | "controller"] => {}
        [other] => return CommandOutput::error(format!("invalid shutdown argument:{other}\n")),
        _ => return CommandOutput::error("too many arguments for keyword:shutdown\n"),
    }
    if session.uid != 0 {
        return CommandOutput::error(format!("slurm_shutdown error: {}\n", SlurmError::InvalidUser));
    }
    if !controller.answers() {
        return CommandOutput::error(format!("slurm_shutdown error: {}\n", SlurmError::NoContact));
    }
    controller.shutdown();
    if words.is_empty() {
        for node in 0..controller.nodes.len() {
            controller.set_responding(node, false);
        }
    }
    CommandOutput::default()
}

/// `scontrol takeover [INDEX]`.
pub(super) fn takeover(controller: &mut Controller, session: &Session<'_>, words: &[&str]) -> CommandOutput {
    let count = controller.daemons.alive().len();
    let index = match words {
        [] => 1,
        // What is no number counts as 0.
        [word] => match word.parse::<usize>().unwrap_or(0) {
            index if index < 1 || index >= count => {
                return CommandOutput::error(format!(
                    "takeover: invalid backup controller index ({index})\n"
                ));
            }
            index => index,
        },
        _ => return CommandOutput::error("takeover: too many arguments\n"),
    };
    if session.uid != 0 {
        return CommandOutput::error(format!("slurm_takeover error: {}\n", SlurmError::InvalidUser));
    }
    if controller.takeover(index) {
        CommandOutput::default()
    } else {
        CommandOutput::error(format!("slurm_takeover error: {}\n", SlurmError::NoContact))
    }
}

/// `scontrol reboot [ASAP] [nextstate=RESUME|DOWN] [reason=TEXT] ALL|NODES`.
pub(super) fn reboot(
    controller: &mut Controller,
    session: &Session<'_>,
    flags: Flags,
    words: &[&str],
) -> CommandOutput {
    let say = |text: String| {
        let stderr = if flags.quiet { String::new() } else { text };
        CommandOutput { stderr, code: 1, ..CommandOutput::default() }
    };
    let mut request = RebootRequest::default();
    let mut rest = words;
    loop {
        match rest {
            [word, more @ ..] if word.eq_ignore_ascii_case("asap") && !request.asap => {
                request.asap = true;
                rest = more;
            }
            [word, more @ ..] if super::pair(word).is_some_and(|(key, _)| key == "reason") => {
                let text = word.split_once('=').map_or("", |(_, text)| text);
                if text.is_empty() {
                    return say("missing reason\n".into());
                }
                request.reason = Some(text.to_owned());
                rest = more;
            }
            [word, more @ ..] if super::pair(word).is_some_and(|(key, _)| key == "nextstate") => {
                let text = word.split_once('=').map_or("", |(_, text)| text);
                let upper = text.to_ascii_uppercase();
                request.next = Some(match upper.as_str() {
                    "" => return say("missing state\n".into()),
                    _ if "DOWN".starts_with(&upper) => NextState::Down,
                    _ if "RESUME".starts_with(&upper) => NextState::Resume,
                    _ => return say(format!("Invalid state: {text}\nValid states: DOWN, RESUME\n")),
                });
                rest = more;
            }
            _ => break,
        }
    }
    let list = match rest {
        [] => return CommandOutput::error("Missing node list. Specify ALL|<NodeList>\n"),
        [list] => *list,
        _ => return CommandOutput::error("too many arguments for keyword:reboot\n"),
    };
    if !controller.params.reboot_program {
        // What the error's number stands for is no more than this.
        return say(
            "scontrol: error: RebootProgram isn't defined\nscontrol_reboot_nodes error: Unspecified error\n"
                .into(),
        );
    }
    let fail = |error: SlurmError| say(format!("scontrol_reboot_nodes error: {error}\n"));
    if !controller.answers() {
        return fail(SlurmError::NoContact);
    }
    match controller.reboot_nodes(&names(controller, list), &request, session.uid) {
        Ok(()) => CommandOutput::default(),
        Err(error) => fail(error),
    }
}

/// `scontrol cancel_reboot NODES`.
pub(super) fn cancel_reboot(
    controller: &mut Controller,
    session: &Session<'_>,
    words: &[&str],
) -> CommandOutput {
    let list = match words {
        [] => return CommandOutput::error("too few arguments for keyword:cancel_reboot\n"),
        [list] => *list,
        _ => return CommandOutput::error("too many arguments for keyword:cancel_reboot\n"),
    };
    let result = if session.uid == 0 {
        controller.cancel_reboot(&names(controller, list))
    } else {
        Err(SlurmError::InvalidUser)
    };
    match result {
        Ok(()) => CommandOutput::default(),
        Err(error) => CommandOutput::error(format!("slurm_update error: {error}\n")),
    }
}

fn names(controller: &Controller, list: &str) -> Vec<String> {
    if list.eq_ignore_ascii_case("all") {
        controller.nodes.iter().map(|node| node.name.clone()).collect()
    } else {
        // A list that cannot be read is a node that there is not.
        expand(list).unwrap_or_else(|| vec![list.to_owned()])
    }
}

/// `scontrol top JOBS`.
pub(super) fn top(controller: &mut Controller, session: &Session<'_>, words: &[&str]) -> CommandOutput {
    let list = match words {
        [] => return CommandOutput::error("too few arguments for keyword:top\n"),
        [list] => list.strip_prefix("jobid=").or(list.strip_prefix("job=")).unwrap_or(list),
        _ => return CommandOutput::error("too many arguments for keyword:top\n"),
    };
    let ids: Option<Vec<(u32, Option<u32>)>> = list
        .split(',')
        .map(|word| {
            let (job, task) = word.split_once('_').map_or((word, None), |(job, task)| (job, Some(task)));
            let task = match task {
                None | Some("*") => None,
                Some(task) => Some(task.parse().ok()?),
            };
            Some((job.parse().ok().filter(|job| *job > 0)?, task))
        })
        .collect();
    let result = match ids {
        Some(ids) => controller.top(&ids, session.uid),
        None => Err(SlurmError::InvalidJobId),
    };
    match result {
        Ok(()) => CommandOutput::default(),
        Err(error) => CommandOutput::error(format!("{error} for job {list}\n")),
    }
}
