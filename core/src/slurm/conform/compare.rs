//! What differs between a recording and its replay.

use super::{Outcome, Recording, TOLERANCE};
use crate::slurm::commands::tres_text;
use crate::slurm::model::Job;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which field of what.
    pub field: String,
    /// What was recorded.
    pub recorded: String,
    /// What came here.
    pub found: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: recorded {:?}, here {:?}", self.field, self.recorded, self.found)
    }
}

/// Everything that differs.
pub fn compare(recording: &Recording, outcome: &Outcome) -> Vec<Difference> {
    let mut found = Vec::new();
    for ((line, code, stdout, stderr), answer) in recording.acct_setup.iter().zip(&outcome.setup) {
        differ(&mut found, format!("{line}, exit code"), &code.to_string(), &answer.code.to_string());
        // slurmdbd was waited for: the recording's host was busy.
        let stdout = stdout.replace(" Database is busy or waiting for lock from other user.\n", "");
        differ(&mut found, format!("{line}, stdout"), &stdout, &answer.stdout);
        differ(&mut found, format!("{line}, stderr"), stderr, &answer.stderr);
    }
    submits(recording, outcome, &mut found);
    timeline(recording, outcome, &mut found);
    records(recording, outcome, &mut found);
    super::shows::shows(recording, outcome, &mut found);
    super::commands::commands(recording, &outcome.shows, &mut found);
    found
}

/// Adds a difference if there is one.
pub(super) fn differ(found: &mut Vec<Difference>, field: String, recorded: &str, here: &str) {
    if recorded != here {
        found.push(Difference { field, recorded: recorded.to_owned(), found: here.to_owned() });
    }
}

fn submits(recording: &Recording, outcome: &Outcome, found: &mut Vec<Difference>) {
    for (name, submit) in &recording.submits {
        let Some(answer) = outcome.submits.get(name) else { continue };
        differ(found, format!("submit {name}, exit code"), &submit.rc.to_string(), &answer.code.to_string());
        differ(found, format!("submit {name}, stdout"), &submit.out, &answer.stdout);
        differ(found, format!("submit {name}, stderr"), &submit.err, &answer.stderr);
    }
}

/// A state as it was seen: when, what, and whether it may be missing on the other side.
#[derive(Clone, Debug)]
struct Seen {
    at: f64,
    what: String,
    state: String,
    passing: bool,
}

/// States in order, equal neighbours joined. The recorder polled once a second, so that what passes within the
/// tolerance may be missing on either side; COMPLETING is such a passing state. A waiting job's reason is brought up to
/// date by passes of the scheduler that are up to 4 s apart, and whose phase is not recorded.
fn seen<'a>(changes: impl Iterator<Item = (f64, &'a str, &'a str, &'a str)>) -> Vec<Seen> {
    let mut all: Vec<Seen> = Vec::new();
    for (at, state, reason, nodes) in changes {
        let what = format!("{state} {reason} {nodes}");
        if all.last().is_none_or(|last| last.what != what) {
            all.push(Seen { at, what, state: state.to_owned(), passing: false });
        }
    }
    for index in 0..all.len().saturating_sub(1) {
        let short = if all[index].state == "PD" { 5.1 } else { TOLERANCE as f64 + 0.1 };
        all[index].passing = all[index].state == "CG" || all[index + 1].at - all[index].at <= short;
    }
    all
}

/// Whether two histories are the same but for passing states.
fn agree(recorded: &[Seen], mine: &[Seen]) -> bool {
    let (mut at, mut here) = (0, 0);
    while at < recorded.len() || here < mine.len() {
        match (recorded.get(at), mine.get(here)) {
            (Some(recorded), Some(mine)) if recorded.what == mine.what => {
                at += 1;
                here += 1;
            }
            (_, Some(mine)) if mine.passing => here += 1,
            (Some(recorded), _) if recorded.passing => at += 1,
            _ => return false,
        }
    }
    true
}

fn timeline(recording: &Recording, outcome: &Outcome, found: &mut Vec<Difference>) {
    for (name, changes) in &recording.timeline {
        let id = display_id(recording, name);
        let Some(here) = outcome.timeline.get(&id) else {
            found.push(Difference {
                field: format!("timeline {name}"),
                recorded: "a job".into(),
                found: "none".into(),
            });
            continue;
        };
        let places: Vec<String> = changes.iter().map(|change| place(recording, name, &change.3)).collect();
        let places_here: Vec<String> =
            here.iter().map(|change| place(recording, name, &change.nodes)).collect();
        let recorded = seen(
            changes
                .iter()
                .zip(&places)
                .map(|(change, nodes)| (change.0, change.1.as_str(), change.2.as_str(), nodes.as_str())),
        );
        let mine = seen(here.iter().zip(&places_here).map(|(change, nodes)| {
            (change.at, change.state.as_str(), change.reason.as_str(), nodes.as_str())
        }));
        if !agree(&recorded, &mine) {
            differ(found, format!("timeline {name}"), &full(&recorded), &full(&mine));
            continue;
        }
        let last = changes.last().map(|change| change.4).unwrap_or_default();
        let mine = here.last().map(|change| change.priority).unwrap_or_default();
        differ(found, format!("timeline {name}, priority"), &last.to_string(), &mine.to_string());
    }
}

