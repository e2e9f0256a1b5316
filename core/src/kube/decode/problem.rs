//! What can be wrong with a value.

use std::fmt;

use super::Path;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub path: Path,
    /// What.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The type has no such field.
    Unknown {
        /// The fields that it has.
        known: &'static [&'static str],
    },
    /// A value of another type is expected.
    WrongType {
        /// `a string`, `a list`, …
        expected: String,
        /// `a number`, …
        found: &'static str,
        /// The error of Go's JSON decoder.
        go: String,
    },
    /// The type is right, the value cannot be read.
    Invalid {
        /// Why.
        message: String,
    },
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { .. } => f.write_str("unknown field"),
            Self::WrongType { expected, found, .. } => write!(f, "expected {expected}, found {found}"),
            Self::Invalid { message } => f.write_str(message),
        }
    }
}

impl Problem {
    /// The known field nearest to an unknown one, if one is near enough to have been meant.
    pub fn suggestion(&self) -> Option<&'static str> {
        let ProblemKind::Unknown { known } = self.kind else { return None };
        let name = self.path.last_name()?;
        nearest(name, known.iter().copied())
    }
}

/// The candidate nearest to a name, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    let lower = name.to_lowercase();
    candidates
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters to change, add, drop or swap with a neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}
