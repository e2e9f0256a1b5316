//! Compares the texts of commands with those recorded.
//!
//! A text is compared line by line and word by word. The recorder's clock shows in three kinds of words: clocks
//! (`0:05`, `14:32:45`, `1-00:01:00`), stamps (`2026-11-23T14:44:03`) and seconds since 1970 in brackets; those may be
//! off by [`TOLERANCE`]. Everything else must be the same, the width of each line too. Where a display differs because
//! something changed at its moment, it must be what the same display would have been within the tolerance: job by job
//! where it has jobs, else as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Difference, differ};
use super::recording::Show;
use super::{Answer, Outcome, Recording, TOLERANCE};

/// Commands that show and change nothing.
pub(super) fn is_display(argv: &[String]) -> bool {
    let displays = ["squeue", "sinfo", "sprio", "sshare", "sdiag", "sacct", "sreport"];
    match argv.first().map(String::as_str) {
        Some("scontrol") => argv.iter().any(|word| word == "show"),
        Some(name) => displays.contains(&name),
        None => false,
    }
}

/// What [`LEFT_OUT`](super::LEFT_OUT) names.
fn is_left_out(argv: &[String]) -> bool {
    let compared = [
        "squeue", "sinfo", "sprio", "sshare", "sdiag", "sacct", "sacctmgr", "sreport", "sbatch", "scancel",
        "scontrol",
    ];
    let Some(command) = argv.first().filter(|name| compared.contains(&name.as_str())) else { return true };
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    if words.contains(&"-W") {
        // Compared with the commands that take their time.
        return true;
    }
    command == "scontrol"
        && (matches!(words.last(), Some(&("config" | "assoc_mgr" | "flags=assoc" | "flags=qos")))
            || words.iter().any(|word| matches!(*word, "node" | "nodes")))
}

/// Adds what differs in each command's answer.
pub(super) fn shows(recording: &Recording, outcome: &Outcome, found: &mut Vec<Difference>) {
    for (place, show) in recording.shows.iter().enumerate().filter(|(_, show)| !is_left_out(&show.cmd)) {
        let name = format!("show {:.2} {}", show.t, show.cmd.join(" "));
        let Some(here) = outcome.shows.get(place) else {
            differ(found, name, "a text", "none");
            continue;
        };
        let nearby = outcome.nearby.get(&place).map(Vec::as_slice).unwrap_or_default();
        differ(found, format!("{name}, exit code"), &show.rc.to_string(), &here.code.to_string());
        if !same_output(show, here, nearby) {
            differ(found, format!("{name}, stdout"), &show.out, &here.stdout);
        }
        // The recorder kept one line end more of some.
        if !same_text(&show.cmd, show.err.trim_end(), here.stderr.trim_end()) {
            differ(found, format!("{name}, stderr"), &show.err, &here.stderr);
        }
    }
}

fn same_output(show: &Show, here: &Answer, nearby: &[Answer]) -> bool {
    let plain = |text: &str| {
        let text = first_come(text);
        if show.cmd.first().is_some_and(|name| name == "sinfo") { without_host(&text) } else { text }
    };
    let recorded = plain(&show.out);
    let texts: Vec<String> =
        std::iter::once(here).chain(nearby).map(|answer| plain(&answer.stdout)).collect();
    texts.iter().any(|text| same_text(&show.cmd, &recorded, text))
        || same_jobs(&show.cmd, &recorded, &texts) == Some(true)
}

/// A table of `sinfo` without what it says of the load and the memory of the recording's host.
fn without_host(text: &str) -> String {
    let Some(header) = text.lines().next().filter(|header| header.contains('|')) else {
        return text.to_owned();
    };
    let kept: Vec<bool> =
        header.split('|').map(|name| !matches!(name.trim(), "FREE_MEM" | "CPU_LOAD")).collect();
    let line = |line: &str| {
        let cells = line.split('|').zip(kept.iter().chain(std::iter::repeat(&true)));
        cells.filter(|(_, kept)| **kept).map(|(cell, _)| cell).collect::<Vec<_>>().join("|") + "\n"
    };
    text.lines().map(line).collect()
}

/// `SecsPreSuspend=6` as a span of time, which it is.
fn spans(text: &str) -> String {
    const KEY: &str = "SecsPreSuspend=";
    let mut parts = text.split(KEY);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.chars().take_while(char::is_ascii_digit).count();
        let seconds: u64 = part[..digits].parse().unwrap_or_default();
        out.push_str(&format!("{KEY}{}:{:02}{}", seconds / 60, seconds % 60, &part[digits..]));
    }
    out
}

