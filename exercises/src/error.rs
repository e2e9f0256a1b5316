//! What can be wrong with an exercise, and where.

use std::fmt;

use clusterlab::kube::manifest::Diagnostic;

/// One thing that is wrong in one file of an exercise's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, relative to the exercise's folder.
    pub file: String,
    /// Line and column, from 1; absent if the file as a whole is meant.
    pub place: Option<(usize, usize)>,
    /// Which field: `steps[0].check`; empty if it is not about one.
    pub field: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl Problem {
    /// A problem of a whole file.
    pub(crate) fn new(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), place: None, field: String::new(), message: message.into() }
    }

    /// What the reader of YAML found in `file`; its messages name the field.
    pub(crate) fn of(file: &str, found: Diagnostic) -> Self {
        let hint = if found.hint.is_empty() { String::new() } else { format!(" ({})", found.hint) };
        Self { place: Some((found.line, found.column)), ..Self::new(file, found.message + &hint) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.field.is_empty() {
            write!(f, ": {}", self.field)?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Problem {}

/// Everything that is wrong with an exercise: one line per problem.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
pub struct LoadError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl From<Problem> for LoadError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}
