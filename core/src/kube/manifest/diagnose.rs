//! Everything that is wrong with a manifest, at once and each at its place.

use std::fmt;

use serde::de::DeserializeOwned;

use super::document::Document;
use super::error::SyntaxError;
use super::parse::{parse_chunk, parse_tree};
use super::split::chunks;
use super::tree::{Node, Position, Span, Tree};
use crate::kube::api::{Kind, problems_of, refusals_of};
use crate::kube::decode::{Dialect, Path, Problem, ProblemKind, Segment, decode, nearest};
use crate::order::InOrder;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// The place after the last character concerned.
    pub end: Position,
    /// The field: `spec.containers[0].image`; empty for errors of syntax.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it; empty if there is nothing to add.
    pub hint: String,
}

impl Diagnostic {
    fn new(span: Span, path: impl fmt::Display, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            line: span.start.line,
            column: span.start.column,
            end: span.end,
            path: path.to_string(),
            message: message.into(),
            hint: hint.into(),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)?;
        if self.hint.is_empty() { Ok(()) } else { write!(f, " ({})", self.hint) }
    }
}

impl From<SyntaxError> for Diagnostic {
    fn from(error: SyntaxError) -> Self {
        let message = error.message.strip_prefix("yaml: ").unwrap_or(&error.message);
        // The place is exact here; the line that the original tells may be one off.
        let message = match message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) {
            Some((_, message)) => message,
            None => message,
        };
        Self::new(error.span, "", message, error.hint)
    }
}

/// All problems of a manifest, in the order of the text. What has none decodes.
pub fn diagnose(text: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for chunk in chunks(text) {
        match parse_chunk(chunk.text, chunk.lines_before) {
            Err(error) => found.push(error.into()),
            Ok(tree) if tree.is_null() => {}
            Ok(tree) => diagnose_document(&Document { tree }, &mut found),
        }
    }
    found.order_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    found
}

fn diagnose_document(document: &Document, found: &mut Vec<Diagnostic>) {
    let tree = &document.tree;
    if !document.is_object() {
        let hint = "a manifest is an object with apiVersion, kind and metadata";
        found.push(Diagnostic::new(tree.span, "", "invalid object to validate", hint));
        return;
    }
    for (path, span) in tree.duplicate_keys() {
        let hint = "only the last one counts";
        found.push(Diagnostic::new(span, &path, format!("duplicate field \"{path}\""), hint));
    }
    let mut complete = true;
    let start = Span { end: Position { column: tree.span.start.column + 1, ..tree.span.start }, ..tree.span };
    for (field, example) in [("apiVersion", "apiVersion: v1"), ("kind", "kind: Pod")] {
        match tree.get(field) {
            None => {
                found.push(Diagnostic::new(
                    start,
                    field,
                    format!("{field} not set"),
                    format!("add for example \"{example}\""),
                ));
                complete = false;
            }
            Some(value) if value.as_text().is_none_or(str::is_empty) => {
                found.push(Diagnostic::new(
                    value.span,
                    field,
                    format!("{field} not set"),
                    "it must be a text",
                ));
                complete = false;
            }
            Some(_) => {}
        }
    }
    if !complete {
        return;
    }
    let Some(kind) = document.known_kind() else {
        found.push(unknown_kind(document));
        return;
    };
    let json = document.to_json();
    let problems = problems_of(kind, &json);
    found.extend(problems.iter().map(|problem| locate(tree, problem)));
    let readable = problems.iter().all(|problem| matches!(problem.kind, ProblemKind::Unknown { .. }));
    if readable && found.iter().all(|diagnostic| !diagnostic.message.starts_with("duplicate")) {
        found.extend(refusals_of(kind, &json).into_iter().map(|(field, problem)| {
            let path = path_from_text(&field);
            let (node, key, _) = tree.find(&path);
            let span =
                if matches!(node.node, Node::Scalar { .. }) { node.span } else { key.unwrap_or(start) };
            Diagnostic::new(span, field, problem, "")
        }));
    }
}