/// Which of the two schedulers started a job is a race that the recording's clock decided.
fn first_come(text: &str) -> String {
    let text = spans(text)
        .replace("Scheduler=Backfill:*\n", "Scheduler=Main\n")
        .replace("Scheduler=Backfill\n", "Scheduler=Main\n")
        // Backfill plans with a year where there is no limit, and leaves it in the record.
        .replace("TimeLimit=365-00:00:00", "TimeLimit=UNLIMITED");
    // A command without a script has the session id of the shell that ran it.
    let mut parts = text.split("AllocNode:Sid=localhost:");
    let head = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(head, |text, part| {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        text + "AllocNode:Sid=localhost:0" + rest
    });
    // Whether a command waited for a moment decides whether its job's age began to count.
    let record = |record: &str| {
        let waited = |line: &&str| line.trim_start().starts_with("AccrueTime=");
        if record.contains("BatchFlag=0") {
            record.lines().filter(|line| !waited(line)).map(|line| format!("{line}\n")).collect()
        } else {
            record.to_owned()
        }
    };
    text.split_inclusive("\n\n").map(record).collect()
}

/// The parts of a display that are about one job each: rows by their first word, or the paragraphs of
/// `scontrol show job`. Lines before the first job are a part without a job.
fn parts(argv: &[String], text: &str) -> Option<Vec<(String, String)>> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    let first =
        |line: &str| line.split([' ', '|']).find(|word| !word.is_empty()).unwrap_or_default().to_owned();
    match words.as_slice() {
        // Its lines are counters with a name each.
        ["sdiag", ..] => {
            let name = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
            Some(
                text.lines()
                    .take_while(|line| !line.starts_with("Latency"))
                    .map(|line| (name(line), line.to_owned()))
                    .collect(),
            )
        }
        [_, "--json" | "--yaml", ..] => None,
        ["squeue" | "sacct" | "sprio", ..] => {
            Some(text.lines().map(|line| (first(line), line.to_owned())).collect())
        }
        ["scontrol", .., "job" | "jobs", _] | ["scontrol", .., "job" | "jobs"] if !words.contains(&"-o") => {
            let parts = text.split("\n\n").filter(|part| !part.trim().is_empty());
            Some(parts.map(|part| (first(part.trim_start()), part.to_owned())).collect())
        }
        _ => None,
    }
}

/// Whether each job's part is what it was here at one of the instants; none if the display has no such parts.
fn same_jobs(argv: &[String], recorded: &str, texts: &[String]) -> Option<bool> {
    let by_job = |text: &str| -> Option<BTreeMap<String, Vec<String>>> {
        let mut groups = BTreeMap::<String, Vec<String>>::new();
        for (job, part) in parts(argv, text)? {
            groups.entry(job).or_default().push(part);
        }
        Some(groups)
    };
    let recorded = by_job(recorded)?;
    let texts: Vec<_> = texts.iter().filter_map(|text| by_job(text)).collect();
    let jobs: BTreeSet<&String> = std::iter::once(&recorded).chain(&texts).flat_map(BTreeMap::keys).collect();
    let same = |recorded: &[String], here: &[String]| {
        recorded.len() == here.len() && recorded.iter().zip(here).all(|(a, b)| same_text(argv, a, b))
    };
    let of = |groups: &'_ BTreeMap<String, Vec<String>>, job: &String| {
        groups.get(job).cloned().unwrap_or_default()
    };
    Some(jobs.into_iter().all(|job| {
        let recorded = of(&recorded, job);
        texts.iter().any(|text| same(&recorded, &of(text, job)))
    }))
}

fn same_text(command: &[String], recorded: &str, here: &str) -> bool {
    if recorded == here {
        return true;
    }
    let is_sdiag = command.first().is_some_and(|name| name == "sdiag");
    let lines = |text: &str| -> Vec<String> {
        let kept = text.lines().take_while(|line| !is_sdiag || !line.starts_with("Latency"));
        kept.filter(|line| !is_sdiag || !depends_on_host(line)).map(str::to_owned).collect()
    };
    let (recorded, here) = (lines(recorded), lines(here));
    if recorded.len() != here.len() {
        return false;
    }
    let in_order = recorded.iter().zip(&here).all(|(recorded, here)| same_line(recorded, here));
    let is_table = |name: &String| name == "squeue" && !command.iter().any(|word| word == "--json");
    in_order || (command.first().is_some_and(is_table) && same_rows(&recorded, &here))
}

