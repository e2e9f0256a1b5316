//! `squeue`: the jobs that wait and run, and their steps.

mod fields;
mod json;
mod sort;

use super::format::{self, Format};
use super::getopt::{self, Opt, Takes, opt};
use super::{CommandOutput, Session, jobs};
use crate::slurm::controller::Controller;
use crate::slurm::model::{Job, JobBase};
use fields::Row;

const TABLE: &[Opt] = &[
    opt("account", Some('A'), Takes::Value),
    opt("all", Some('a'), Takes::Nothing),
    opt("array", Some('r'), Takes::Nothing),
    opt("array-unique", None, Takes::Nothing),
    opt("cluster", None, Takes::Value),
    opt("clusters", Some('M'), Takes::Value),
    opt("federation", None, Takes::Nothing),
    opt("Format", Some('O'), Takes::Value),
    opt("format", Some('o'), Takes::Value),
    opt("help", None, Takes::Nothing),
    opt("hide", None, Takes::Nothing),
    opt("iterate", Some('i'), Takes::Value),
    opt("jobs", Some('j'), Takes::Optional),
    opt("json", None, Takes::Nothing),
    opt("licenses", Some('L'), Takes::Value),
    opt("local", None, Takes::Nothing),
    opt("long", Some('l'), Takes::Nothing),
    opt("me", None, Takes::Nothing),
    opt("name", Some('n'), Takes::Value),
    opt("noconvert", None, Takes::Nothing),
    opt("node", None, Takes::Value),
    opt("nodelist", Some('w'), Takes::Value),
    opt("nodes", None, Takes::Value),
    opt("noheader", Some('h'), Takes::Nothing),
    opt("partition", Some('p'), Takes::Value),
    opt("priority", Some('P'), Takes::Nothing),
    opt("qos", Some('q'), Takes::Value),
    opt("reservation", Some('R'), Takes::Value),
    opt("sibling", None, Takes::Nothing),
    opt("sort", Some('S'), Takes::Value),
    opt("start", None, Takes::Nothing),
    opt("states", Some('t'), Takes::Value),
    opt("steps", Some('s'), Takes::Optional),
    opt("usage", None, Takes::Nothing),
    opt("user", Some('u'), Takes::Value),
    opt("users", None, Takes::Value),
    opt("verbose", Some('v'), Takes::Nothing),
    opt("version", Some('V'), Takes::Nothing),
    opt("yaml", None, Takes::Nothing),
];

/// Options of the real command that have no meaning here yet.
const NOT_MODELLED: [&str; 6] = ["clusters", "cluster", "iterate", "yaml", "sibling", "help"];

/// What is shown of which jobs.
#[derive(Clone, Debug, Default)]
struct Wish {
    jobs: Option<Vec<(u32, Option<u32>)>>,
    users: Option<Vec<u32>>,
    partitions: Option<Vec<String>>,
    accounts: Option<Vec<String>>,
    names: Option<Vec<String>>,
    qos: Option<Vec<String>>,
    licenses: Option<Vec<String>>,
    reservation: Option<String>,
    nodes: Option<Vec<usize>>,
    /// `None`: the current jobs; empty: all.
    states: Option<Vec<&'static str>>,
    start: bool,
    hidden: bool,
}

impl Wish {
    fn takes(&self, controller: &Controller, job: &Job) -> bool {
        let listed = |list: &Option<Vec<String>>, is: &str| {
            list.as_ref().is_none_or(|list| list.iter().any(|wanted| wanted == is))
        };
        let partitions = jobs::partitions(controller, job);
        let seen = self.hidden || !controller.partitions.get(job.partition).is_some_and(|part| part.hidden);
        let ids = self.jobs.as_ref().is_none_or(|ids| {
            ids.iter().any(|(id, task)| {
                let (array, own) = job.array.unwrap_or((job.id, None));
                let same_task = match task {
                    None => true,
                    Some(task) => {
                        own == Some(*task)
                            || job.pending_tasks.as_ref().is_some_and(|pending| pending.tasks.contains(task))
                    }
                };
                (*id == job.id || *id == array) && same_task
            })
        });
        let states = match &self.states {
            None => jobs::is_current(job),
            Some(states) => states.is_empty() || states.iter().any(|state| jobs::is_in(job.state, state)),
        };
        let licensed = self
            .licenses
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| job.licenses.iter().any(|(other, _)| other == name)));
        seen && ids
            && states
            && licensed
            && self.users.as_ref().is_none_or(|users| users.contains(&job.request.uid))
            && self.partitions.as_ref().is_none_or(|wanted| {
                partitions.split(',').any(|part| wanted.iter().any(|other| other == part))
            })
            && listed(&self.accounts, job.request.account.as_deref().unwrap_or_default())
            && listed(&self.names, &job.request.name)
            && listed(&self.qos, &job.qos)
            && self.reservation.as_ref().is_none_or(|name| job.request.reservation.as_ref() == Some(name))
            && self
                .nodes
                .as_ref()
                .is_none_or(|nodes| !job.is_pending() && nodes.iter().any(|node| job.nodes.has(*node)))
            && (!self.start || job.state.base == JobBase::Pending)
    }
}

