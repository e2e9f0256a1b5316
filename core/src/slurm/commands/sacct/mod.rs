//! `sacct`: accounting records of jobs and steps.

mod fields;

use super::format::{self, Parsable, TableStyle};
use super::getopt::{self, Opt, Takes, opt};
use super::{CommandOutput, Session, jobs, times};
use crate::slurm::controller::Controller;
use crate::slurm::model::Job;

const TABLE: &[Opt] = &[
    opt("accounts", Some('A'), Takes::Value),
    opt("allclusters", Some('L'), Takes::Nothing),
    opt("allocations", Some('X'), Takes::Nothing),
    opt("allusers", Some('a'), Takes::Nothing),
    opt("array", None, Takes::Nothing),
    opt("batch-script", Some('B'), Takes::Nothing),
    opt("brief", Some('b'), Takes::Nothing),
    opt("cluster", None, Takes::Value),
    opt("clusters", Some('M'), Takes::Value),
    opt("completion", Some('c'), Takes::Nothing),
    opt("delimiter", None, Takes::Value),
    opt("duplicates", Some('D'), Takes::Nothing),
    opt("endtime", Some('E'), Takes::Value),
    opt("env-vars", None, Takes::Nothing),
    opt("federation", None, Takes::Nothing),
    opt("file", Some('f'), Takes::Value),
    opt("flags", Some('F'), Takes::Value),
    opt("format", Some('o'), Takes::Value),
    opt("gid", Some('g'), Takes::Value),
    opt("group", None, Takes::Value),
    opt("help", Some('h'), Takes::Nothing),
    opt("helpformat", Some('e'), Takes::Nothing),
    opt("jobs", Some('j'), Takes::Value),
    opt("json", None, Takes::Nothing),
    opt("local", None, Takes::Nothing),
    opt("long", Some('l'), Takes::Nothing),
    opt("name", None, Takes::Value),
    opt("nnodes", Some('i'), Takes::Value),
    opt("ncpus", Some('I'), Takes::Value),
    opt("noconvert", None, Takes::Nothing),
    opt("nodelist", Some('N'), Takes::Value),
    opt("noheader", Some('n'), Takes::Nothing),
    opt("parsable", Some('p'), Takes::Nothing),
    opt("parsable2", Some('P'), Takes::Nothing),
    opt("partition", Some('r'), Takes::Value),
    opt("qos", Some('q'), Takes::Value),
    opt("reason", Some('R'), Takes::Value),
    opt("starttime", Some('S'), Takes::Value),
    opt("state", Some('s'), Takes::Value),
    opt("timelimit-max", Some('K'), Takes::Value),
    opt("timelimit-min", Some('k'), Takes::Value),
    opt("truncate", Some('T'), Takes::Nothing),
    opt("uid", Some('u'), Takes::Value),
    opt("units", None, Takes::Value),
    opt("usage", None, Takes::Nothing),
    opt("user", None, Takes::Value),
    opt("verbose", Some('v'), Takes::Nothing),
    opt("version", Some('V'), Takes::Nothing),
    opt("wckeys", Some('W'), Takes::Value),
    opt("whole-hetjob", None, Takes::Optional),
    opt("yaml", None, Takes::Nothing),
];

/// Options of the real command that have no meaning here yet.
const NOT_MODELLED: [&str; 18] = [
    "allclusters",
    "batch-script",
    "cluster",
    "clusters",
    "completion",
    "env-vars",
    "file",
    "flags",
    "help",
    "json",
    "nnodes",
    "ncpus",
    "timelimit-max",
    "timelimit-min",
    "truncate",
    "units",
    "whole-hetjob",
    "yaml",
];

