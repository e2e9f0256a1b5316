//! `scancel`: signals or ends jobs and steps.

use super::getopt::{self, Opt, Takes, opt};
use super::{CommandOutput, Session, job_options};
use crate::slurm::controller::Controller;
use crate::slurm::error::SlurmError;
use crate::slurm::model::{JobBase, JobId, StepId};

const TABLE: &[Opt] = &[
    opt("account", Some('A'), Takes::Value),
    opt("batch", Some('b'), Takes::Nothing),
    opt("ctld", None, Takes::Nothing),
    opt("full", Some('f'), Takes::Nothing),
    opt("hurry", Some('H'), Takes::Nothing),
    opt("help", None, Takes::Nothing),
    opt("interactive", Some('i'), Takes::Nothing),
    opt("jobname", Some('n'), Takes::Value),
    opt("name", None, Takes::Value),
    opt("nodelist", Some('w'), Takes::Value),
    opt("partition", Some('p'), Takes::Value),
    opt("qos", Some('q'), Takes::Value),
    opt("quiet", Some('Q'), Takes::Nothing),
    opt("reservation", Some('R'), Takes::Value),
    opt("signal", Some('s'), Takes::Value),
    opt("state", Some('t'), Takes::Value),
    opt("user", Some('u'), Takes::Value),
    opt("verbose", Some('v'), Takes::Nothing),
    opt("version", Some('V'), Takes::Nothing),
];

/// Runs `scancel` with these arguments (without the name itself).
pub fn scancel(controller: &mut Controller, session: &Session<'_>, args: &[String]) -> CommandOutput {
    let parsed = match getopt::parse("scancel", TABLE, args, true) {
        Ok(parsed) => parsed,
        Err(message) => {
            return CommandOutput::error(format!("{message}\nTry \"scancel --help\" for more information\n"));
        }
    };
    let value = |name: &str| {
        parsed.options.iter().rev().find(|given| given.name == name).and_then(|given| given.value.clone())
    };
    let flag = |name: &str| parsed.options.iter().any(|given| given.name == name);
    if flag("version") {
        return CommandOutput::text("slurm-wlm 22.05.8\n");
    }
    let signal = match value("signal") {
        Some(text) => match job_options::signal_number(&text) {
            Some(signal) => Some(signal),
            None => return CommandOutput::error(format!("Unknown job signal: {text}\n")),
        },
        None => None,
    };
    let filters =
        ["account", "jobname", "name", "nodelist", "partition", "qos", "reservation", "state", "user"];
    if parsed.rest.is_empty() && !filters.iter().any(|name| flag(name)) {
        return CommandOutput::error("scancel: error: No job identification provided\n");
    }
    let state = match value("state") {
        Some(text) => match JobBase::ALL
            .iter()
            .find(|base| base.name().eq_ignore_ascii_case(&text) || base.code().eq_ignore_ascii_case(&text))
        {
            Some(base @ (JobBase::Pending | JobBase::Running | JobBase::Suspended)) => Some(*base),
            _ => {
                return CommandOutput::error(format!(
                    "scancel: error: Invalid job state specified: {text}\n"
                ));
            }
        },
        None => None,
    };
    let mut targets: Vec<Target> = Vec::new();
    for word in parsed.rest.iter().flat_map(|word| split_ids(word)) {
        match target(&word) {
            Some(target) => targets.push(target),
            None => return CommandOutput::error(format!("scancel: error: Invalid job id {word}\n")),
        }
    }
    let name = value("jobname").or_else(|| value("name"));
    let user = value("user");
    let matches = |controller: &Controller, id: JobId| {
        let Some(job) = controller.jobs.get(id) else { return false };
        let same = |wanted: &Option<String>, is: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.split(',').any(|wanted| wanted == is))
        };
        same(&user, &job.user)
            && same(&name, &job.request.name)
            && same(&value("partition"), &controller.partitions[job.partition].name)
            && same(&value("qos"), &job.qos)
            && same(&value("account"), job.request.account.as_deref().unwrap_or_default())
            && state.is_none_or(|state| job.state.base == state)
            && value("nodelist").is_none_or(|list| {
                crate::slurm::hostlist::expand(&list)
                    .unwrap_or_default()
                    .iter()
                    .any(|name| controller.node(name).is_some_and(|node| job.nodes.has(node)))
            })
    };
    let mut output = CommandOutput::default();
    if targets.is_empty() {
        if let Some(output) = super::no_contact(controller, "slurm_load_jobs error") {
            return output;
        }
        let ids: Vec<JobId> =
            controller.jobs.iter().filter(|job| !job.state.is_finished()).map(|job| job.id).collect();
        targets = ids
            .into_iter()
            .filter(|id| matches(controller, *id))
            .map(|id| Target { job: id, tasks: None, step: None })
            .collect();
    }
    for target in targets {
        let tasks = target.tasks.as_deref();
        let result = match (target.step, signal) {
            _ if !controller.answers() => Err(SlurmError::NoContact),
            (Some(step), signal) => {
                controller.signal_step(target.job, step, signal.unwrap_or(15), session.uid)
            }
            (None, Some(signal)) if flag("full") || flag("batch") => {
                controller.signal_script(target.job, tasks, signal, flag("full"), session.uid)
            }
            (None, signal) => controller.cancel(target.job, tasks, signal, session.uid),
        };
        match result {
            // An id that is not known is passed over in silence unless one asks for words (observed).
            Ok(()) | Err(SlurmError::InvalidJobId | SlurmError::AlreadyDone) => {}
            Err(error) if target.step.is_some() => {
                let step = target.step.map(|step| step.to_string()).unwrap_or_default();
                output.stderr.push_str(&format!(
                    "scancel: error: Kill job error on job step id {}.{step}: {error}\n",
                    target.job
                ));
                output.code = 1;
            }
            Err(error) => {
                output
                    .stderr
                    .push_str(&format!("scancel: error: Kill job error on job id {}: {error}\n", target.job));
                output.code = 1;
            }
        }
    }
    output
}

/// A job, or some tasks of an array.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Target {
    job: JobId,
    tasks: Option<Vec<u32>>,
    step: Option<StepId>,
}

/// Ids are separated by commas outside of brackets.
fn split_ids(word: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in word.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// `7`, `7_3`, `7_[1-3,5]`, `7.0`.
fn target(word: &str) -> Option<Target> {
    let (word, step) = word.split_once('.').map_or((word, None), |(job, step)| (job, Some(step)));
    let step = match step {
        None => None,
        Some("batch") => Some(StepId::Batch),
        Some(number) => Some(StepId::Number(number.parse().ok()?)),
    };
    let (job, task) = word.split_once('_').map_or((word, None), |(job, task)| (job, Some(task)));
    let job = job.parse().ok()?;
    let tasks = match task {
        Some(text) => Some(job_options::array(text, u32::MAX - 1)?.tasks),
        None => None,
    };
    Some(Target { job, tasks, step })
}
