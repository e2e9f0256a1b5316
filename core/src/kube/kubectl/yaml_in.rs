//! From YAML text to JSON, as `sigs.k8s.io/yaml` converts it: YAML 1.1's plain words (`yes`, `0x1F`), the
//! last of two equal keys wins, and go-yaml's error texts.

use std::collections::BTreeMap;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError};
use serde_json::{Map, Number, Value};

/// Nodes that aliases may add up to.
const MAX_NODES: usize = 100_000;

/// The JSON of one YAML or JSON document; `null` if it is empty.
///
/// # Errors
///
/// `error converting YAML to JSON: yaml: line 3: …`
pub(super) fn to_json(text: &str) -> Result<Value, String> {
    let mut reader = Reader { anchors: BTreeMap::new(), nodes: 0 };
    let mut parser = Parser::new_from_str(text);
    let convert = |error: String| format!("error converting YAML to JSON: {error}");
    loop {
        match parser.next_event() {
            None => return Ok(Value::Null),
            Some(Err(error)) => return Err(convert(go_error(&error, text))),
            Some(Ok((Event::StreamEnd, _))) => return Ok(Value::Null),
            Some(Ok((Event::StreamStart | Event::DocumentStart(..), _))) => {}
            Some(Ok((event, _))) => {
                let value = reader.node(&mut parser, event, text).map_err(convert)?;
                // What follows must be sound too.
                while let Some(event) = parser.next_event() {
                    match event {
                        Err(error) => return Err(convert(go_error(&error, text))),
                        Ok((Event::StreamEnd, _)) => break,
                        Ok(_) => {}
                    }
                }
                return Ok(value);
            }
        }
    }
}

struct Reader {
    anchors: BTreeMap<usize, Value>,
    nodes: usize,
}

type Events<'a> = Parser<'a, granit_parser::StrInput<'a>>;