/// Runs `sacct` with these arguments (without the name itself).
pub fn sacct(controller: &Controller, session: &Session<'_>, args: &[String]) -> CommandOutput {
    let parsed = match getopt::parse("sacct", TABLE, args, true) {
        Ok(parsed) => parsed,
        Err(message) => {
            return CommandOutput::error(format!("{message}\nTry \"sacct --help\" for more information\n"));
        }
    };
    let value = |name: &str| {
        parsed.options.iter().rev().find(|given| given.name == name).and_then(|given| given.value.clone())
    };
    let flag = |name: &str| parsed.options.iter().any(|given| given.name == name);
    let list = |name: &str| value(name).map(|list| format::words(&list));
    if flag("version") {
        return CommandOutput::text("slurm-wlm 22.05.8\n");
    }
    if let Some(name) = NOT_MODELLED
        .iter()
        .find(|name| flag(name) && value(name).as_deref() != Some(controller.params.cluster.as_str()))
    {
        return CommandOutput::error(format!("sacct: not modelled: --{name}\n"));
    }
    if flag("helpformat") {
        return CommandOutput::text(help_format());
    }
    if !controller.params.accounting {
        return CommandOutput::error("Slurm accounting storage is disabled\n");
    }
    let now = controller.time();
    let ids = list("jobs");
    let states = match list("state").map(|words| {
        words
            .iter()
            .map(|word| jobs::state_named(word).ok_or_else(|| word.clone()))
            .collect::<Result<Vec<_>, _>>()
    }) {
        None => None,
        Some(Ok(states)) => Some(states),
        Some(Err(word)) => {
            return CommandOutput::error(format!("sacct: error: Invalid job state specified: {word}\n"));
        }
    };
    // Without a start: the day's beginning; with ids everything; with states only what is so now.
    let mut start = if ids.is_some() {
        0
    } else if states.is_some() && !flag("starttime") {
        now
    } else {
        now - now.rem_euclid(86_400)
    };
    let mut end = now;
    for (name, slot) in [("starttime", &mut start), ("endtime", &mut end)] {
        if let Some(text) = value(name) {
            match times::parse(&text, now) {
                Ok(time) => *slot = time,
                // Recorded: sacct -S foo.
                Err(at) => {
                    return CommandOutput::error(format!("Invalid time specification (pos={at}): {text}\n"));
                }
            }
        }
    }
    let names = match value("format").or_else(|| session.variable("SACCT_FORMAT").map(str::to_owned)) {
        Some(names) => names.to_ascii_lowercase().replace("%all", ""),
        None if flag("long") => fields::LONG.to_owned(),
        None if flag("brief") => "jobid,state,exitcode".to_owned(),
        None => "jobid,jobname,partition,account,alloccpus,state,exitcode".to_owned(),
    };
    let chosen = match names.as_str() {
        "all" => fields::FIELDS.to_vec(),
        _ => match format::choose(fields::FIELDS, &names) {
            Ok(chosen) => chosen,
            Err(name) => {
                return CommandOutput::error(format!("sacct: error: Invalid field requested: \"{name}\"\n"));
            }
        },
    };
    let me = controller.users.by_uid(session.uid).map(|user| user.name.clone());
    let users = match list("uid").or_else(|| list("user")) {
        Some(users) => Some(users),
        // One who is not root sees their own jobs; so does root's `-j`, which sees all.
        None if flag("allusers") || session.uid == 0 || ids.is_some() => None,
        None => me.map(|name| vec![name]),
    };
    let wanted_nodes =
        list("nodelist").map(|words| crate::slurm::hostlist::expand(&words.join(",")).unwrap_or_default());
    let groups = list("gid").or_else(|| list("group"));
    let among = |list: &Option<Vec<String>>, is: &str| {
        list.as_ref().is_none_or(|list| list.iter().any(|word| word == is))
    };
    let (accounts, partitions, qos, job_names) =
        (list("accounts"), list("partition"), list("qos"), list("name"));
    let takes = |job: &Job| {
        ids.as_ref().is_none_or(|ids| fields::is_named(job, ids))
            && users.as_ref().is_none_or(|users| {
                users.iter().any(|user| *user == job.user || *user == job.request.uid.to_string())
            })
            && groups.as_ref().is_none_or(|groups| {
                groups.iter().any(|group| *group == job.group || *group == job.request.gid.to_string())
            })
            && among(&accounts, job.request.account.as_deref().unwrap_or_default())
            && partitions.as_ref().is_none_or(|wanted| {
                jobs::partitions(controller, job)
                    .split(',')
                    .any(|part| wanted.iter().any(|other| other == part))
            })
            && among(&qos, &job.qos)
            && among(&job_names, &job.request.name)
            && states.as_ref().is_none_or(|states| states.contains(&fields::base_state(job.state)))
            && wanted_nodes.as_ref().is_none_or(|names| {
                names.iter().any(|name| controller.node(name).is_some_and(|node| job.nodes.has(node)))
            })
            && (ids.is_some() && !flag("starttime") || overlaps(job, start, end))
    };
    let mut rows = Vec::new();
    for (index, job) in records(controller, flag("duplicates")).into_iter().enumerate() {
        if !takes(job) {
            continue;
        }
        rows.push(chosen.iter().map(|field| fields::job_value(controller, job, index, field.name)).collect());
        if flag("allocations") {
            continue;
        }
        let steps = job.steps.iter();
        rows.extend(steps.map(|step| {
            chosen
                .iter()
                .map(|field| fields::step_value(controller, job, step, field.name))
                .collect::<Vec<_>>()
        }));
    }
    let delimiter = value("delimiter").and_then(|text| text.chars().next()).unwrap_or('|');
    let parsable =
        (flag("parsable") || flag("parsable2")).then(|| Parsable { ending: !flag("parsable2"), delimiter });
    CommandOutput::text(format::table(&chosen, &rows, TableStyle { parsable, no_header: flag("noheader") }))
}

/// Whether a record has to do with the time between `start` and `end`.
fn overlaps(job: &Job, start: i64, end: i64) -> bool {
    if job.eligible == 0 && job.state.is_finished() {
        // It was held to its end, and never became eligible (recorded: exit_codes).
        return false;
    }
    let begin = if job.eligible != 0 { job.eligible } else { job.submit };
    let over = job.state.is_finished() && job.end != 0 && job.end < start;
    begin <= end && !over
}

/// The records in the order of submission: finished runs, then what is there still. Of a job that ran several times
/// the last run unless all are asked for.
fn records(controller: &Controller, duplicates: bool) -> Vec<&Job> {
    let live = controller.jobs.iter().filter(|job| {
        let recorded = job.state.is_finished()
            && controller.history.iter().any(|other| other.id == job.id && other.run == job.run);
        // Tasks of an array that never started have no record (recorded: outputs, array_cancel_dep).
        let never_started = job.array.is_some() && job.is_pending() && job.restarts == 0;
        !never_started && !recorded
    });
    let mut records: Vec<&Job> = controller.history.iter().chain(live).collect();
    let id = |job: &Job| {
        let (array, task) = job.array.unwrap_or((job.id, None));
        (array, task, job.id)
    };
    records.sort_by_key(|job| (job.submit, id(job)));
    if duplicates {
        return records;
    }
    let mut last: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    for (at, job) in records.iter().enumerate() {
        last.insert(job.id, at);
    }
    records
        .iter()
        .enumerate()
        .filter(|(at, job)| last.get(&job.id) == Some(at))
        .map(|(_, job)| *job)
        .collect()
}

/// `sacct -e`: the names of fields, four in a line.
fn help_format() -> String {
    let mut out = String::new();
    for line in fields::FIELDS.chunks(4) {
        let names: Vec<String> = line.iter().map(|field| format!("{:<19}", field.name)).collect();
        out.push_str(names.join(" ").trim_end());
        out.push('\n');
    }
    out
}