/// Runs `squeue` with these arguments (without the name itself).
pub fn squeue(controller: &Controller, session: &Session<'_>, args: &[String]) -> CommandOutput {
    let parsed = match getopt::parse("squeue", TABLE, args, true) {
        Ok(parsed) => parsed,
        Err(message) => {
            return CommandOutput::error(format!("{message}\nTry \"squeue --help\" for more information\n"));
        }
    };
    let value = |name: &str| {
        parsed.options.iter().rev().find(|given| given.name == name).and_then(|given| given.value.clone())
    };
    let flag = |name: &str| parsed.options.iter().any(|given| given.name == name);
    let or_env =
        |name: &str, variable: &str| value(name).or_else(|| session.variable(variable).map(str::to_owned));
    if flag("version") {
        return CommandOutput::text("slurm-wlm 22.05.8\n");
    }
    if let Some(output) = super::no_contact(controller, "slurm_load_jobs error") {
        return output;
    }
    if let Some(name) = NOT_MODELLED
        .iter()
        .find(|name| flag(name) && value(name).as_deref() != Some(controller.params.cluster.as_str()))
    {
        return CommandOutput::error(format!("squeue: not modelled: --{name}\n"));
    }
    // `-j` and `-s` take the word behind them although their value is optional.
    let mut rest = parsed.rest.iter();
    let behind = if flag("jobs") || flag("steps") { rest.next().cloned() } else { None };
    if let Some(word) = rest.next() {
        return CommandOutput::error(format!("squeue: error: Unrecognized option: {word}\n"));
    }
    let mut output = CommandOutput::default();
    let mut wish = Wish {
        partitions: or_env("partition", "SQUEUE_PARTITION").map(|list| format::words(&list)),
        accounts: or_env("account", "SQUEUE_ACCOUNT").map(|list| format::words(&list)),
        names: or_env("name", "SQUEUE_NAMES").map(|list| format::words(&list)),
        qos: or_env("qos", "SQUEUE_QOS").map(|list| format::words(&list)),
        licenses: or_env("licenses", "SQUEUE_LICENSES").map(|list| format::words(&list)),
        reservation: value("reservation"),
        start: flag("start"),
        hidden: flag("all") || session.variable("SQUEUE_ALL").is_some(),
        ..Wish::default()
    };
    if let Some(list) = or_env("states", "SQUEUE_STATES") {
        match states(&list) {
            Ok(states) => wish.states = Some(states),
            Err(message) => return CommandOutput::error(message),
        }
    }
    if flag("me") {
        wish.users = Some(vec![session.uid]);
    } else if let Some(list) = value("user").or_else(|| or_env("users", "SQUEUE_USERS")) {
        let mut users = Vec::new();
        for name in format::words(&list) {
            match controller.users.by_name(&name).map(|user| user.uid).or_else(|| name.parse().ok()) {
                Some(uid) => users.push(uid),
                // Recorded: the message, then the titles, exit code 0.
                None => output.stderr.push_str(&format!("squeue: error: Invalid user: {name}\n\n")),
            }
        }
        wish.users = Some(users);
    }
    if let Some(list) = value("nodelist").or_else(|| value("nodes")).or_else(|| value("node")) {
        let mut nodes = Vec::new();
        for name in crate::slurm::hostlist::expand(&list).unwrap_or_default() {
            match controller.node(&name) {
                Some(node) => nodes.push(node),
                None => return CommandOutput::error(format!("squeue: error: Invalid node name {name}\n")),
            }
        }
        wish.nodes = Some(nodes);
    }
    let ids = value("jobs").or_else(|| value("steps")).or(behind);
    if let Some(list) = &ids {
        match job_ids(list) {
            Ok(ids) => {
                // One job is asked of the controller by its id; of several those that there are.
                if let [(id, _)] = ids.as_slice()
                    && controller.records(*id).is_empty()
                {
                    return CommandOutput::error("slurm_load_jobs error: Invalid job id specified\n");
                }
                wish.jobs = Some(ids);
            }
            Err(word) => return CommandOutput::error(format!("squeue: error: Invalid job id: {word}\n")),
        }
    }
    if flag("json") {
        // Every job of the controller, in its order, whatever else is asked for.
        return CommandOutput::text(json::text_of(controller, &jobs::listed(controller)));
    }
    let steps = flag("steps");
    let view = View {
        steps,
        array: flag("array") || session.variable("SQUEUE_ARRAY").is_some(),
        by_partition: flag("priority") || session.variable("SQUEUE_PRIORITY").is_some(),
    };
    let (long, start) = (flag("long"), flag("start"));
    let format = chosen_format(session, &value, steps, long, start);
    let mut rows = rows(controller, &wish, view);
    let default_sort = if start {
        "S"
    } else if steps {
        "P,i"
    } else {
        "P,t,-p"
    };
    sort::sort(
        controller,
        &mut rows,
        &or_env("sort", "SQUEUE_SORT").unwrap_or_else(|| default_sort.to_owned()),
    );
    if long {
        output.stdout.push_str(&format::date_line(controller.time()));
        output.stdout.push('\n');
    }
    print(controller, format, &rows, steps, !flag("noheader"), &mut output);
    output
}

