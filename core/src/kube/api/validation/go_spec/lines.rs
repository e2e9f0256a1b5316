//! A unified difference of lines.

use std::fmt::Write as _;

/// Lines shown around each change.
const CONTEXT: usize = 3;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Same,
    Gone,
    New,
}

/// The difference in unified form, without file names.
pub(super) fn unified(old: &[String], new: &[String]) -> String {
    let steps = steps(old, new);
    let mut text = String::new();
    let mut at = 0;
    while let Some(offset) = steps[at..].iter().position(|(step, ..)| *step != Step::Same) {
        let first = at + offset;
        let start = first.saturating_sub(CONTEXT).max(at);
        let mut end = first;
        // Changes with few lines between them share their context.
        let mut quiet = 0;
        for (i, (step, ..)) in steps.iter().enumerate().skip(first) {
            if *step == Step::Same {
                quiet += 1;
                if quiet > 2 * CONTEXT {
                    break;
                }
            } else {
                quiet = 0;
                end = i;
            }
        }
        let stop = (end + 1 + CONTEXT).min(steps.len());
        hunk(&steps[start..stop], old, new, &mut text);
        at = stop;
    }
    text
}

fn hunk(steps: &[(Step, usize, usize)], old: &[String], new: &[String], text: &mut String) {
    let count = |skip: Step| steps.iter().filter(|(step, ..)| *step != skip).count();
    let (olds, news) = (count(Step::New), count(Step::Gone));
    let (old_at, new_at) = steps.first().map_or((0, 0), |(_, old_at, new_at)| (*old_at, *new_at));
    let range = |at: usize, lines: usize| match lines {
        1 => format!("{}", at + 1),
        0 => format!("{at},0"),
        lines => format!("{},{lines}", at + 1),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "@@ -{} +{} @@", range(old_at, olds), range(new_at, news));
    for (step, old_at, new_at) in steps {
        let (mark, line) = match step {
            Step::Same => (' ', &old[*old_at]),
            Step::Gone => ('-', &old[*old_at]),
            Step::New => ('+', &new[*new_at]),
        };
        text.push(mark);
        text.push_str(line);
        text.push('\n');
    }
}

/// The way from one to the other along a longest common subsequence, removals before additions.
fn steps(old: &[String], new: &[String]) -> Vec<(Step, usize, usize)> {
    let prefix = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[prefix..], &new[prefix..]);
    let suffix = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old_rest[..old_rest.len() - suffix], &new_rest[..new_rest.len() - suffix]);
    // common[i][j]: the length of the longest common subsequence of a[i..] and b[j..].
    let mut common = vec![vec![0u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            common[i][j] =
                if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let mut steps: Vec<_> = (0..prefix).map(|i| (Step::Same, i, i)).collect();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let (old_at, new_at) = (prefix + i, prefix + j);
        if i < a.len() && j < b.len() && a[i] == b[j] {
            steps.push((Step::Same, old_at, new_at));
            i += 1;
            j += 1;
        } else if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            steps.push((Step::Gone, old_at, new_at));
            i += 1;
        } else {
            steps.push((Step::New, old_at, new_at));
            j += 1;
        }
    }
    let tails = (old.len() - suffix..old.len()).zip(new.len() - suffix..new.len());
    steps.extend(tails.map(|(i, j)| (Step::Same, i, j)));
    steps
}
