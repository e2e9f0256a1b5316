//! `sprio`: what the priorities of waiting jobs are made of.

use super::format::{self, Format};
use super::getopt::{self, Opt, Takes, opt};
use super::{CommandOutput, Session, jobs};
use crate::slurm::controller::{Controller, MultifactorParams};
use crate::slurm::model::{Job, PartIdx, Reason};

const TABLE: &[Opt] = &[
    opt("cluster", None, Takes::Value),
    opt("clusters", Some('M'), Takes::Value),
    opt("federation", None, Takes::Nothing),
    opt("format", Some('o'), Takes::Value),
    opt("help", None, Takes::Nothing),
    opt("jobs", Some('j'), Takes::Optional),
    opt("local", None, Takes::Nothing),
    opt("long", Some('l'), Takes::Nothing),
    opt("noheader", Some('h'), Takes::Nothing),
    opt("norm", Some('n'), Takes::Nothing),
    opt("partition", Some('p'), Takes::Value),
    opt("sibling", None, Takes::Nothing),
    opt("sort", Some('S'), Takes::Value),
    opt("user", Some('u'), Takes::Value),
    opt("users", None, Takes::Value),
    opt("usage", None, Takes::Nothing),
    opt("verbose", Some('v'), Takes::Nothing),
    opt("version", Some('V'), Takes::Nothing),
    opt("weights", Some('w'), Takes::Nothing),
];

/// Letter and title; small letters are factors between 0 and 1, capitals are weighed.
const COLUMNS: [(char, &str); 24] = [
    ('a', "AGE"),
    ('A', "AGE"),
    ('b', "ASSOC"),
    ('B', "ASSOC"),
    ('c', "CLUSTER"),
    ('f', "FAIRSHARE"),
    ('F', "FAIRSHARE"),
    ('i', "JOBID"),
    ('j', "JOBSIZE"),
    ('J', "JOBSIZE"),
    ('n', "QOS"),
    ('N', "NICE"),
    ('o', "ACCOUNT"),
    ('p', "PARTITION"),
    ('P', "PARTITION"),
    ('q', "QOS"),
    ('Q', "QOS"),
    ('r', "PARTITION"),
    ('S', "SITE"),
    ('t', "TRES"),
    ('T', "TRES"),
    ('u', "USER"),
    ('y', "PRIORITY"),
    ('Y', "PRIORITY"),
];

/// A job in one of its partitions.
#[derive(Clone, Copy, Debug)]
struct Row<'a> {
    job: &'a Job,
    partition: PartIdx,
    priority: u32,
}