#[derive(Clone, Copy, Debug)]
struct View {
    steps: bool,
    array: bool,
    by_partition: bool,
}

fn chosen_format(
    session: &Session<'_>,
    value: &dyn Fn(&str) -> Option<String>,
    steps: bool,
    long: bool,
    start: bool,
) -> Format {
    if let Some(names) = value("Format") {
        return Format::names(&names);
    }
    if let Some(text) = value("format") {
        return if text == "%all" { Format::letters(&fields::all()) } else { Format::letters(&text) };
    }
    if steps {
        return Format::letters("%.15i %.8j %.9P %.8u %.9M %N");
    }
    if start {
        return Format::letters("%.18i %.9P %.8j %.8u %.2t %.19S %.6D %20Y %R");
    }
    if long {
        return Format::letters("%.18i %.9P %.8j %.8u %.8T %.10M %.9l %.6D %R");
    }
    if let Some(text) = session.variable("SQUEUE_FORMAT") {
        return Format::letters(text);
    }
    if let Some(names) = session.variable("SQUEUE_FORMAT2") {
        return Format::names(names);
    }
    Format::letters("%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R")
}

fn rows<'a>(controller: &'a Controller, wish: &Wish, view: View) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    for (position, job) in
        jobs::listed(controller).into_iter().enumerate().filter(|(_, job)| wish.takes(controller, job))
    {
        let row = Row { job, task: None, partition: None, step: None, position };
        if view.steps {
            let live = job.steps.iter().filter(|step| step.end == 0 && !job.state.is_finished());
            rows.extend(live.map(|step| Row { step: Some(step), ..row }));
        } else if let (true, Some(pending)) = (view.array, &job.pending_tasks) {
            rows.extend(pending.tasks.iter().map(|task| Row { task: Some(*task), ..row }));
        } else if view.by_partition && job.is_pending() && job.partitions.len() > 1 {
            rows.extend(job.partitions.iter().map(|part| Row { partition: Some(*part), ..row }));
        } else {
            rows.push(row);
        }
    }
    rows
}

fn print(
    controller: &Controller,
    mut format: Format,
    rows: &[Row<'_>],
    steps: bool,
    header: bool,
    output: &mut CommandOutput,
) {
    let mut names = Vec::new();
    format.columns.retain_mut(|column| match fields::known(&column.key, steps) {
        Some(known) => {
            // Clocks are never cut (recorded in outputs: `1-02:04:00` in nine characters).
            column.whole = matches!(known.0, "timelimit" | "timeleft" | "timeused");
            names.push(known);
            true
        }
        None => {
            let what = if steps { "step" } else { "job" };
            output
                .stderr
                .push_str(&format!("squeue: error: Invalid {what} format specification: {}\n", column.key));
            false
        }
    });
    let mut lines = Vec::new();
    if header {
        // Titles are cut where clocks are not.
        let title = |(at, (_, title)): (usize, &(&str, &str))| match format
            .columns
            .get(at)
            .map(|column| column.width)
        {
            Some(format::Width::Fixed(width)) => title.chars().take(width).collect(),
            _ => (*title).to_owned(),
        };
        lines.push(names.iter().enumerate().map(title).collect());
    }
    for row in rows {
        let cell = |name: &str| match row.step {
            Some(step) => fields::step_value(controller, row, step, name),
            None => fields::value(controller, row, name),
        };
        lines.push(names.iter().map(|(name, _)| cell(name)).collect());
    }
    output.stdout.push_str(&format.lines(&lines));
}

fn states(list: &str) -> Result<Vec<&'static str>, String> {
    if list.eq_ignore_ascii_case("all") {
        return Ok(Vec::new());
    }
    format::words(list)
        .iter()
        .map(|word| {
            jobs::state_named(word).ok_or_else(|| {
                let valid: Vec<&str> = jobs::STATES.iter().map(|(name, _)| *name).collect();
                format!("squeue: error: Invalid job state specified: {word}\nsqueue: error: Valid job states include: {}\n\n", valid.join(","))
            })
        })
        .collect()
}

/// `7,8_3,9.0`: ids with tasks; a step stands for its job.
fn job_ids(list: &str) -> Result<Vec<(u32, Option<u32>)>, String> {
    format::words(list)
        .into_iter()
        .map(|word| {
            let body = word.split('.').next().unwrap_or_default();
            let (job, task) = body.split_once('_').map_or((body, None), |(job, task)| (job, Some(task)));
            let job = job.parse::<u32>().ok().filter(|id| *id > 0);
            match (job, task.map(str::parse::<u32>)) {
                (Some(job), None) => Ok((job, None)),
                (Some(job), Some(Ok(task))) => Ok((job, Some(task))),
                _ => Err(word.clone()),
            }
        })
        .collect()
}