fn unknown_kind(document: &Document) -> Diagnostic {
    let (version, kind) = (document.api_version(), document.kind());
    let same_name = Kind::ALL.iter().find(|known| known.info().kind.eq_ignore_ascii_case(kind));
    let (field, hint) = match same_name {
        Some(known) if known.info().kind == kind => {
            ("apiVersion", format!("{kind} is of version \"{}\"", known.info().api_version()))
        }
        Some(known) => ("kind", format!("did you mean \"{}\"?", known.info().kind)),
        None => {
            let near = nearest(kind, Kind::ALL.iter().map(|known| known.info().kind));
            ("kind", near.map(|known| format!("did you mean \"{known}\"?")).unwrap_or_default())
        }
    };
    let span = document.tree.get(field).map_or(document.tree.span, |value| value.span);
    Diagnostic::new(span, field, format!("no matches for kind \"{kind}\" in version \"{version}\""), hint)
}

/// Finds the place of a problem.
fn locate(tree: &Tree, problem: &Problem) -> Diagnostic {
    let (node, key, found) = tree.find(&problem.path);
    let value = if matches!(node.node, Node::Scalar { .. }) { node.span } else { key.unwrap_or(node.span) };
    match &problem.kind {
        ProblemKind::Unknown { .. } => {
            let hint =
                problem.suggestion().map(|name| format!("did you mean \"{name}\"?")).unwrap_or_default();
            let span = if found { key.unwrap_or(value) } else { value };
            Diagnostic::new(span, &problem.path, format!("unknown field \"{}\"", problem.path), hint)
        }
        ProblemKind::WrongType { expected, found, .. } => {
            let message = format!("expected {expected}, found {found}");
            Diagnostic::new(value, &problem.path, message, wrong_type_hint(node, expected))
        }
        ProblemKind::Invalid { message } => Diagnostic::new(value, &problem.path, message, ""),
    }
}

fn wrong_type_hint(node: &Tree, expected: &str) -> String {
    match (&node.node, expected) {
        (Node::Scalar { text, plain: true }, "a string") if !node.is_null() => {
            format!("quote it: \"{text}\"")
        }
        (Node::Scalar { text, plain: false }, "a number" | "a whole number" | "true or false") => {
            format!("without quotes: {text}")
        }
        (Node::Map(_), "a list") => "begin each item with \"- \"".to_owned(),
        (Node::List(_), "an object") => "without \"- \" before the fields".to_owned(),
        _ => String::new(),
    }
}

/// Decodes a tree to one of our own types; unknown fields and repeated keys are errors.
///
/// # Errors
///
/// All that is wrong, each at its place.
pub fn from_tree<T: DeserializeOwned>(tree: &Tree) -> Result<T, Vec<Diagnostic>> {
    let decoded = decode::<T>(&tree.to_json(), Dialect::Plain);
    let mut found: Vec<_> = decoded.problems.iter().map(|problem| locate(tree, problem)).collect();
    for (path, span) in tree.duplicate_keys() {
        found.push(Diagnostic::new(span, &path, format!("duplicate field \"{path}\""), ""));
    }
    found.order_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    match decoded.value {
        Some(value) if found.is_empty() => Ok(value),
        _ => Err(found),
    }
}

/// Reads a text of one document as one of our own types.
///
/// # Errors
///
/// All that is wrong, each at its place.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Diagnostic>> {
    let tree = parse_tree(text).map_err(|error| vec![error.into()])?;
    from_tree(&tree)
}

/// Reads a field path as messages of the API server write it: `spec.containers[0].resources.limits[cpu]`.
fn path_from_text(text: &str) -> Path {
    let mut segments = Vec::new();
    for part in text.split('.') {
        let (name, rest) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
        if !name.is_empty() {
            segments.push(Segment::Field(name.to_owned()));
        }
        for index in rest.split('[').filter(|index| !index.is_empty()) {
            let index = index.trim_end_matches(']');
            segments.push(match index.parse() {
                Ok(index) => Segment::Index(index),
                Err(_) => Segment::Key(index.to_owned()),
            });
        }
    }
    Path(segments)
}