/// Runs `sprio` with these arguments (without the name itself).
pub fn sprio(controller: &Controller, _session: &Session<'_>, args: &[String]) -> CommandOutput {
    let parsed = match getopt::parse("sprio", TABLE, args, true) {
        Ok(parsed) => parsed,
        Err(message) => {
            return CommandOutput::error(format!("{message}\nTry \"sprio --help\" for more information\n"));
        }
    };
    let value = |name: &str| {
        parsed.options.iter().rev().find(|given| given.name == name).and_then(|given| given.value.clone())
    };
    let flag = |name: &str| parsed.options.iter().any(|given| given.name == name);
    if flag("version") {
        return CommandOutput::text("slurm-wlm 22.05.8\n");
    }
    if let Some(output) = super::no_contact(controller, "Couldn't get priority factors from controller") {
        return output;
    }
    if let Some(name) = ["clusters", "cluster", "sibling", "help", "sort"].iter().find(|name| flag(name)) {
        return CommandOutput::error(format!("sprio: not modelled: --{name}\n"));
    }
    let Some(params) = &controller.params.multifactor else {
        return CommandOutput::error(
            "You are not running a supported priority plugin\n(priority/basic).\nOnly 'priority/multifactor' is supported.\n",
        );
    };
    let mut rest = parsed.rest.iter();
    let ids = value("jobs")
        .or_else(|| if flag("jobs") { rest.next().cloned() } else { None })
        .map(|list| format::words(&list));
    let users = value("user").or_else(|| value("users")).map(|list| format::words(&list));
    let partitions = value("partition").map(|list| format::words(&list));
    let rows: Vec<Row<'_>> = jobs::listed(controller)
        .into_iter()
        .filter(|job| counts(controller, job))
        .filter(|job| {
            ids.as_ref().is_none_or(|ids| {
                ids.iter().any(|id| {
                    *id == job.id.to_string() || job.array.is_some_and(|(array, _)| *id == array.to_string())
                })
            })
        })
        .filter(|job| {
            users.as_ref().is_none_or(|users| {
                users.iter().any(|user| *user == job.user || *user == job.request.uid.to_string())
            })
        })
        .flat_map(|job| {
            job.partitions.iter().enumerate().map(move |(at, partition)| Row {
                job,
                partition: *partition,
                priority: job.part_priorities.get(at).copied().unwrap_or(job.priority),
            })
        })
        .filter(|row| {
            partitions.as_ref().is_none_or(|names| {
                names.iter().any(|name| {
                    controller.partitions.get(row.partition).is_some_and(|part| part.name == *name)
                })
            })
        })
        .collect();
    let weights = flag("weights");
    // Recorded: sprio -j 99999.
    if rows.is_empty() && !weights && (ids.is_some() || users.is_some()) {
        return CommandOutput::text("Unable to find jobs matching user/id(s) specified\n");
    }
    let format = match value("format") {
        Some(text) => Format::letters(&text),
        None => Format::letters(&default_format(params, flag("long"), flag("norm"))),
    };
    let mut output = CommandOutput::default();
    let mut format = format;
    format.columns.retain(|column| {
        let known = COLUMNS.iter().any(|(letter, _)| column.key == letter.to_string());
        if !known {
            output
                .stderr
                .push_str(&format!("sprio: error: Invalid job format specification: {}\n", column.key));
        }
        known
    });
    let letters: Vec<char> = format.columns.iter().filter_map(|column| column.key.chars().next()).collect();
    let mut lines: Vec<Vec<String>> = Vec::new();
    if !flag("noheader") {
        let title = |letter: &char| {
            COLUMNS.iter().find(|(other, _)| other == letter).map_or("", |(_, title)| title).to_owned()
        };
        lines.push(letters.iter().map(title).collect());
    }
    if weights {
        lines.push(letters.iter().map(|letter| weight(params, *letter)).collect());
    } else {
        let mut rows = rows;
        rows.sort_by_key(|row| row.job.id);
        lines.extend(
            rows.iter()
                .map(|row| letters.iter().map(|letter| cell(controller, params, row, *letter)).collect()),
        );
    }
    output.stdout = format.lines(&lines);
    output
}

/// Whether a job's priority counts now: not held, and eligible as far as the scheduler looked at it (recorded: jobs whose
/// begin is ahead and the rest of an array at its task limit are not listed).
fn counts(controller: &Controller, job: &Job) -> bool {
    let waits =
        [Reason::DEPENDENCY, Reason::DEPENDENCY_NEVER, Reason::ARRAY_TASK_LIMIT].contains(&job.reason);
    job.is_pending() && job.priority != 0 && job.begin <= controller.time() && !waits
}

/// Factors without a weight are left out unless the long display is asked for.
fn default_format(params: &MultifactorParams, long: bool, norm: bool) -> String {
    let weighted = [
        (params.weight_age != 0, "%.10A", "%10a"),
        (params.weight_assoc != 0, "%.10B", "%10b"),
        (params.weight_fairshare != 0, "%.10F", "%10f"),
        (params.weight_job_size != 0, "%.10J", "%10j"),
        (params.weight_partition != 0, "%.10P", "%10p"),
        (params.weight_qos != 0, "%.10Q", "%10q"),
    ];
    let mut parts = vec!["%.15i", "%9r"];
    if long {
        parts.push("%.8u");
    }
    parts.push(if norm { "%10y" } else { "%.10Y" });
    if !norm {
        parts.push("%.10S");
    }
    parts.extend(
        weighted
            .iter()
            .filter(|(on, ..)| *on || long)
            .map(|(_, weighed, plain)| if norm { *plain } else { *weighed }),
    );
    if long && !norm {
        parts.push("%.11N");
    }
    if long || !params.weight_tres.is_empty() {
        parts.push(if norm { "%20t" } else { "%.20T" });
    }
    parts.join(" ")
}