impl Reader {
    fn next<'a>(parser: &mut Events<'a>, text: &str) -> Result<Event<'a>, String> {
        match parser.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(error)) => Err(go_error(&error, text)),
            None => Err("yaml: unexpected end of stream".to_owned()),
        }
    }

    fn node<'a>(&mut self, parser: &mut Events<'a>, event: Event<'a>, text: &str) -> Result<Value, String> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err("yaml: document contains excessive aliasing".to_owned());
        }
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let tag = tag.and_then(|tag| tag.core_suffix().map(str::to_owned));
                let value = match (style, tag.as_deref()) {
                    (ScalarStyle::Plain, None) => resolve(&value),
                    (_, Some("str")) | (_, None) => Value::String(value.into_owned()),
                    _ => resolve(&value),
                };
                self.remember(anchor, &value);
                Ok(value)
            }
            Event::SequenceStart(_, anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match Self::next(parser, text)? {
                        Event::SequenceEnd => break,
                        event => items.push(self.node(parser, event, text)?),
                    }
                }
                let value = Value::Array(items);
                self.remember(anchor, &value);
                Ok(value)
            }
            Event::MappingStart(_, anchor, _) => {
                let mut map = Map::new();
                let mut merged = Vec::new();
                loop {
                    let event = Self::next(parser, text)?;
                    if event == Event::MappingEnd {
                        break;
                    }
                    let is_merge =
                        matches!(&event, Event::Scalar(key, ScalarStyle::Plain, ..) if &**key == "<<");
                    let key = self.node(parser, event, text)?;
                    let event = Self::next(parser, text)?;
                    let value = self.node(parser, event, text)?;
                    if is_merge {
                        merged.push(value);
                    } else {
                        map.insert(key_text(&key)?, value);
                    }
                }
                for value in merged {
                    let sources = match value {
                        Value::Array(items) => items,
                        other => vec![other],
                    };
                    for source in sources {
                        let Value::Object(source) = source else {
                            return Err(
                                "yaml: map merge requires map or sequence of maps as the value".to_owned()
                            );
                        };
                        for (key, value) in source {
                            map.entry(key).or_insert(value);
                        }
                    }
                }
                let value = Value::Object(map);
                self.remember(anchor, &value);
                Ok(value)
            }
            Event::Alias(id) => {
                let value = self.anchors.get(&id).cloned().unwrap_or(Value::Null);
                self.nodes += count(&value);
                Ok(value)
            }
            _ => Ok(Value::Null),
        }
    }

    fn remember(&mut self, anchor: usize, value: &Value) {
        if anchor != 0 {
            self.anchors.insert(anchor, value.clone());
        }
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Keys become text, whatever they were.
fn key_text(key: &Value) -> Result<String, String> {
    match key {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(super::print::number(number)),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Null => Ok("null".to_owned()),
        other => Err(format!("yaml: invalid map key: {}", super::print::go_syntax(other))),
    }
}

/// What a plain word means.
fn resolve(text: &str) -> Value {
    let any_case = |word: &str| {
        let mut capital = word.to_owned();
        capital[..1].make_ascii_uppercase();
        text == word || text == word.to_ascii_uppercase() || text == capital
    };
    if text.is_empty() || text == "~" || any_case("null") {
        return Value::Null;
    }
    if ["true", "yes", "on"].into_iter().any(any_case) || matches!(text, "y" | "Y") {
        return Value::Bool(true);
    }
    if ["false", "no", "off"].into_iter().any(any_case) || matches!(text, "n" | "N") {
        return Value::Bool(false);
    }
    if super::print::looks_like_number(text) {
        return number(text).unwrap_or_else(|| Value::String(text.to_owned()));
    }
    Value::String(text.to_owned())
}

fn number(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    let (negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let radix = |digits: &str| -> Option<i128> {
        let lower = digits.to_ascii_lowercase();
        for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
            if let Some(rest) = lower.strip_prefix(prefix) {
                return i128::from_str_radix(rest, radix).ok();
            }
        }
        // A leading zero means octal, if all digits are.
        if lower.len() > 1 && lower.starts_with('0') {
            return i128::from_str_radix(&lower, 8).ok();
        }
        lower.parse().ok()
    };
    if let Some(value) = radix(digits) {
        let value = if negative { -value } else { value };
        if let Ok(int) = i64::try_from(value) {
            return Some(Value::from(int));
        }
        if let Ok(int) = u64::try_from(value) {
            return Some(Value::from(int));
        }
    }
    let float: f64 = plain.parse().ok()?;
    // JSON numbers without a fraction are whole numbers again when they are read.
    if float.fract() == 0.0 && float.abs() < 1e15 {
        return Some(Value::from(float as i64));
    }
    Number::from_f64(float).map(Value::Number)
}

/// go-yaml's words for what is wrong, with its line.
fn go_error(error: &ScanError, text: &str) -> String {
    let line = error.marker().line();
    let last = text.lines().count();
    let (line, what) = match error.kind() {
        ErrorKind::UnknownAnchor => {
            let start = error.marker().index();
            let name: String = text
                .chars()
                .skip(start)
                .skip_while(|c| *c == '*' || *c == ' ')
                .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
                .collect();
            return format!("yaml: unknown anchor '{name}' referenced");
        }
        ErrorKind::TabNotAllowed | ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation => {
            (line, "found character that cannot start any token")
        }
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::SimpleKeyExpected | ErrorKind::InvalidIndentation => {
            (line.saturating_sub(1).max(1), "did not find expected key")
        }
        ErrorKind::ExpectedFlowMappingSeparator => {
            (line.saturating_sub(1), "did not find expected ',' or '}'")
        }
        ErrorKind::ExpectedFlowSequenceSeparator => {
            (line.saturating_sub(1), "did not find expected ',' or ']'")
        }
        ErrorKind::ExpectedNodeContent => (line, "did not find expected node content"),
        ErrorKind::UnclosedQuotedScalar => (last + 1, "found unexpected end of stream"),
        ErrorKind::UnclosedFlowCollection { .. } => (line, "did not find expected node content"),
        other => return format!("yaml: line {line}: {other}"),
    };
    format!("yaml: line {line}: {what}")
}
