//! What is known while a tree is walked: where we are, and what was wrong so far.

use std::fmt;

use serde::de;
use serde_json::Value;

use super::de::Source;
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
    /// The Go name of the type for which a zero value is being made, if it is wanted.
    go_type: Option<String>,
    /// What is asked for now is no part of that name.
    pub(super) silent: bool,
}

impl State {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            path: Vec::new(),
            structs: Vec::new(),
            problems: Vec::new(),
            go_type: None,
            silent: false,
        }
    }

    /// Notes a part of the Go name that is being collected, if one is.
    pub(super) fn name(&mut self, part: &str) {
        if let Some(go_type) = self.go_type.as_mut().filter(|_| !self.silent) {
            go_type.push_str(part);
        }
    }

    /// Whether a value stands for the zero value.
    fn is_zero(&self, value: &Value) -> bool {
        value.is_null() && self.dialect == Dialect::Kubernetes
    }

    /// Before a list. Gives back the value if it is none: then the list is a zero value.
    pub(super) fn enter_list<'de>(&mut self, source: Source<'de>) -> Option<&'de Value> {
        match source {
            Source::Value(Value::Array(_)) => None,
            other => self.enter_wrong(other, "[]"),
        }
    }

    /// Before a map, likewise.
    pub(super) fn enter_map<'de>(&mut self, source: Source<'de>) -> Option<&'de Value> {
        match source {
            Source::Value(Value::Object(_)) => None,
            other => self.enter_wrong(other, "map[string]"),
        }
    }

    fn enter_wrong<'de>(&mut self, source: Source<'de>, go_type: &str) -> Option<&'de Value> {
        if let Source::Value(value) = source {
            self.go_type = Some(go_type.to_owned());
            return Some(value);
        }
        self.name(go_type);
        None
    }

    /// After a list or a map.
    pub(super) fn leave_wrong(&mut self, wrong: Option<&Value>, expected: &str) {
        if let Some(value) = wrong {
            let go_type = self.go_type.take().unwrap_or_default();
            if !self.is_zero(value) {
                self.wrong_type(expected, &go_type, value);
            }
        }
    }

    pub(super) fn enter_struct(&mut self, source: Source<'_>, name: &'static str) {
        match source {
            Source::Value(Value::Object(_)) => self.structs.push(name),
            Source::Value(value) if self.is_zero(value) => {}
            Source::Value(value) => self.wrong_type("an object", &struct_type(name), value),
            Source::Text(_) | Source::Zero => self.name(&struct_type(name)),
        }
    }

    pub(super) fn leave_struct(&mut self, source: Source<'_>) {
        if let Source::Value(Value::Object(_)) = source {
            self.structs.pop();
        }
    }

    pub(super) fn fail_struct(&mut self, source: Source<'_>, failure: Failure) -> Failure {
        match source {
            Source::Value(Value::Object(_)) => {
                let failure = self.note(failure);
                self.structs.pop();
                failure
            }
            // A type with fields that must be given has no zero value; the wrong type is noted already.
            Source::Value(_) => Failure { noted: true, ..failure },
            Source::Text(_) | Source::Zero => failure,
        }
    }

    /// Before the inside of a type with a text form. Gives back whether names were silent before.
    pub(super) fn enter_newtype(&mut self, source: Source<'_>, name: &str) -> bool {
        let silent = self.silent;
        if let Source::Zero = source {
            self.name(&struct_type(name));
            self.silent = true;
        }
        silent
    }

    /// What Go says of a value that is neither a number nor a text where either would do.
    pub(super) fn neither_number_nor_text(&mut self, failure: Failure, value: &Value) -> Failure {
        if failure.noted || !failure.message.ends_with("expected IntOrString") {
            return failure;
        }
        // Go reads it as a number where it is no text.
        let go_value = match value {
            Value::Number(number) => format!("number {number}"),
            other => go_kind(other).to_owned(),
        };
        self.add(ProblemKind::WrongType {
            expected: "a number or a string".to_owned(),
            found: found(value),
            go: format!("json: cannot unmarshal {go_value} into Go value of type int32"),
        });
        Failure { noted: true, ..failure }
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

/// The Go name of a structure.
fn struct_type(name: &str) -> String {
    match name {
        "Quantity" => "resource.Quantity".to_owned(),
        "IntOrString" => "intstr.IntOrString".to_owned(),
        _ => format!("v1.{name}"),
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