/// Rows of `squeue` are sorted by start: two whose times are within the tolerance may have changed places.
fn same_rows(recorded: &[String], here: &[String]) -> bool {
    let mut places = Vec::new();
    for line in recorded {
        let free = (0..here.len()).find(|at| !places.contains(at) && same_line(line, &here[*at]));
        match free {
            Some(at) => places.push(at),
            None => return false,
        }
    }
    let time = |line: &str| line.split_whitespace().find_map(clock);
    (0..places.len()).all(|second| {
        (0..second).filter(|first| places[*first] > places[second]).all(|first| {
            match (time(&recorded[first]), time(&recorded[second])) {
                (Some(a), Some(b)) => (a - b).abs() <= TOLERANCE,
                // A format without times does not say by what its rows are sorted.
                (None, None) => true,
                _ => false,
            }
        })
    })
}

/// Lines of `sdiag` that say how fast the host is, or what its threads do just now.
fn depends_on_host(line: &str) -> bool {
    let line = line.trim();
    let host = ["Last cycle:", "Max cycle:", "Mean cycle:", "Server thread count:"];
    // How often the two schedulers looked, and which of them was first.
    let race = [
        "Total cycles:",
        "Last cycle when:",
        "Total backfilled jobs",
        "Last table size:",
        "Mean table size:",
        // What is divided by how often they looked.
        "Mean depth cycle:",
        "Depth Mean",
    ];
    host.iter().chain(&race).any(|begin| line.starts_with(begin))
}

fn same_line(recorded: &str, here: &str) -> bool {
    if recorded == here {
        return true;
    }
    let split = |line: &str| -> Vec<String> {
        line.split([' ', '=', '|', '(', ')', ','])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (words, mine) = (split(recorded), split(here));
    if words.len() != mine.len() || !words.iter().zip(&mine).all(|(recorded, here)| same_word(recorded, here))
    {
        return false;
    }
    // A clock that is a digit longer moves what stands behind it, unless its column has a width.
    let longer: i64 =
        words.iter().zip(&mine).map(|(recorded, here)| recorded.len() as i64 - here.len() as i64).sum();
    let wider = recorded.len() as i64 - here.len() as i64;
    wider == 0 || wider == longer
}

/// 2100-01-01: what was recorded after it is a year that overflowed (`sbatch --test-only` beside jobs without a limit).
const OVERFLOWN: i64 = 4_102_444_800;

fn same_word(recorded: &str, here: &str) -> bool {
    let close = |read: fn(&str) -> Option<i64>| matches!((read(recorded), read(here)), (Some(a), Some(b)) if (a - b).abs() <= TOLERANCE || a > OVERFLOWN);
    recorded == here || close(clock) || close(stamp) || close(epoch)
}

/// Seconds of `M:SS`, `H:MM:SS`, `D-HH:MM:SS`.
fn clock(word: &str) -> Option<i64> {
    if !word.contains(':') {
        return None;
    }
    let word = word.strip_prefix('-').unwrap_or(word);
    let read = if word.matches(':').count() == 1 && !word.contains('-') {
        format!("0:{word}")
    } else {
        word.to_owned()
    };
    crate::slurm::units::seconds(&read)
}

fn stamp(word: &str) -> Option<i64> {
    let at: jiff::civil::DateTime =
        (word.len() == 19 && word.as_bytes()[10] == b'T').then(|| word.parse().ok())??;
    at.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| at.timestamp().as_second())
}

fn epoch(word: &str) -> Option<i64> {
    word.parse().ok().filter(|seconds| *seconds > 1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(recorded: &str, here: &str, same: bool) {
        assert_eq!(same_line(recorded, here), same, "{recorded:?} {here:?}");
    }

    #[test]
    fn only_the_clock_may_differ() {
        check("  1  R       0:09      1 n2", "  1  R       0:10      1 n2", true);
        check("  1  R       0:09      1 n2", "  1  R       0:12      1 n2", false);
        check("  1  R       0:09      1 n2", "  1  R       0:09     1 n2", false);
        check("  1  R       0:09      1 n2", "  1  R       0:09      1 n3", false);
        check("Mon Nov 23 14:32:59 2026", "Mon Nov 23 14:33:00 2026", true);
        check("StartTime=2026-11-23T14:08:56 x", "StartTime=2026-11-23T14:08:57 x", true);
        check("at (1795445046)", "at (1795445047)", true);
    }
}
