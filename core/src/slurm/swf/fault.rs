//! Rows that are not a job.

use thiserror::Error;

use super::FIELDS;

/// A row that cannot be read, and so is no job.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}: {kind}")]
pub struct Fault {
    /// Line of the file, from 1.
    pub line: u32,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// What is wrong with a row.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FaultKind {
    /// Every row has 18 fields; what is not known is -1, not left out.
    #[error("{found} {}, expected {}", if *.found == 1 { "field" } else { "fields" }, FIELDS.len())]
    Fields {
        /// How many there are.
        found: usize,
    },
    /// A field is not the number that it must be.
    #[error("field {} ({}): \"{text}\" is not {expected}", .field + 1, FIELDS[*.field])]
    NotANumber {
        /// Which field, from 0; its name is in [`FIELDS`].
        field: usize,
        /// What stands there, cut after a few characters.
        text: String,
        /// What must stand there.
        expected: &'static str,
    },
}
