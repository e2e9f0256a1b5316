//! Small commands around steps: `sattach`, `sbcast`, `strigger`.
//!
//! Their refusals are those of the real ones. `sbcast` copies; what the others do when nothing is wrong is not modelled,
//! and says so.

use super::{CommandOutput, Session, Writes};
use crate::slurm::controller::Controller;
use crate::slurm::model::JobBase;

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
    let (mut files, mut force) = (Vec::new(), false);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-j" | "--jobid" => job = rest.next().cloned(),
            _ if arg.starts_with("--jobid=") => job = arg.split_once('=').map(|(_, id)| id.to_owned()),
            "-f" | "--force" => force = true,
            "-F" | "--fanout" | "-s" | "--size" | "-t" | "--timeout" => drop(rest.next()),
            _ if arg.starts_with("-j") => job = Some(arg[2..].to_owned()),
            _ if arg.starts_with('-') => {}
            _ => files.push(arg),
        }
    }
    let [from, to] = files[..] else {
        return CommandOutput::error(
            "sbcast: error: Need two file names, have ".to_owned() + &format!("{} names\n", files.len()),
        );
    };
    let Some(job) = job else {
        return CommandOutput::error(
            "sbcast: error: Need a job id to run this command.  Run from within a Slurm job or use the --jobid option.\n",
        );
    };
    let known = job.parse::<u32>().ok().and_then(|id| controller.jobs.get(id));
    let Some(known) = known.filter(|job| job.state.base == JobBase::Running) else {
        return CommandOutput::error(format!(
            "sbcast: error: Slurm jobid {job} lookup error: Invalid job id specified\n"
        ));
    };
    if session.uid != 0 && session.uid != known.request.uid {
        return CommandOutput::error(format!(
            "sbcast: error: Slurm jobid {job} lookup error: Access/permission denied\n"
        ));
    }
    // All nodes have one file system, so that one copy is there for all of them.
    if (session.read_file)(from).is_none() {
        return CommandOutput::error(format!(
            "sbcast: error: Can't open `{from}`: No such file or directory\n"
        ));
    }
    if !force && (session.read_file)(to).is_some() {
        let node = known.nodes.min().map_or("", |at| controller.nodes[at].name.as_str());
        return CommandOutput::error(format!("sbcast: error: REQUEST_FILE_BCAST({node}): File exists\n"));
    }
    CommandOutput { writes: Some(Writes::Copy(from.clone(), to.clone())), ..CommandOutput::default() }
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
