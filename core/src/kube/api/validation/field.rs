//! Field errors (`k8s.io/apimachinery/pkg/util/validation/field`): where and what, in the real words.

use std::fmt;

/// A field on the way down an object. Costs nothing until it is printed.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Child(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> At<'a> {
    pub(super) const fn root(name: &'a str) -> Self {
        Self { parent: None, step: Step::Child(name) }
    }

    pub(super) const fn child(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Child(name) }
    }

    pub(super) const fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    pub(super) const fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Child(name) if self.parent.is_none() => f.write_str(name),
            Step::Child(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

/// The errors of an object, in the order they were found.
#[derive(Debug, Default)]
pub(super) struct Errors {
    list: Vec<(String, String)>,
}

impl Errors {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn into_causes(self) -> Vec<(String, String)> {
        self.list
    }

    fn add(&mut self, at: &At<'_>, message: String) {
        self.list.push((at.to_string(), message));
    }

    pub(super) fn required(&mut self, at: &At<'_>, detail: &str) {
        self.add(at, with_detail("Required value".to_owned(), detail));
    }

    /// A text that is wrong.
    pub(super) fn invalid(&mut self, at: &At<'_>, value: &str, detail: &str) {
        self.add(at, with_detail(format!("Invalid value: {}", go_quote(value)), detail));
    }

    /// A number, or a structure in its JSON form, that is wrong.
    pub(super) fn invalid_bare(&mut self, at: &At<'_>, value: impl fmt::Display, detail: &str) {
        self.add(at, with_detail(format!("Invalid value: {value}"), detail));
    }

    pub(super) fn invalid_all(&mut self, at: &At<'_>, value: &str, details: &[String]) {
        for detail in details {
            self.invalid(at, value, detail);
        }
    }

    pub(super) fn not_supported(&mut self, at: &At<'_>, value: &str, supported: &[&str]) {
        let supported: Vec<_> = supported.iter().map(|value| go_quote(value)).collect();
        let message =
            format!("Unsupported value: {}: supported values: {}", go_quote(value), supported.join(", "));
        self.add(at, message);
    }

    pub(super) fn duplicate(&mut self, at: &At<'_>, value: &str) {
        self.add(at, format!("Duplicate value: {}", go_quote(value)));
    }

    pub(super) fn duplicate_bare(&mut self, at: &At<'_>, value: impl fmt::Display, detail: &str) {
        self.add(at, with_detail(format!("Duplicate value: {value}"), detail));
    }

    pub(super) fn not_found(&mut self, at: &At<'_>, value: &str) {
        self.add(at, format!("Not found: {}", go_quote(value)));
    }

    pub(super) fn forbidden(&mut self, at: &At<'_>, detail: &str) {
        self.add(at, with_detail("Forbidden".to_owned(), detail));
    }

    pub(super) fn too_long(&mut self, at: &At<'_>, bytes: usize) {
        self.add(at, format!("Too long: may not be more than {bytes} bytes"));
    }

    pub(super) fn non_negative(&mut self, at: &At<'_>, value: Option<impl Into<i64>>) {
        if let Some(value) = value.map(Into::into).filter(|value| *value < 0) {
            self.invalid_bare(at, value, "must be greater than or equal to 0");
        }
    }

    /// A text that must be one of some; missing is an error of its own.
    pub(super) fn one_of(&mut self, at: &At<'_>, value: Option<&str>, supported: &[&str]) {
        match value.unwrap_or_default() {
            "" => self.required(at, ""),
            value if supported.contains(&value) => {}
            value => self.not_supported(at, value, supported),
        }
    }
}

fn with_detail(message: String, detail: &str) -> String {
    if detail.is_empty() { message } else { format!("{message}: {detail}") }
}

/// `must be between 1 and 65535, inclusive`
pub(super) fn inclusive_range(low: i64, high: i64) -> String {
    format!("must be between {low} and {high}, inclusive")
}

/// A text as Go's `%q` prints it.
pub(in crate::kube::api) fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_ascii_control() => quoted.extend(format!("\\x{:02x}", u32::from(c)).chars()),
            c if c.is_control() => quoted.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