fn full(changes: &[Seen]) -> String {
    changes.iter().map(|seen| format!("{:.1} {}", seen.at, seen.what)).collect::<Vec<_>>().join("; ")
}

/// Whether a job was made by a command that the recording shows, not by one of its submissions.
fn is_command(recording: &Recording, name: &str) -> bool {
    !recording
        .submits
        .iter()
        .any(|(other, _)| other == name || name.rsplit_once('_').is_some_and(|(head, _)| other == head))
}

/// Where a job ran; of one that a command made only on how many nodes, since which are still being cleaned up after the
/// command before depends on the recorded clock.
fn place(recording: &Recording, name: &str, nodes: &str) -> String {
    if !is_command(recording, name) || nodes.is_empty() {
        return nodes.to_owned();
    }
    format!("{} nodes", crate::slurm::hostlist::expand(nodes).map_or(0, |names| names.len()))
}

/// The id of a job by its name in the recording: `name`, `name_TASK`, or the id itself.
pub(super) fn display_id(recording: &Recording, name: &str) -> String {
    let id_of = |name: &str| {
        recording.submits.iter().find(|(other, _)| other == name).and_then(|(_, submit)| submit.jobid)
    };
    if let Some(id) = id_of(name) {
        return id.to_string();
    }
    if let Some((head, task)) = name.rsplit_once('_')
        && let Some(id) = id_of(head)
    {
        return format!("{id}_{task}");
    }
    name.to_owned()
}

fn records(recording: &Recording, outcome: &Outcome, found: &mut Vec<Difference>) {
    let controller = &outcome.cluster.controller;
    for (name, records) in &recording.jobs {
        let id = display_id(recording, name);
        let mut mine: Vec<&Job> = controller
            .history
            .iter()
            .filter(|job| job.display_id() == id || job.id.to_string() == id)
            .collect();
        if let Some(live) = controller
            .jobs
            .iter()
            .find(|job| (job.display_id() == id || job.id.to_string() == id) && !job.state.is_finished())
        {
            // The record of a job that was requeued is sent when it becomes eligible again.
            if live.restarts == 0 || live.begin <= controller.time() {
                mine.push(live);
            }
        }
        differ(
            found,
            format!("accounting {name}, records"),
            &records.len().to_string(),
            &mine.len().to_string(),
        );
        for (record, job) in records.iter().zip(mine) {
            let at = |what: &str| format!("accounting {name}, {what}");
            let state = accounting_state(job);
            let recorded = if record.state.starts_with("CANCELLED") { "CANCELLED" } else { &record.state };
            differ(found, at("state"), recorded, state);
            differ(found, at("exit"), &record.exit, &format!("{}:{}", job.exit.0, job.exit.1));
            let nodes =
                if job.nodes.is_empty() { "None assigned".into() } else { controller.names_of(&job.nodes) };
            differ(
                found,
                at("nodes"),
                &place(recording, name, &record.nodes),
                &place(recording, name, &nodes),
            );
            differ(found, at("partition"), &record.partition, &controller.partitions[job.partition].name);
            differ(found, at("qos"), &record.qos, &job.qos);
            differ(found, at("account"), &record.account, job.request.account.as_deref().unwrap_or_default());
            if let Some(tres) = job.alloc_tres.as_ref().filter(|_| !record.alloc_tres.is_empty()) {
                let mut parts: Vec<String> =
                    tres_text(controller, tres, true, true).split(',').map(str::to_owned).collect();
                parts.sort();
                differ(found, at("TRES"), &record.alloc_tres, &parts.join(","));
            }
            for (what, recorded, here) in [
                ("submit", record.submit, job.submit),
                ("start", record.start, job.start),
                ("end", record.end, job.end),
            ] {
                let here = (here != 0).then(|| here - outcome.zero);
                // How long a command takes that does little is the recorded host's.
                let tolerance = if is_command(recording, name) { 2 * TOLERANCE } else { TOLERANCE };
                let close = match (recorded, here) {
                    (Some(recorded), Some(here)) => (recorded - here).abs() <= tolerance,
                    (None, _) => true,
                    (Some(_), None) => false,
                };
                if !close {
                    found.push(Difference {
                        field: at(what),
                        recorded: format!("{recorded:?}"),
                        found: format!("{here:?}"),
                    });
                }
            }
        }
    }
}

fn accounting_state(job: &Job) -> &'static str {
    use crate::slurm::model::JobFlags;
    if job.state.flags.has(JobFlags::REQUEUE) || job.state.flags.has(JobFlags::REQUEUE_HOLD) {
        return match job.state.base {
            crate::slurm::model::JobBase::Preempted => "PREEMPTED",
            crate::slurm::model::JobBase::NodeFail => "NODE_FAIL",
            _ => "REQUEUED",
        };
    }
    job.state.base.name()
}
