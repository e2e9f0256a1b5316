//! The tree of a document, each node with its place in the text.

use serde_json::{Number, Value};

use super::scalar::{Resolved, resolve};
use crate::kube::decode::{Path, Segment};
use crate::order::Collected;

/// A place in a text; both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// From a place up to, but not including, another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first character.
    pub start: Position,
    /// The character after the last.
    pub end: Position,
}

/// A node with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    /// What it is.
    pub node: Node,
    /// Where it stands.
    pub span: Span,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A text; `plain` if it is not quoted, so that it may mean a number, a boolean or nothing.
    Scalar {
        /// The text, without quotes and escapes.
        text: String,
        /// Not quoted.
        plain: bool,
    },
    /// A list.
    List(Vec<Tree>),
    /// An object: its entries in the order of the text, those with equal keys included.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key, as a JSON key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Tree,
}

impl Tree {
    /// The JSON that it means; of equal keys the last one counts.
    pub fn to_json(&self) -> Value {
        match &self.node {
            Node::Scalar { text, plain: false } => Value::String(text.clone()),
            Node::Scalar { text, plain: true } => match resolve(text) {
                Resolved::Null => Value::Null,
                Resolved::Bool(flag) => Value::Bool(flag),
                Resolved::Int(number) => Value::Number(number.into()),
                Resolved::Uint(number) => Value::Number(number.into()),
                Resolved::Float(number) => json_float(number),
                Resolved::Text => Value::String(text.clone()),
            },
            Node::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Node::Map(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(entries.into_object())
            }
        }
    }

    /// The value of a key of an object; of equal keys the last.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.node {
            Node::Map(entries) => entries.iter().rev().find(|entry| entry.key == key),
            Node::Scalar { .. } | Node::List(_) => None,
        }
    }

    /// The text of a scalar that means a text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.node {
            Node::Scalar { text, plain: false } => Some(text),
            Node::Scalar { text, plain: true } if resolve(text) == Resolved::Text => Some(text),
            _ => None,
        }
    }

    /// Whether it says nothing.
    pub fn is_null(&self) -> bool {
        matches!(&self.node, Node::Scalar { text, plain: true } if resolve(text) == Resolved::Null)
    }

    /// The node at `path`, or the nearest that there is above it; and the span of the key that led
    /// there, if a key did.
    pub fn find(&self, path: &Path) -> (&Self, Option<Span>, bool) {
        let (mut tree, mut key) = (self, None);
        for segment in &path.0 {
            match segment {
                Segment::Field(name) | Segment::Key(name) => match tree.entry(name) {
                    Some(entry) => (tree, key) = (&entry.value, Some(entry.key_span)),
                    None => return (tree, key, false),
                },
                Segment::Index(index) => match &tree.node {
                    Node::List(items) if *index < items.len() => (tree, key) = (&items[*index], None),
                    _ => return (tree, key, false),
                },
            }
        }
        (tree, key, true)
    }

    /// Where the value at `path` begins; if there is none, where the nearest thing above it does.
    pub fn position_of(&self, path: &Path) -> Position {
        self.find(path).0.span.start
    }

    /// The second and later occurrences of keys, with their paths.
    pub fn duplicate_keys(&self) -> Vec<(Path, Span)> {
        let mut found = Vec::new();
        self.collect_duplicates(&mut Path::default(), &mut found);
        found
    }

    fn collect_duplicates(&self, path: &mut Path, found: &mut Vec<(Path, Span)>) {
        match &self.node {
            Node::Scalar { .. } => {}
            Node::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.0.push(Segment::Index(index));
                    item.collect_duplicates(path, found);
                    path.0.pop();
                }
            }
            Node::Map(entries) => {
                let mut seen = std::collections::BTreeSet::new();
                for entry in entries {
                    path.0.push(Segment::Field(entry.key.clone()));
                    if !seen.insert(entry.key.as_str()) {
                        found.push((path.clone(), entry.key_span));
                    }
                    entry.value.collect_duplicates(path, found);
                    path.0.pop();
                }
            }
        }
    }
}

/// A float as Go writes it to JSON: whole ones without a fraction.
fn json_float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 9e18 {
        return Value::Number((number as i64).into());
    }
    Number::from_f64(number).map_or_else(|| Value::String(go_special(number)), Value::Number)
}

fn go_special(number: f64) -> String {
    if number.is_nan() {
        ".nan".to_owned()
    } else if number > 0.0 {
        ".inf".to_owned()
    } else {
        "-.inf".to_owned()
    }
}
