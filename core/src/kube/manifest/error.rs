//! Syntax errors: the message that `kubectl` prints, the exact place, and what to do.

use granit_parser::{ErrorKind, ScanError};

use super::tree::{Position, Span};

/// A text that is no YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// `yaml: line 4: found character that cannot start any token`, word for word as `kubectl` has it. Its line
    /// counts within the document, and for some errors from 0, as there.
    pub message: String,
    /// Where it really is.
    pub span: Span,
    /// What to do about it, for a person.
    pub hint: String,
}

impl SyntaxError {
    pub(super) fn new(message: impl Into<String>, at: Position, hint: &str) -> Self {
        let end = Position { column: at.column + 1, ..at };
        Self {
            message: format!("yaml: {}", message.into()),
            span: Span { start: at, end },
            hint: hint.to_owned(),
        }
    }
}

/// Which of the two parts of the original parser finds the error: they count lines differently.
enum Part {
    Scanner,
    Parser,
    /// Names no line at all.
    Decoder,
}

/// Says what the parser of `kubectl` says of an error. `text` is the document, `lines_before` what precedes it in the file.
pub(super) fn explain(error: &ScanError, text: &str, lines_before: usize) -> SyntaxError {
    let marker = error.marker();
    let (line, column) = (marker.line().max(1), marker.col());
    let lines: Vec<&str> = text.split('\n').collect();
    let last_line = lines.len();
    let at = |line: usize, column: usize| Position { line: line + lines_before, column: column + 1 };
    let next_line = (line + 1..=last_line)
        .find(|n| !lines[n - 1].trim().is_empty() && !lines[n - 1].trim_start().starts_with('#'))
        .unwrap_or(last_line);
    let (part, message, told_line, hint) = match error.kind() {
        ErrorKind::TabInBlockIndentation | ErrorKind::TabNotAllowed | ErrorKind::TabInIndentation => (
            Part::Scanner,
            "found character that cannot start any token".to_owned(),
            line,
            "YAML is indented with spaces, and here stands a tab",
        ),
        ErrorKind::UnexpectedCharacter { .. } => (
            Part::Scanner,
            "found character that cannot start any token".to_owned(),
            line,
            "a value that begins with this character must be quoted",
        ),
        ErrorKind::TabInPlainScalar => (
            Part::Scanner,
            "found a tab character that violates indentation".to_owned(),
            next_line,
            "YAML is indented with spaces, and in this line stands a tab",
        ),
        ErrorKind::MappingValueNotAllowed => (
            Part::Scanner,
            "mapping values are not allowed in this context".to_owned(),
            line,
            "quote a text that contains \": \", or check the indentation of this line",
        ),
        ErrorKind::BlockSequenceEntryNotAllowed => (
            Part::Scanner,
            "block sequence entries are not allowed in this context".to_owned(),
            line,
            "put the list's first \"- \" on a line of its own",
        ),
        ErrorKind::SimpleKeyExpected => (
            Part::Scanner,
            "could not find expected ':'".to_owned(),
            next_line,
            "this line needs the form \"key: value\"",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            Part::Scanner,
            "found unexpected end of stream".to_owned(),
            last_line,
            "the quote that opens here is never closed",
        ),
        ErrorKind::DocumentIndicatorInQuotedScalar => (
            Part::Scanner,
            "found unexpected document indicator".to_owned(),
            line,
            "the quote is not closed before the document ends",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            Part::Scanner,
            "found unknown escape character".to_owned(),
            line,
            "write \\\\ for a backslash, or use single quotes",
        ),
        ErrorKind::InvalidBlockScalarHeader => (
            Part::Scanner,
            "did not find expected comment or line break".to_owned(),
            line,
            "the text of a block begins on the line after | or >",
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            let message = match text.trim_end().chars().next_back() {
                Some(',' | '[' | '{' | ':') | None => "did not find expected node content",
                _ if *open == '[' => "did not find expected ',' or ']'",
                _ => "did not find expected ',' or '}'",
            };
            (Part::Parser, message.to_owned(), last_line, "the bracket that opens here is never closed")
        }
        ErrorKind::ExpectedFlowMappingSeparator => (
            Part::Parser,
            "did not find expected ',' or '}'".to_owned(),
            line,
            "the brace before is not closed, or a comma is missing",
        ),
        ErrorKind::ExpectedFlowSequenceSeparator | ErrorKind::InvalidColonPlacement => (
            Part::Parser,
            "did not find expected ',' or ']'".to_owned(),
            line,
            "the bracket before is not closed, or a comma is missing",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar => (
            Part::Parser,
            "did not find expected key".to_owned(),
            line,
            "fields of one object must begin in the same column",
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            Part::Parser,
            "did not find expected '-' indicator".to_owned(),
            line,
            "items of one list must begin in the same column, each with \"- \"",
        ),
        ErrorKind::ExpectedNodeContent | ErrorKind::MisplacedFlowCollectionEnd => {
            (Part::Parser, "did not find expected node content".to_owned(), line, "a value is missing here")
        }
        ErrorKind::UnknownAnchor => {
            let name: String = lines
                .get(line - 1)
                .map(|l| {
                    l.chars()
                        .skip(column + 1)
                        .take_while(|c| !c.is_whitespace() && !",[]{}".contains(*c))
                        .collect()
                })
                .unwrap_or_default();
            let message = format!("unknown anchor '{name}' referenced");
            (Part::Decoder, message, line, "no &anchor of that name stands before")
        }
        ErrorKind::RecursionLimitExceeded => (
            Part::Decoder,
            "exceeded max depth of 255".to_owned(),
            line,
            "nothing in a manifest is nested that deeply",
        ),
        _ => (Part::Scanner, error.info(), line, ""),
    };
    // The original counts lines from 0, its scanner corrects that, and line 0 is not told.
    let shown = match part {
        Part::Decoder => None,
        Part::Scanner => (told_line > 1).then_some(told_line),
        Part::Parser => (told_line > 1).then(|| told_line - 1),
    };
    let message = shown.map_or_else(|| message.clone(), |shown| format!("line {shown}: {message}"));
    // A lone carriage return ends a line for the parser alone: it may name one that is not here.
    let tab_of = |line: usize| lines.get(line - 1)?.chars().position(|c| c == '\t');
    let place = match error.kind() {
        ErrorKind::TabInPlainScalar => at(next_line, tab_of(next_line).unwrap_or(0)),
        // The scanner marks the column after the tab.
        ErrorKind::TabInBlockIndentation => at(line, tab_of(line).unwrap_or(column)),
        _ => at(line, column),
    };
    SyntaxError::new(message, place, hint)
}
