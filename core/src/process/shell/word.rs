//! Words: quotes, expansions and braces, from text to [`Part`]s.
//!
//! The grammar hands over each word as it was written. Here it is read once,
//! when the script is parsed; expansion later never looks at quotes again.
//! `brush-parser` has a reader of its own for this, which panics on
//! `{1..99999999999999999999}` and doubles its time with each open bracket, so
//! this one is ours: one pass, recursion only as deep as
//! [`MAX_EXPANSIONS`](super::guard::MAX_EXPANSIONS).

use std::sync::Arc;

use super::braces;
use super::guard::MAX_EXPANSIONS;
use super::parse::{ScriptError, parse_block};
use super::script::{Anchor, Block, Index, Name, Operation, Parameter, Part, Parts, Word};

/// Where a word stands in the script, and how deep in expansions.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) depth: usize,
}

/// What ends a run of parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    End,
    /// The closing double quote.
    Quote,
    /// The `}` of a parameter expansion.
    Brace,
    /// The `}`, or the `/` before a replacement.
    Slash,
    /// The `}`, or the `:` between offset and length.
    Colon,
    /// The `]` of a subscript.
    Bracket,
}

/// How quotes count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoting {
    /// As in plain text.
    Plain,
    /// In double quotes.
    Double,
    /// In a here-document, in arithmetic: double quotes are plain text.
    Here,
}

/// The words that a word of the script stands for: several when it has braces.
pub(crate) fn parse_words(text: &str, place: Place) -> Result<Vec<Word>, ScriptError> {
    let parts = Reader::new(text, place)?.parts(Until::End, Quoting::Plain)?;
    Ok(braces::expand(parts)
        .into_iter()
        .map(|parts| Word { parts: tildes(parts, false).into(), assign: None })
        .collect())
}

/// A word where braces stay as they are: a file name behind `>`, a pattern, the value of an assignment.
pub(crate) fn parse_word(text: &str, place: Place, assignment: bool) -> Result<Word, ScriptError> {
    let parts = Reader::new(text, place)?.parts(Until::End, Quoting::Plain)?;
    Ok(Word { parts: tildes(parts, assignment).into(), assign: None })
}

/// The body of a here-document whose delimiter was not quoted, or an arithmetic expression.
pub(crate) fn parse_here(text: &str, place: Place) -> Result<Parts, ScriptError> {
    Ok(Reader::new(text, place)?.parts(Until::End, Quoting::Here)?.into())
}

/// Turns a `~` at the beginning (in assignments also after each `:`) into a [`Part::Tilde`].
fn tildes(parts: Vec<Part>, assignment: bool) -> Vec<Part> {
    let mut out = Vec::with_capacity(parts.len());
    let last = parts.len();
    for (i, part) in parts.into_iter().enumerate() {
        let Part::Literal(text) = part else {
            out.push(part);
            continue;
        };
        let mut rest = text.as_str();
        let mut start = i == 0;
        loop {
            if start && let Some(tail) = rest.strip_prefix('~') {
                let end = tail.find(|c| c == '/' || (assignment && c == ':')).unwrap_or(tail.len());
                let name = &tail[..end];
                let whole = end < tail.len() || i + 1 == last;
                if whole && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-+.".contains(c)) {
                    out.push(Part::Tilde(name.to_owned()));
                    rest = &tail[end..];
                }
            }
            let end = if assignment { rest.find(":~").map(|colon| colon + 1) } else { None };
            let (now, later) = rest.split_at(end.unwrap_or(rest.len()));
            if !now.is_empty() {
                out.push(Part::Literal(now.to_owned()));
            }
            if later.is_empty() {
                break;
            }
            (rest, start) = (later, true);
        }
    }
    out
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    place: Place,
}

/// Collects parts, joining neighbours of the same kind.
#[derive(Default)]
struct Sink {
    parts: Vec<Part>,
}

