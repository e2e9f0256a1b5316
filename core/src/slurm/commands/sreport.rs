//! `sreport`: usage of the cluster and of users over a span of time.
//!
//! The real command reads hourly sums that slurmdbd makes once an hour; here the sums are worked out from the records.
//! Not recorded: the layout is that of sreport(1)'s examples.

use super::format::{self, Field, Parsable, TableStyle, field};
use super::{CommandOutput, Session, times};
use crate::slurm::Time;
use crate::slurm::controller::Controller;
use crate::slurm::model::Job;
use crate::slurm::units::stamp;

/// Runs `sreport` with these arguments (without the name itself).
pub fn sreport(controller: &Controller, _session: &Session<'_>, args: &[String]) -> CommandOutput {
    let now = controller.time();
    let day = now - now.rem_euclid(86_400);
    // Without a span: yesterday.
    let (mut start, mut end) = (day - 86_400, day - 1);
    let (mut words, mut style, mut top) = (Vec::new(), TableStyle::default(), 10_usize);
    for arg in args {
        let lower = arg.to_ascii_lowercase();
        match lower.as_str() {
            "-n" | "--noheader" => style.no_header = true,
            "-p" | "--parsable" => style.parsable = Some(Parsable { ending: true, delimiter: '|' }),
            "-P" | "--parsable2" => style.parsable = Some(Parsable { ending: false, delimiter: '|' }),
            _ if arg.starts_with('-') => {
                return CommandOutput::error(format!("sreport: not modelled: {arg}\n"));
            }
            _ => match lower.split_once('=') {
                Some(("start", text)) => match times::parse(text, now) {
                    Ok(time) => start = time,
                    Err(at) => {
                        return CommandOutput::error(format!(
                            "Invalid time specification (pos={at}): {text}\n"
                        ));
                    }
                },
                Some(("end", text)) => match times::parse(text, now) {
                    Ok(time) => end = time,
                    Err(at) => {
                        return CommandOutput::error(format!(
                            "Invalid time specification (pos={at}): {text}\n"
                        ));
                    }
                },
                Some(("topcount", text)) => top = text.parse().unwrap_or(10),
                Some(_) => return CommandOutput::error(format!("sreport: not modelled: {arg}\n")),
                None => words.push(lower),
            },
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["cluster", "utilization"] => utilization(controller, start, end.min(now), style),
        ["user", "topusage" | "top"] => top_users(controller, start, end.min(now), top, style),
        [] => CommandOutput::error("sreport: not modelled: the interactive mode\n"),
        _ => CommandOutput::error(format!("sreport: not modelled: {}\n", words.join(" "))),
    }
}

fn title(name: &str, start: Time, end: Time) -> String {
    let line = "-".repeat(80);
    let seconds = end - start + 1;
    format!(
        "{line}\n{name} {} - {} ({seconds} secs)\nUsage reported in CPU Minutes\n{line}\n",
        stamp(start),
        stamp(end)
    )
}

/// CPU-seconds of a record within the span.
fn cpu_seconds(job: &Job, start: Time, end: Time, now: Time) -> i64 {
    if job.start == 0 || job.is_pending() {
        return 0;
    }
    let until = if job.state.is_finished() { job.end } else { now };
    let seconds = (until.min(end) - job.start.max(start)).max(0);
    let cpus = job.alloc_tres.as_ref().map_or(0, |tres| i64::try_from(tres.cpus).unwrap_or(0));
    seconds.saturating_mul(cpus)
}

fn all_records(controller: &Controller) -> impl Iterator<Item = &Job> {
    let live = controller
        .jobs
        .iter()
        .filter(|job| !controller.history.iter().any(|other| other.id == job.id && other.run == job.run));
    controller.history.iter().chain(live)
}

fn utilization(controller: &Controller, start: Time, end: Time, style: TableStyle) -> CommandOutput {
    const FIELDS: [Field; 7] = [
        field("Cluster", 9),
        field("Allocated", 8),
        field("Down", 8),
        field("PLND Down", 8),
        field("Idle", 8),
        field("Planned", 8),
        field("Reported", 8),
    ];
    let cpus: i64 = controller.nodes.iter().map(|node| i64::from(node.cpus)).sum();
    let reported = cpus * (end - start.max(controller.boot)).max(0);
    let used: i64 = all_records(controller).map(|job| cpu_seconds(job, start, end, controller.time())).sum();
    let minutes = |seconds: i64| (seconds / 60).to_string();
    let row = vec![
        controller.params.cluster.clone(),
        minutes(used),
        minutes(0),
        minutes(0),
        minutes((reported - used).max(0)),
        minutes(0),
        minutes(reported),
    ];
    let head = if style.no_header || style.parsable.is_some() {
        String::new()
    } else {
        title("Cluster Utilization", start, end)
    };
    CommandOutput::text(head + &format::table(&FIELDS, &[row], style))
}

fn top_users(
    controller: &Controller,
    start: Time,
    end: Time,
    top: usize,
    style: TableStyle,
) -> CommandOutput {
    const FIELDS: [Field; 6] = [
        field("Cluster", 9),
        field("Login", 9),
        field("Proper Name", 15),
        field("Account", 15),
        field("Used", 8),
        field("Energy", 8),
    ];
    let mut used: std::collections::BTreeMap<(String, String), i64> = std::collections::BTreeMap::new();
    for job in all_records(controller) {
        let seconds = cpu_seconds(job, start, end, controller.time());
        if seconds > 0 {
            *used.entry((job.user.clone(), job.request.account.clone().unwrap_or_default())).or_default() +=
                seconds;
        }
    }
    let mut rows: Vec<_> = used.into_iter().collect();
    rows.sort_by_key(|(user, seconds)| (std::cmp::Reverse(*seconds), user.clone()));
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .take(top)
        .map(|((user, account), seconds)| {
            vec![
                controller.params.cluster.clone(),
                user.clone(),
                user,
                account,
                (seconds / 60).to_string(),
                "0".into(),
            ]
        })
        .collect();
    let head = if style.no_header || style.parsable.is_some() {
        String::new()
    } else {
        title(&format!("Top {top} Users"), start, end)
    };
    CommandOutput::text(head + &format::table(&FIELDS, &rows, style))
}
