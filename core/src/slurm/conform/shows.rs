//! Compares the texts of commands with those recorded.
//!
//! A text is compared line by line and word by word. The recorder's clock shows in three kinds of words: clocks
//! (`0:05`, `14:32:45`, `1-00:01:00`), stamps (`2026-11-23T14:44:03`) and seconds since 1970 in brackets; those may be
//! off by [`TOLERANCE`]. Everything else must be the same, the width of each line too.

use super::compare::Difference;
use super::recording::Show;
use super::{Answer, TOLERANCE};

/// Adds what differs in each command's answer.
pub(super) fn shows(recorded: &[Show], here: &[Answer], found: &mut Vec<Difference>) {
    for (at, show) in recorded.iter().enumerate() {
        let displays = ["squeue", "sinfo", "sprio", "sshare", "sdiag", "sacct", "sacctmgr", "sreport"];
        if !show.cmd.first().is_some_and(|name| displays.contains(&name.as_str())) {
            continue;
        }
        let name = format!("show {:.2} {}", show.t, show.cmd.join(" "));
        let Some(answer) = here.get(at) else {
            found.push(Difference { field: name, recorded: "a text".into(), found: "none".into() });
            continue;
        };
        if show.rc != answer.code {
            found.push(Difference {
                field: format!("{name}, exit code"),
                recorded: show.rc.to_string(),
                found: answer.code.to_string(),
            });
        }
        for (what, recorded, here) in
            [("stdout", &show.out, &answer.stdout), ("stderr", &show.err, &answer.stderr)]
        {
            if !same_text(&show.cmd, recorded, here) {
                found.push(Difference {
                    field: format!("{name}, {what}"),
                    recorded: recorded.clone(),
                    found: here.clone(),
                });
            }
        }
    }
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
    in_order || (command.first().is_some_and(|name| name == "squeue") && same_rows(&recorded, &here))
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
    ["Last cycle:", "Max cycle:", "Mean cycle:", "Server thread count:"]
        .iter()
        .any(|begin| line.starts_with(begin))
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

fn same_word(recorded: &str, here: &str) -> bool {
    let close = |read: fn(&str) -> Option<i64>| matches!((read(recorded), read(here)), (Some(a), Some(b)) if (a - b).abs() <= TOLERANCE);
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
