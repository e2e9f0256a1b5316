//! Small commands around steps: `sattach`, `sbcast`, `strigger`.
//!
//! Their refusals are those of the real ones; what they do when nothing is wrong is not modelled, and says so.

use super::{CommandOutput, Session};
use crate::slurm::controller::Controller;

/// Runs `sattach` with these arguments (without the name itself).
pub fn sattach(controller: &Controller, session: &Session<'_>, args: &[String]) -> CommandOutput {
    let Some(target) = args.iter().find(|arg| !arg.starts_with('-')) else {
        return CommandOutput::error("sattach: error: No job step was specified\n");
    };
    let ids = target.split_once('.').and_then(|(job, step)| Some((job.parse::<u32>().ok()?, step)));
    let Some((job, step)) = ids else {
        return CommandOutput::error(format!("sattach: error: Invalid job step id: {target}\n"));
    };
    let failed =
        |why: &str| CommandOutput::error(format!("sattach: error: Could not get job step info: {why}\n"));
    let Some(job) = controller.jobs.get(job) else { return failed("Invalid job id specified") };
    let found = job.steps.iter().any(|other| other.end == 0 && other.id.to_string() == step);
    if !found {
        return failed("Invalid job id specified");
    }
    if session.uid != 0 && session.uid != job.request.uid {
        return failed("Access/permission denied");
    }
    CommandOutput::error("not modelled: sattach; what a step prints goes to its srun\n")
}

/// Runs `sbcast` with these arguments.
pub fn sbcast(controller: &Controller, session: &Session<'_>, args: &[String]) -> CommandOutput {
    let mut job = session.variable("SLURM_JOB_ID").map(str::to_owned);
    let mut files = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-j" | "--jobid" => job = rest.next().cloned(),
            _ if arg.starts_with("--jobid=") => job = arg.split_once('=').map(|(_, id)| id.to_owned()),
            _ if arg.starts_with('-') => {}
            _ => files.push(arg),
        }
    }
    if files.len() != 2 {
        return CommandOutput::error(
            "sbcast: error: Need two file names, have ".to_owned() + &format!("{} names\n", files.len()),
        );
    }
    let Some(job) = job else {
        return CommandOutput::error(
            "sbcast: error: Need a job id to run this command.  Run from within a Slurm job or use the --jobid option.\n",
        );
    };
    let known = job.parse::<u32>().ok().and_then(|id| controller.jobs.get(id));
    if known.is_none_or(|job| job.state.is_finished()) {
        return CommandOutput::error(format!(
            "sbcast: error: Slurm jobid {job} lookup error: Invalid job id specified\n"
        ));
    }
    CommandOutput::error("not modelled: sbcast; all nodes share one file system here\n")
}

/// Runs `strigger` with these arguments.
pub fn strigger(args: &[String]) -> CommandOutput {
    match args.first().map(String::as_str) {
        // No trigger can be set, so that there is none to show (recorded: bad_inputs).
        Some("--get") => CommandOutput::default(),
        Some("--set" | "--clear") => CommandOutput::error("strigger: not modelled: triggers\n"),
        _ => CommandOutput::error("strigger: error: You must specify one of --set, --get or --clear\n"),
    }
}
