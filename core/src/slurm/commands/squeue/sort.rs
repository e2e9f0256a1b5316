//! The order of rows: `-S` keys, the last first, each sort keeping the order of equals.

use std::cmp::Ordering;

use super::fields::{self, Row};
use crate::slurm::controller::Controller;

/// Sorts rows by keys such as `P,t,-p` (squeue(1), `--sort`).
pub(super) fn sort(controller: &Controller, rows: &mut [Row<'_>], keys: &str) {
    for key in keys.split(',').rev() {
        let (reverse, letter) = match key.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, key.trim_start_matches('+')),
        };
        if letter.is_empty() {
            continue;
        }
        match letter {
            "p" | "Q" => rows.sort_by(|a, b| by_priority(a, b, reverse)),
            _ => rows.sort_by(|a, b| {
                let order = by_key(controller, a, b, letter);
                if reverse { order.reverse() } else { order }
            }),
        }
    }
}

/// Of equal priority, with the highest first: later starts first, then as listed; of those without a start the last
/// of the list first (observed in all recordings of squeue).
fn by_priority(a: &Row<'_>, b: &Row<'_>, reverse: bool) -> Ordering {
    let by_priority = fields::priority(a).cmp(&fields::priority(b));
    if !reverse {
        return by_priority;
    }
    let (start_a, start_b) = (fields::start(a.job), fields::start(b.job));
    let listed = if start_a == 0 { b.position.cmp(&a.position) } else { a.position.cmp(&b.position) };
    by_priority.reverse().then(start_b.cmp(&start_a)).then(listed).then(a.task.cmp(&b.task))
}

fn by_key(controller: &Controller, a: &Row<'_>, b: &Row<'_>, letter: &str) -> Ordering {
    // A start that is not known comes last.
    let start = |row: &Row<'_>| match fields::start(row.job) {
        0 => i64::MAX,
        start => start,
    };
    let now = controller.time();
    let id = |row: &Row<'_>| {
        let (array, task) = row.job.array.unwrap_or((row.job.id, None));
        (array, row.task.or(task), row.step.map(|step| step.id))
    };
    match letter {
        "i" => id(a).cmp(&id(b)),
        "S" => start(a).cmp(&start(b)),
        "e" => a.job.end.cmp(&b.job.end),
        "V" => a.job.submit.cmp(&b.job.submit),
        "M" => a.job.run_time(now).cmp(&b.job.run_time(now)),
        "l" | "L" => {
            let limit = |row: &Row<'_>| super::jobs::time_limit(controller, row.job).unwrap_or(u32::MAX);
            let used = |row: &Row<'_>| if letter == "L" { row.job.run_time(now) } else { 0 };
            (i64::from(limit(a)) * 60 - used(a)).cmp(&(i64::from(limit(b)) * 60 - used(b)))
        }
        "m" => super::jobs::min_memory(a.job).cmp(&super::jobs::min_memory(b.job)),
        _ => {
            let Some((name, _)) = fields::known(letter, a.step.is_some()) else { return Ordering::Equal };
            let text = |row: &Row<'_>| match row.step {
                Some(step) => fields::step_value(controller, row, step, name),
                None => fields::value(controller, row, name),
            };
            let (a, b) = (text(a), text(b));
            match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => a.cmp(&b),
            }
        }
    }
}
