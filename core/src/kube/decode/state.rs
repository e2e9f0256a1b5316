//! What is known while a tree is walked: where we are, and what was wrong so far.

use std::fmt;

use serde::de;
use serde_json::Value;

use super::{Dialect, Path, Problem, ProblemKind, Segment};

/// Why no value could be made at all.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    /// It is among the problems already.
    pub(super) noted: bool,
}

impl Failure {
    pub(super) fn new(message: String) -> Self {
        Self { message, noted: false }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

/// What is known while walking a tree.
pub(super) struct State {
    pub(super) dialect: Dialect,
    pub(super) path: Vec<Segment>,
    /// The structures on the way here, by name.
    pub(super) structs: Vec<&'static str>,
    pub(super) problems: Vec<Problem>,
}

impl State {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self { dialect, path: Vec::new(), structs: Vec::new(), problems: Vec::new() }
    }

    /// Notes a failure at the present place, unless it was noted deeper down.
    pub(super) fn note(&mut self, failure: Failure) -> Failure {
        if !failure.noted {
            self.add(ProblemKind::Invalid { message: failure.message.clone() });
        }
        Failure { noted: true, ..failure }
    }

    pub(super) fn add(&mut self, kind: ProblemKind) {
        self.problems.push(Problem { path: Path(self.path.clone()), kind });
    }

    pub(super) fn wrong_type(&mut self, expected: &str, go_type: &str, value: &Value) {
        let (found, go_value) = match value {
            Value::Number(number) if expected == "a whole number" => {
                ("another number", format!("number {number}"))
            }
            other => (found(other), go_kind(other).to_owned()),
        };
        let fields: Vec<&str> = self
            .path
            .iter()
            .filter_map(|segment| match segment {
                Segment::Field(name) => Some(name.as_str()),
                Segment::Key(_) | Segment::Index(_) => None,
            })
            .collect();
        let target = match self.structs.last() {
            Some(holder) if !fields.is_empty() => format!("struct field {holder}.{}", fields.join(".")),
            _ => "value".to_owned(),
        };
        let go = format!("json: cannot unmarshal {go_value} into Go {target} of type {go_type}");
        self.add(ProblemKind::WrongType { expected: expected.to_owned(), found, go });
    }
}

/// What a value is, for a person.
pub(super) const fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What a value is, to Go's decoder.
pub(super) const fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
