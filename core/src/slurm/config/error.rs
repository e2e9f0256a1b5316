//! What is wrong with configuration files, and where.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// A place in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file's name, as it was given or included.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// slurmctld would not start.
    Error,
    /// slurmctld writes an error into its log and goes on.
    Warning,
    /// slurmctld would honour it, this engine does not.
    NotModelled,
}

/// What kind of finding it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not `key=value`.
    Syntax,
    /// A key that the file's manual page does not have.
    UnknownKey,
    /// A value that its key does not take.
    Value,
    /// A file that is missing, or includes itself.
    Include,
    /// A name that is not defined, or defined twice.
    Reference,
    /// See [`Severity::NotModelled`].
    NotModelled,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where.
    pub place: Place,
    /// How bad.
    pub severity: Severity,
    /// What kind.
    pub kind: Kind,
    /// What is wrong, in the words of slurmctld where it has some.
    pub message: String,
    /// What was expected there; may be empty.
    pub expected: String,
    /// The rest of the line that slurmctld reports as not parsed.
    pub rest: Option<String>,
    /// slurmctld left the line at an earlier error and does not get here.
    pub beyond: bool,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.severity == Severity::NotModelled {
            return write!(f, "{} ({} line {})", self.message, base_name(&self.place.file), self.place.line);
        }
        write!(f, "{}: {}", self.place, self.message)?;
        if self.expected.is_empty() { Ok(()) } else { write!(f, "; expected {}", self.expected) }
    }
}

/// The part of a path behind its last slash.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Why a configuration cannot be used: everything that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", self.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigErrors {
    /// The findings of [`Severity::Error`], in the order of the files; at least one.
    pub findings: Vec<Diagnostic>,
}

impl ConfigErrors {
    /// What a program of 22.05 (`slurmctld`, or a command) writes before it gives up.
    ///
    /// It leaves a line at the first error, so that it may say less than [`findings`](Self::findings).
    pub fn log(&self, program: &str) -> String {
        let mut text = String::new();
        for finding in self.findings.iter().filter(|finding| !finding.beyond) {
            let prefix = match (finding.kind, &finding.rest) {
                // The parser names its function for keys at the start of a line.
                (Kind::UnknownKey, None) => "_parse_next_key: ",
                _ => "",
            };
            if finding.kind != Kind::Syntax {
                text.push_str(&format!("{program}: error: {prefix}{}\n", finding.message));
            }
            if let Some(rest) = &finding.rest {
                text.push_str(&format!(
                    "{program}: error: Parse error in file {} line {}: \"{rest}\"\n",
                    finding.place.file, finding.place.line
                ));
            }
        }
        text.push_str(&format!("{program}: fatal: Unable to process configuration file\n"));
        text
    }
}

impl From<ConfigErrors> for String {
    fn from(errors: ConfigErrors) -> Self {
        errors.to_string()
    }
}