fn weight(params: &MultifactorParams, letter: char) -> String {
    match letter {
        'i' => "Weights".into(),
        'A' | 'a' => params.weight_age.to_string(),
        'B' | 'b' => params.weight_assoc.to_string(),
        'F' | 'f' => params.weight_fairshare.to_string(),
        'J' | 'j' => params.weight_job_size.to_string(),
        'P' | 'p' => params.weight_partition.to_string(),
        'Q' | 'q' => params.weight_qos.to_string(),
        'S' => "1".into(),
        'T' | 't' => params
            .weight_tres
            .iter()
            .map(|(name, weight)| format!("{name}={weight:.0}"))
            .collect::<Vec<_>>()
            .join(","),
        _ => String::new(),
    }
}

fn cell(controller: &Controller, params: &MultifactorParams, row: &Row<'_>, letter: char) -> String {
    let job = row.job;
    let factors = &job.factors;
    // A priority that was set by hand has no factors.
    let own = |value: f64| if job.direct_priority { 0.0 } else { value };
    let weighed = |weight: u32, factor: f64| format!("{:.0}", own(f64::from(weight) * factor));
    let plain = |factor: f64| format!("{:.7}", own(factor));
    let partition = || partition_factor(controller, params, row);
    match letter {
        'i' => job.id.to_string(),
        'r' => controller.partitions.get(row.partition).map_or_else(String::new, |part| part.name.clone()),
        'u' => job.user.clone(),
        'o' => job.request.account.clone().unwrap_or_default(),
        'c' => controller.params.cluster.clone(),
        'Y' => row.priority.to_string(),
        'y' => format!("{:.14}", f64::from(row.priority) / f64::from(u32::MAX)),
        'S' => format!("{:.0}", own(factors.site as f64)),
        'N' => if job.direct_priority { 0 } else { job.request.nice }.to_string(),
        'A' => weighed(params.weight_age, factors.age),
        'a' => plain(factors.age),
        'B' => weighed(params.weight_assoc, factors.assoc),
        'b' => plain(factors.assoc),
        'F' => weighed(params.weight_fairshare, factors.fairshare),
        'f' => plain(factors.fairshare),
        'J' => weighed(params.weight_job_size, factors.job_size),
        'j' => plain(factors.job_size),
        'P' => weighed(params.weight_partition, partition()),
        'p' => plain(partition()),
        'Q' => weighed(params.weight_qos, factors.qos),
        'q' | 'n' => plain(factors.qos),
        'T' | 't' if job.direct_priority => String::new(),
        'T' | 't' => tres(controller, params, row, letter == 't'),
        _ => String::new(),
    }
}

/// The partition's part: its PriorityJobFactor, as a part of the largest.
fn partition_factor(controller: &Controller, params: &MultifactorParams, row: &Row<'_>) -> f64 {
    if row.job.partitions.first() == Some(&row.partition) {
        return row.job.factors.partition;
    }
    let of = |part: &crate::slurm::model::Partition| f64::from(part.job_factor);
    let own = controller.partitions.get(row.partition).map_or(0.0, of);
    let most = controller.partitions.iter().map(of).fold(0.0, f64::max);
    if params.no_normal_part || most == 0.0 { own } else { own / most }
}

/// `cpu=96,mem=169`, or as parts `cpu=0.08,mem=0.04`; what is nothing is left out.
fn tres(controller: &Controller, params: &MultifactorParams, row: &Row<'_>, plain: bool) -> String {
    let weighed = controller.tres_factors(row.job, row.partition, params);
    let shown = weighed.iter().filter(|(_, value)| *value > 0.0).map(|(name, value)| {
        let weight =
            params.weight_tres.iter().find(|(other, _)| other == name).map_or(1.0, |(_, weight)| *weight);
        if plain { format!("{name}={:.2}", value / weight) } else { format!("{name}={value:.0}") }
    });
    shown.collect::<Vec<_>>().join(",")
}
