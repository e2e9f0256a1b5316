//! From YAML events to a [`Tree`].

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span as EventSpan, Tag};

use super::error::{SyntaxError, explain};
use super::scalar::key_text;
use super::tree::{Entry, Node, Position, Span, Tree};

/// Nodes that a document may have once its aliases are expanded.
const MAX_NODES: usize = 1_000_000;

/// Parses a text of one document; nothing at all gives a null.
///
/// # Errors
///
/// The first syntax error.
pub fn parse_tree(text: &str) -> Result<Tree, SyntaxError> {
    parse_chunk(text, 0)
}

/// Parses one document that stands after `lines_before` other lines.
pub(super) fn parse_chunk(text: &str, lines_before: usize) -> Result<Tree, SyntaxError> {
    if let Some(at) = control_character(text, lines_before) {
        return Err(SyntaxError::new(
            "control characters are not allowed",
            at,
            "remove the invisible character here",
        ));
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder { lines_before, ..Builder::default() };
    for item in Parser::new_from_str_with_options(text, options) {
        let (event, span) = item.map_err(|error| explain(&error, text, lines_before))?;
        builder.take(event, span)?;
        if builder.finished {
            break;
        }
    }
    let start = builder.position(1, 0);
    let nothing = Node::Scalar { text: String::new(), plain: true };
    Ok(builder.root.unwrap_or(Tree { node: nothing, span: Span { start, end: start } }))
}

fn control_character(text: &str, lines_before: usize) -> Option<Position> {
    let allowed = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    text.split('\n').enumerate().find_map(|(line, content)| {
        let column = content.chars().position(|c| !allowed(c))?;
        Some(Position { line: line + 1 + lines_before, column: column + 1 })
    })
}

/// A collection that is not closed yet.
enum Open {
    List { items: Vec<Tree>, start: Position, anchor: usize },
    Map { entries: Vec<Entry>, key: Option<(String, Span)>, start: Position, anchor: usize },
}

#[derive(Default)]
struct Builder {
    lines_before: usize,
    stack: Vec<Open>,
    anchors: BTreeMap<usize, (Tree, usize)>,
    nodes: usize,
    root: Option<Tree>,
    finished: bool,
}

impl Builder {
    fn position(&self, line: usize, column: usize) -> Position {
        Position { line: line + self.lines_before, column: column + 1 }
    }

    fn span(&self, span: &EventSpan) -> Span {
        Span {
            start: self.position(span.start.line(), span.start.col()),
            end: self.position(span.end.line(), span.end.col()),
        }
    }

    fn take(&mut self, event: Event<'_>, event_span: EventSpan) -> Result<(), SyntaxError> {
        let span = self.span(&event_span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = is_plain(style, tag.as_deref());
                let node = Node::Scalar { text: text.into_owned(), plain };
                self.add(Tree { node, span }, anchor, 1)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.stack.push(Open::List { items: Vec::new(), start: span.start, anchor });
                Ok(())
            }
            Event::MappingStart(_, anchor, _) => {
                self.stack.push(Open::Map { entries: Vec::new(), key: None, start: span.start, anchor });
                Ok(())
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span.end),
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some((tree, size)) => self.add(Tree { span, ..tree }, 0, size),
                // An anchor is known only once its node is complete.
                None => Err(SyntaxError::new(
                    "anchor contains itself",
                    span.start,
                    "an alias cannot stand inside its own anchor",
                )),
            },
            Event::DocumentEnd => {
                self.finished = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn close(&mut self, end: Position) -> Result<(), SyntaxError> {
        match self.stack.pop() {
            Some(Open::List { items, start, anchor }) => {
                let end = items.last().map_or(end, |item| item.span.end.max(start));
                self.add(Tree { node: Node::List(items), span: Span { start, end } }, anchor, 1)
            }
            Some(Open::Map { entries, start, anchor, .. }) => {
                let end = entries.last().map_or(end, |entry| entry.value.span.end.max(start));
                let entries = merge_keys(entries)?;
                self.add(Tree { node: Node::Map(entries), span: Span { start, end } }, anchor, 1)
            }
            None => Ok(()),
        }
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, tree: Tree, anchor: usize, size: usize) -> Result<(), SyntaxError> {
        self.nodes += size;
        if self.nodes > MAX_NODES {
            let hint = "the document, with its aliases written out, is too large";
            return Err(SyntaxError::new("document contains excessive aliasing", tree.span.start, hint));
        }
        if anchor != 0 {
            let size = count(&tree);
            self.anchors.insert(anchor, (tree.clone(), size));
        }
        match self.stack.last_mut() {
            None => self.root = Some(tree),
            Some(Open::List { items, .. }) => items.push(tree),
            Some(Open::Map { entries, key, .. }) => match key.take() {
                Some((key, key_span)) => entries.push(Entry { key, key_span, value: tree }),
                None => match tree.node {
                    Node::Scalar { text, plain } => {
                        let text = if plain { key_text(&text) } else { text };
                        *key = Some((text, tree.span));
                    }
                    Node::List(_) | Node::Map(_) => {
                        let hint = "a key must be a plain text";
                        return Err(SyntaxError::new("invalid map key", tree.span.start, hint));
                    }
                },
            },
        }
        Ok(())
    }
}

fn count(tree: &Tree) -> usize {
    match &tree.node {
        Node::Scalar { .. } => 1,
        Node::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Node::Map(entries) => 1 + entries.iter().map(|entry| 1 + count(&entry.value)).sum::<usize>(),
    }
}

/// Whether a scalar may mean something else than its text. `!!str 5` and `"5"` may not.
fn is_plain(style: ScalarStyle, tag: Option<&Tag>) -> bool {
    let as_text = tag.is_some_and(|tag| tag.core_suffix() == Some("str") || tag.suffix().is_empty());
    style == ScalarStyle::Plain && !as_text
}

/// `<<: *defaults`: the entries of another object, unless this one has them itself.
fn merge_keys(entries: Vec<Entry>) -> Result<Vec<Entry>, SyntaxError> {
    if !entries.iter().any(|entry| entry.key == "<<") {
        return Ok(entries);
    }
    let (merges, mut own): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(|entry| entry.key == "<<");
    for merge in merges {
        let at = merge.value.span.start;
        let wrong = || {
            SyntaxError::new(
                "map merge requires map or sequence of maps as the value",
                at,
                "<< takes an alias of an object",
            )
        };
        let sources = match merge.value.node {
            Node::Map(entries) => vec![entries],
            Node::List(items) => items
                .into_iter()
                .map(|item| match item.node {
                    Node::Map(entries) => Ok(entries),
                    Node::Scalar { .. } | Node::List(_) => Err(wrong()),
                })
                .collect::<Result<_, _>>()?,
            Node::Scalar { .. } => return Err(wrong()),
        };
        for entry in sources.into_iter().flatten() {
            if !own.iter().any(|present| present.key == entry.key) {
                own.push(entry);
            }
        }
    }
    Ok(own)
}