impl Sink {
    fn literal(&mut self, c: char) {
        if let Some(Part::Literal(text)) = self.parts.last_mut() {
            text.push(c);
        } else {
            self.parts.push(Part::Literal(c.to_string()));
        }
    }

    fn quoted(&mut self, s: &str) {
        if let Some(Part::Quoted(text)) = self.parts.last_mut() {
            text.push_str(s);
        } else {
            self.parts.push(Part::Quoted(s.to_owned()));
        }
    }
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, place: Place) -> Result<Self, ScriptError> {
        if place.depth > MAX_EXPANSIONS {
            return Err(ScriptError::at(place.line, "not modelled: expansions nested this deep"));
        }
        Ok(Self { text, at: 0, place })
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, prefix: &str) -> bool {
        let found = self.rest().starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    fn line(&self) -> usize {
        self.place.line + self.text[..self.at].matches('\n').count()
    }

    fn deeper(&self) -> Place {
        Place { line: self.line(), depth: self.place.depth + 1 }
    }

    fn unmatched(&self, what: char) -> ScriptError {
        ScriptError::at_end(self.line(), &format!("unexpected EOF while looking for matching `{what}'"))
    }

    /// Reads to the end that `until` names, and over it unless it is a separator.
    fn parts(&mut self, until: Until, quoting: Quoting) -> Result<Vec<Part>, ScriptError> {
        self.place.depth += 1;
        if self.place.depth > MAX_EXPANSIONS {
            return Err(ScriptError::at(self.line(), "not modelled: expansions nested this deep"));
        }
        let parts = self.parts_inner(until, quoting);
        self.place.depth -= 1;
        parts
    }

    fn parts_inner(&mut self, until: Until, quoting: Quoting) -> Result<Vec<Part>, ScriptError> {
        let mut sink = Sink::default();
        while let Some(c) = self.peek() {
            match (until, c) {
                (Until::Quote, '"')
                | (Until::Brace | Until::Slash | Until::Colon, '}')
                | (Until::Slash, '/')
                | (Until::Colon, ':')
                | (Until::Bracket, ']') => return Ok(sink.parts),
                _ => {}
            }
            self.at += c.len_utf8();
            match c {
                '\\' => self.backslash(&mut sink, until, quoting),
                '\'' if quoting == Quoting::Plain => {
                    let end = self.rest().find('\'').ok_or_else(|| self.unmatched('\''))?;
                    sink.quoted(&self.rest()[..end]);
                    self.at += end + 1;
                }
                '"' if quoting == Quoting::Plain || (quoting == Quoting::Double && until != Until::Quote) => {
                    let inside = self.double()?;
                    sink.parts.push(Part::Double(inside.into()));
                }
                '$' => self.dollar(&mut sink, quoting)?,
                '`' => {
                    let block = self.backquotes(quoting)?;
                    sink.parts.push(Part::Substitution(block));
                }
                c => sink.literal(c),
            }
        }
        match until {
            Until::End => Ok(sink.parts),
            Until::Quote => Err(self.unmatched('"')),
            Until::Bracket => Err(self.unmatched(']')),
            Until::Brace | Until::Slash | Until::Colon => Err(self.unmatched('}')),
        }
    }

    fn backslash(&mut self, sink: &mut Sink, until: Until, quoting: Quoting) {
        let Some(c) = self.next() else {
            sink.quoted("\\");
            return;
        };
        let special = match quoting {
            Quoting::Plain => true,
            Quoting::Double => "$`\"\\\n".contains(c) || (until == Until::Brace && c == '}'),
            Quoting::Here => "$`\\\n".contains(c),
        };
        match (c, special) {
            ('\n', true) => {}
            (c, true) => sink.quoted(c.encode_utf8(&mut [0; 4])),
            (c, false) => {
                sink.literal('\\');
                sink.literal(c);
            }
        }
    }

    /// Behind an opening double quote, over the closing one.
    fn double(&mut self) -> Result<Vec<Part>, ScriptError> {
        let inside = self.parts(Until::Quote, Quoting::Double)?;
        self.at += 1;
        Ok(inside)
    }

    fn backquotes(&mut self, quoting: Quoting) -> Result<Block, ScriptError> {
        let place = self.deeper();
        let mut inner = String::new();
        loop {
            match self.next() {
                None => return Err(self.unmatched('`')),
                Some('`') => return parse_block(&inner, place),
                Some('\\') => match self.next() {
                    Some(c) if "$`\\".contains(c) || (c == '"' && quoting == Quoting::Double) => {
                        inner.push(c);
                    }
                    Some(c) => inner.extend(['\\', c]),
                    None => inner.push('\\'),
                },
                Some(c) => inner.push(c),
            }
        }
    }

    /// Behind a `$`.
    fn dollar(&mut self, sink: &mut Sink, quoting: Quoting) -> Result<(), ScriptError> {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            sink.literal('$');
            return Ok(());
        };
        if rest.starts_with("((")
            && let Some(end) = closing(self.text, self.at + 1)
            && let Some(inner_end) = arithmetic_end(self.text, self.at + 2).filter(|&inner| inner + 1 == end)
        {
            let parts = parse_here(&self.text[self.at + 2..inner_end], self.deeper())?;
            sink.parts.push(Part::Arithmetic(parts));
            self.at = end + 1;
        } else if c == '(' {
            self.at += 1;
            let end = closing(self.text, self.at).ok_or_else(|| self.unmatched(')'))?;
            let block = parse_block(&self.text[self.at..end], self.deeper())?;
            sink.parts.push(Part::Substitution(block));
            self.at = end + 1;
        } else if c == '[' {
            // The old spelling of `$((…))`.
            self.at += 1;
            let inner = self.parts(Until::Bracket, Quoting::Here)?;
            self.at += 1;
            sink.parts.push(Part::Arithmetic(inner.into()));
        } else if c == '{' {
            self.at += 1;
            let part = self.braced(quoting)?;
            sink.parts.push(part);
        } else if c == '\'' && quoting == Quoting::Plain {
            self.at += 1;
            let text = self.ansi_c()?;
            sink.quoted(&text);
        } else if c == '"' && quoting == Quoting::Plain {
            self.at += 1;
            let inside = self.double()?;
            sink.parts.push(Part::Double(inside.into()));
        } else if let Some(name) = self.bare_name() {
            let parameter = Parameter {
                text: String::new(),
                name,
                index: None,
                indirect: false,
                operation: Operation::Value,
            };
            sink.parts.push(Part::Parameter(Arc::new(parameter)));
        } else {
            sink.literal('$');
        }
        Ok(())
    }

    fn variable(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        if end == 0 || rest.as_bytes()[0].is_ascii_digit() {
            return None;
        }
        self.at += end;
        Some(rest[..end].to_owned())
    }

    fn bare_name(&mut self) -> Option<Name> {
        if let Some(name) = self.variable() {
            return Some(Name::Variable(name));
        }
        let c = self.peek()?;
        let name = match c {
            '0'..='9' => Name::Positional(c as usize - '0' as usize),
            '@' | '*' | '#' | '?' | '-' | '$' | '!' => Name::Special(c),
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    fn braced_name(&mut self) -> Option<Name> {
        let digits = self.rest().len() - self.rest().trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 {
            let number = self.rest()[..digits].parse().unwrap_or(usize::MAX);
            self.at += digits;
            return Some(Name::Positional(number));
        }
        self.bare_name()
    }

    /// Behind a `${`, over its `}`.
    fn braced(&mut self, quoting: Quoting) -> Result<Part, ScriptError> {
        let start = self.at;
        if let Some(mut parameter) = self.parameter(quoting)?
            && self.eat("}")
        {
            parameter.text = format!("${{{}", &self.text[start..self.at]);
            return Ok(Part::Parameter(Arc::new(parameter)));
        }
        // Not an expansion that bash knows: it says so when it gets there.
        self.at = start;
        self.parts(Until::Brace, quoting)?;
        self.at += 1;
        Ok(Part::Bad(format!("${{{}: bad substitution", &self.text[start..self.at])))
    }

    fn parameter(&mut self, quoting: Quoting) -> Result<Option<Parameter>, ScriptError> {
        let mut operation = Operation::Value;
        let mut indirect = false;
        let rest = self.rest();
        if rest.starts_with('#')
            && !rest.starts_with("#}")
            && !rest[1..].starts_with([':', '%', '=', '+', '/'])
        {
            let length = !matches!(rest.as_bytes().get(1..3), Some([b'-' | b'?' | b'#', c]) if *c != b'}');
            if length {
                self.at += 1;
                operation = Operation::Length;
            }
        } else if rest.starts_with('!')
            && rest[1..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '#' || c == '@')
        {
            self.at += 1;
            indirect = true;
        }
        let Some(name) = self.braced_name() else { return Ok(None) };
        let mut index = None;
        if matches!(name, Name::Variable(_)) && self.eat("[") {
            index = Some(if self.eat("@]") {
                Index::At
            } else if self.eat("*]") {
                Index::Star
            } else {
                let inner = self.parts(Until::Bracket, Quoting::Plain)?;
                self.at += 1;
                Index::Of(inner.into())
            });
        }
        let make = |operation| {
            Ok(Some(Parameter {
                name: name.clone(),
                index: index.clone(),
                indirect,
                operation,
                text: String::new(),
            }))
        };
        if indirect && matches!(index, Some(Index::At | Index::Star)) && self.peek() == Some('}') {
            return Ok(Some(Parameter {
                name,
                index,
                indirect: false,
                operation: Operation::Keys,
                text: String::new(),
            }));
        }
        if indirect && index.is_none() && (self.eat("*}") || self.eat("@}")) {
            self.at -= 1;
            return Ok(Some(Parameter {
                name,
                index,
                indirect: false,
                operation: Operation::Names,
                text: String::new(),
            }));
        }
        if matches!(operation, Operation::Length) {
            return make(Operation::Length);
        }
        // In double quotes, single quotes are plain text in a default value, but quote in a pattern.
        let inner = if quoting == Quoting::Plain { Quoting::Plain } else { Quoting::Double };
        let colon = self.rest().starts_with(':')
            && self.rest().len() > 1
            && self.rest()[1..].starts_with(['-', '=', '?', '+']);
        if colon {
            self.at += 1;
        }
        let Some(c) = self.peek() else { return Err(self.unmatched('}')) };
        match c {
            '}' => return make(Operation::Value),
            '-' | '=' | '?' | '+' => {
                self.at += 1;
                let word = tildes(self.parts(Until::Brace, inner)?, false).into();
                return make(Operation::Alternative { operator: c, colon, word });
            }
            _ => {}
        }
        operation = match c {
            '%' | '#' => {
                self.at += 1;
                let longest = self.eat(c.encode_utf8(&mut [0; 4]));
                let pattern = self.parts(Until::Brace, Quoting::Plain)?.into();
                Operation::Trim { suffix: c == '%', longest, pattern }
            }
            '/' => {
                self.at += 1;
                let anchor = match self.peek() {
                    Some('/') => Anchor::All,
                    Some('#') => Anchor::Prefix,
                    Some('%') => Anchor::Suffix,
                    _ => Anchor::First,
                };
                if anchor != Anchor::First {
                    self.at += 1;
                }
                let pattern = self.parts(Until::Slash, Quoting::Plain)?.into();
                let replacement =
                    if self.eat("/") { self.parts(Until::Brace, Quoting::Plain)? } else { Vec::new() };
                Operation::Replace { anchor, pattern, replacement: replacement.into() }
            }
            ':' => {
                self.at += 1;
                let offset = self.parts(Until::Colon, Quoting::Here)?.into();
                let length =
                    if self.eat(":") { Some(self.parts(Until::Brace, Quoting::Here)?.into()) } else { None };
                Operation::Substring { offset, length }
            }
            '^' | ',' => {
                self.at += 1;
                let all = self.eat(c.encode_utf8(&mut [0; 4]));
                let pattern = self.parts(Until::Brace, Quoting::Plain)?;
                let pattern = if pattern.is_empty() { None } else { Some(pattern.into()) };
                Operation::Case { upper: c == '^', all, pattern }
            }
            '@' => {
                self.at += 1;
                match self.next() {
                    Some(c) if "QEPAaUuLkK".contains(c) => Operation::Transform(c),
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        make(operation)
    }

    /// Behind a `$'`, over the closing quote.
    fn ansi_c(&mut self) -> Result<String, ScriptError> {
        let mut raw = String::new();
        loop {
            match self.next() {
                None => return Err(self.unmatched('\'')),
                Some('\'') => return Ok(super::escapes::ansi_c(&raw)),
                Some('\\') => {
                    raw.push('\\');
                    raw.extend(self.next());
                }
                Some(c) => raw.push(c),
            }
        }
    }
}

/// The place of the `))` that ends an arithmetic expression beginning at `at`; `None` if brackets do not fit.
fn arithmetic_end(text: &str, at: usize) -> Option<usize> {
    let mut depth = 0;
    let bytes = text.as_bytes();
    let mut i = at;
    while let Some(&byte) = bytes.get(i) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return (bytes.get(i + 1) == Some(&b')')).then_some(i),
            b')' => depth -= 1,
            b'\\' => i += 1,
            _ => {}
        }
        i += 1;
    }
    None
}

/// The place of the `)` that closes a command substitution whose text begins at `at`.
fn closing(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open: Vec<u8> = Vec::new();
    let mut i = at;
    let mut word_start = true;
    while let Some(&byte) = bytes.get(i) {
        let in_double = open.last() == Some(&b'"');
        let started = word_start;
        word_start = matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')');
        match byte {
            b'\\' => i += 1,
            b'"' if in_double => {
                open.pop();
            }
            b'"' => open.push(b'"'),
            b'\'' if !in_double => {
                // `$'…'` knows escapes, `'…'` does not.
                let ansi = i > at && bytes[i - 1] == b'$';
                i += 1;
                while i < bytes.len() && bytes[i] != b'\'' {
                    i += if ansi && bytes[i] == b'\\' { 2 } else { 1 };
                }
            }
            b'`' => {
                i += 1;
                while i < bytes.len() && bytes[i] != b'`' {
                    i += if bytes[i] == b'\\' { 2 } else { 1 };
                }
            }
            b'$' if bytes.get(i + 1) == Some(&b'(') => {
                open.push(b'(');
                i += 1;
            }
            b'$' if bytes.get(i + 1) == Some(&b'{') => {
                open.push(b'{');
                i += 1;
            }
            b'}' if open.last() == Some(&b'{') => {
                open.pop();
            }
            _ if in_double => {}
            b'(' => open.push(b'('),
            b')' => match open.last() {
                None => return Some(i),
                Some(b'(') => {
                    open.pop();
                }
                // The end of a pattern of `case`.
                Some(_) => {}
            },
            b'#' if started && open.last() != Some(&b'{') => {
                while i + 1 < bytes.len() && bytes[i + 1] != b'\n' {
                    i += 1;
                }
            }
            b'c' if started && is_word(bytes, i, b"case") => open.push(b'c'),
            b'e' if started && open.last() == Some(&b'c') && is_word(bytes, i, b"esac") => {
                open.pop();
            }
            _ => {}
        }
        i += 1;
    }
    None
}

fn is_word(bytes: &[u8], at: usize, word: &[u8]) -> bool {
    bytes[at..].starts_with(word) && bytes.get(at + word.len()).is_none_or(|&b| !b.is_ascii_alphanumeric())
}
