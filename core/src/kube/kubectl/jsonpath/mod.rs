//! JSONPath in kubectl's dialect (`k8s.io/client-go/util/jsonpath`).
//!
//! A template is text with actions in braces: `{.items[*].metadata.name}`,
//! `{range .items[*]}…{end}`, `{"\n"}`. Fields may escape a dot with a
//! backslash, lists take an index, a negative index, a slice, a union or a
//! filter `[?(@.a=="b")]`, and `..` descends.

mod eval;
mod parse;

use serde_json::Value;

use super::print;

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPath {
    source: String,
    nodes: Vec<Node>,
}

/// A template that cannot be parsed, or a value that it cannot be applied to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct JsonPathError(pub String);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Text(String),
    List(Vec<Node>),
    Field(String),
    Identifier(String),
    Array([Param; 3]),
    Filter { left: Vec<Node>, right: Vec<Node>, operator: String },
    Int(i64),
    Float(f64),
    Bool(bool),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
}

/// One number of `[start:end:step]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Param {
    value: i64,
    known: bool,
    derived: bool,
}

impl JsonPath {
    /// Parses a template.
    ///
    /// # Errors
    ///
    /// What kubectl says after `error parsing jsonpath TEMPLATE, `.
    pub fn parse(template: &str) -> Result<Self, JsonPathError> {
        Ok(Self { source: template.to_owned(), nodes: parse::template(template)? })
    }

    /// Parses what `--sort-by` and `custom-columns` take: the braces and the first dot may be left out.
    ///
    /// # Errors
    ///
    /// A text that is no path.
    pub fn parse_relaxed(expression: &str) -> Result<Self, JsonPathError> {
        Self::parse(&relaxed(expression)?)
    }

    /// The template's text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The values that each action found in `data`; missing keys find nothing.
    ///
    /// # Errors
    ///
    /// An index out of bounds, a filter on what is not a list, …
    pub fn find(&self, data: &Value) -> Result<Vec<Vec<Value>>, JsonPathError> {
        eval::find(&self.nodes, data)
    }

    /// The text of the template applied to `data`.
    ///
    /// # Errors
    ///
    /// Those of [`JsonPath::find`].
    pub fn print(&self, data: &Value) -> Result<String, JsonPathError> {
        let texts = self
            .find(data)?
            .into_iter()
            .map(|values| values.iter().map(text_of).collect::<Vec<_>>().join(" "));
        Ok(texts.collect())
    }

    /// The found values as JSON lists, as `-o jsonpath-as-json` prints them.
    ///
    /// # Errors
    ///
    /// Those of [`JsonPath::find`].
    pub fn print_json(&self, data: &Value) -> Result<String, JsonPathError> {
        let lists = self.find(data)?.into_iter().map(|values| print::pretty(&Value::Array(values)) + "\n");
        Ok(lists.collect())
    }
}

/// `.metadata.name`, `metadata.name` and `{.metadata.name}` as a template.
pub(super) fn relaxed(expression: &str) -> Result<String, JsonPathError> {
    if expression.is_empty() {
        return Ok(String::new());
    }
    let inner = expression.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(expression);
    let path = inner.strip_prefix('.').unwrap_or(inner);
    if path.is_empty() || path.contains(['{', '}']) {
        return Err(JsonPathError(
            "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or '{.name1.name2}'"
                .to_owned(),
        ));
    }
    Ok(format!("{{.{path}}}"))
}

/// A value within text: JSON for maps and lists, bare for scalars.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => print::number(number),
        other => print::compact(other),
    }
}

#[cfg(test)]
mod tests;
