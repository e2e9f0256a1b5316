//! Parameter expansion: everything between `${` and `}`.

use super::expand::{Expander, Fault, Piece, Result};
use super::script::{Anchor, Index, Name, Operation, Parameter, Parts};
use super::vars::{Key, Value};
use crate::order::Collected;
use crate::process::pattern::Pattern;

impl Parameter {
    /// Whether it may expand to no field at all inside double quotes: `$@`, `${a[@]}`.
    pub(crate) fn is_list(&self) -> bool {
        let at = self.name == Name::Special('@') || matches!(self.index, Some(Index::At));
        at && !matches!(self.operation, Operation::Length)
            || matches!(self.operation, Operation::Keys | Operation::Names)
    }
}

/// What a parameter holds.
enum Held {
    Unset,
    One(String),
    /// The elements of `@` or, when `star`, of `*`.
    Many {
        values: Vec<String>,
        star: bool,
    },
}

/// The text that a value gives without a subscript.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Unset => None,
        Value::Text(text) => Some(text.clone()),
        Value::Array(array) => array.get(&0).cloned(),
        Value::Map(map) => map.get("0").cloned(),
    }
}

fn elements(value: &Value) -> Vec<String> {
    match value {
        Value::Unset => Vec::new(),
        Value::Text(text) => vec![text.clone()],
        Value::Array(array) => array.values().cloned().collect(),
        Value::Map(map) => map.values().cloned().collect(),
    }
}

fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Unset => Vec::new(),
        Value::Text(_) => vec!["0".into()],
        Value::Array(array) => array.keys().map(ToString::to_string).collect(),
        Value::Map(map) => map.keys().cloned().collect(),
    }
}

impl Expander<'_> {
    /// A variable, of which some are made when they are asked for.
    pub(crate) fn variable(&mut self, name: &str) -> Option<Value> {
        let text = match name {
            "RANDOM" => self.shell.vars.next_random().to_string(),
            "SECONDS" if self.shell.vars.get(name).is_none() => {
                self.now.since(self.shell.started).as_secs().to_string()
            }
            "EPOCHSECONDS" => self.epoch.timestamp(self.now).as_second().to_string(),
            "EPOCHREALTIME" => {
                let micros = self.epoch.timestamp(self.now).as_microsecond();
                format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
            }
            "LINENO" => self.shell.line.to_string(),
            "BASHPID" => self.shell.own_pid.to_string(),
            "FUNCNAME" => {
                let names = self.shell.calls.iter().rev().cloned().enumerate().into_map();
                return Some(Value::Array(names));
            }
            _ => return self.shell.vars.get(name).map(|var| var.value.clone()),
        };
        Some(Value::Text(text))
    }

    /// The subscript `[index]` of the variable `name`.
    pub(crate) fn key(&mut self, name: &str, index: &Parts) -> Result<Key> {
        let is_map = matches!(self.shell.vars.get(name).map(|var| &var.value), Some(Value::Map(_)));
        let text = self.text(index)?;
        Ok(if is_map { Key::Text(text) } else { Key::Number(self.evaluate(&text)?) })
    }

    fn special(&mut self, name: char) -> Held {
        let shell = &self.shell;
        Held::One(match name {
            '@' | '*' => return Held::Many { values: shell.positional.to_vec(), star: name == '*' },
            '#' => shell.positional.len().to_string(),
            '?' => shell.status.to_string(),
            '$' => shell.pid.to_string(),
            '-' => shell.options.flags(),
            '!' => match shell.background {
                Some(pid) => pid.to_string(),
                None => return Held::Unset,
            },
            _ => return Held::Unset,
        })
    }

    fn held(&mut self, name: &Name, index: Option<&Index>) -> Result<Held> {
        Ok(match name {
            Name::Positional(0) => Held::One(self.shell.name.clone()),
            Name::Positional(n) => self.shell.positional.get(n - 1).cloned().map_or(Held::Unset, Held::One),
            Name::Special(c) => self.special(*c),
            Name::Variable(name) => {
                let key = match index {
                    Some(Index::Of(parts)) => Some(self.key(name, parts)?),
                    _ => None,
                };
                let Some(value) = self.variable(name) else {
                    return Ok(match index {
                        Some(Index::At | Index::Star) => {
                            Held::Many { values: Vec::new(), star: matches!(index, Some(Index::Star)) }
                        }
                        _ => Held::Unset,
                    });
                };
                match (index, key) {
                    (Some(Index::At), _) => Held::Many { values: elements(&value), star: false },
                    (Some(Index::Star), _) => Held::Many { values: elements(&value), star: true },
                    (_, Some(key)) => self.element(name, &value, &key)?.map_or(Held::Unset, Held::One),
                    _ => scalar(&value).map_or(Held::Unset, Held::One),
                }
            }
        })
    }

    fn element(&mut self, name: &str, value: &Value, key: &Key) -> Result<Option<String>> {
        Ok(match (value, key) {
            (Value::Map(map), key) => map.get(&key.to_string()).cloned(),
            (Value::Array(array), Key::Number(n)) => {
                let end = array.last_key_value().map_or(0, |(last, _)| *last as i64 + 1);
                match usize::try_from(if *n < 0 { end.saturating_add(*n) } else { *n }) {
                    Ok(n) => array.get(&n).cloned(),
                    Err(_) => {
                        let message = self.shell.complaint(&format!("{name}: bad array subscript"));
                        self.shell.messages.push_str(&message);
                        None
                    }
                }
            }
            (value, Key::Number(0 | -1)) => scalar(value),
            _ => None,
        })
    }

    fn name_text(&self, parameter: &Parameter) -> String {
        match (&parameter.name, &parameter.index) {
            (Name::Variable(name), Some(Index::At)) => format!("{name}[@]"),
            (Name::Variable(name), Some(Index::Star)) => format!("{name}[*]"),
            (Name::Variable(name), Some(Index::Of(_))) => {
                let inner = parameter.text.find('[').zip(parameter.text.rfind(']'));
                format!("{name}{}", inner.map_or("", |(a, b)| &parameter.text[a..=b]))
            }
            (Name::Variable(name), None) => name.clone(),
            (Name::Positional(n), _) => n.to_string(),
            (Name::Special(c), _) => c.to_string(),
        }
    }

    pub(crate) fn parameter(
        &mut self,
        parameter: &Parameter,
        quoted: bool,
        out: &mut Vec<Piece>,
    ) -> Result<()> {
        match &parameter.operation {
            Operation::Keys => {
                let Name::Variable(name) = &parameter.name else { return Ok(()) };
                let values = self.variable(name).map_or_else(Vec::new, |value| keys(&value));
                let star = matches!(parameter.index, Some(Index::Star));
                self.push_many(values, star, quoted, out);
                return Ok(());
            }
            Operation::Names => {
                let Name::Variable(prefix) = &parameter.name else { return Ok(()) };
                let names = self.shell.vars.names().map(|(name, _)| name);
                let values =
                    names.filter(|name| name.starts_with(prefix.as_str())).map(ToOwned::to_owned).collect();
                self.push_many(values, false, quoted, out);
                return Ok(());
            }
            _ => {}
        }
        let mut held = self.held(&parameter.name, parameter.index.as_ref())?;
        if parameter.indirect {
            held = self.indirect(parameter, held)?;
        }
        if let Operation::Alternative { operator, colon, word } = &parameter.operation {
            return self.alternative(parameter, held, (*operator, *colon, word), quoted, out);
        }
        if self.shell.options.nounset {
            let list = matches!(held, Held::Many { .. });
            if matches!(held, Held::Unset) && !list {
                let mark = if matches!(parameter.name, Name::Positional(_)) { "$" } else { "" };
                return Err(Fault::Exit(format!("{mark}{}: unbound variable", self.name_text(parameter))));
            }
        }
        match &parameter.operation {
            Operation::Length => {
                let length = match held {
                    Held::Unset => 0,
                    Held::One(text) => text.chars().count(),
                    Held::Many { values, .. } => values.len(),
                };
                self.push_value(length.to_string(), quoted, out);
                Ok(())
            }
            Operation::Value => {
                self.push_held(held, quoted, out);
                Ok(())
            }
            Operation::Substring { offset, length } => {
                let offset = self.arithmetic(offset)?;
                let length = length.as_ref().map(|length| self.arithmetic(length)).transpose()?;
                let is_positional = matches!(parameter.name, Name::Special('@' | '*'));
                let held = match held {
                    Held::Many { mut values, star } => {
                        if is_positional {
                            values.insert(0, self.shell.name.clone());
                        }
                        let picked = slice(values.len(), offset, length, true)?;
                        Held::Many { values: values.drain(picked).collect(), star }
                    }
                    Held::One(text) => {
                        let chars: Vec<char> = text.chars().collect();
                        Held::One(chars[slice(chars.len(), offset, length, false)?].iter().collect())
                    }
                    Held::Unset => Held::Unset,
                };
                self.push_held(held, quoted, out);
                Ok(())
            }
            Operation::Transform(c @ ('a' | 'A')) => {
                let text = self.attributes(parameter, *c == 'A', &held);
                self.push_value(text, quoted, out);
                Ok(())
            }
            operation => {
                let change = self.change(operation)?;
                let held = match held {
                    Held::Unset => Held::Unset,
                    Held::One(text) => Held::One(change(&text)),
                    Held::Many { values, star } => {
                        Held::Many { values: values.iter().map(|text| change(text)).collect(), star }
                    }
                };
                self.push_held(held, quoted, out);
                Ok(())
            }
        }
    }

    fn indirect(&mut self, parameter: &Parameter, held: Held) -> Result<Held> {
        let Held::One(target) = held else {
            return Err(Fault::Discard(format!("{}: invalid indirect expansion", self.name_text(parameter))));
        };
        let (name, index) = match target.split_once('[') {
            Some((name, rest)) => match rest.strip_suffix(']') {
                Some("@") => (name, Some(Index::At)),
                Some("*") => (name, Some(Index::Star)),
                Some(index) => {
                    (name, Some(Index::Of([super::script::Part::Literal(index.to_owned())].into())))
                }
                None => (name, None),
            },
            None => (target.as_str(), None),
        };
        let name = match name.parse::<usize>() {
            Ok(n) => Name::Positional(n),
            Err(_) => match name.chars().next() {
                Some(c @ ('@' | '*' | '#' | '?' | '$' | '!')) => Name::Special(c),
                _ if super::vars::is_name(name) => Name::Variable(name.to_owned()),
                _ => return Err(Fault::Discard(format!("{target}: invalid variable name"))),
            },
        };
        self.held(&name, index.as_ref())
    }

    fn alternative(
        &mut self,
        parameter: &Parameter,
        held: Held,
        (operator, colon, word): (char, bool, &Parts),
        quoted: bool,
        out: &mut Vec<Piece>,
    ) -> Result<()> {
        let usable = match &held {
            Held::Unset => false,
            Held::One(text) => !colon || !text.is_empty(),
            Held::Many { values, .. } => {
                !values.is_empty()
                    && (!colon || values.len() > 1 || values.iter().any(|value| !value.is_empty()))
            }
        };
        match (operator, usable) {
            ('+', true) | ('-', false) => {
                let before = out.len();
                word.iter().try_for_each(|part| self.part(part, quoted, true, out))?;
                if quoted && out.len() == before {
                    out.push(Piece::Text { text: String::new(), quoted: true });
                }
            }
            ('+', false) => {
                if quoted {
                    out.push(Piece::Text { text: String::new(), quoted: true });
                }
            }
            ('=', false) => {
                let text = self.text(word)?;
                match (&parameter.name, &parameter.index) {
                    (Name::Variable(name), None) => self.shell.vars.set(name, text.clone())?,
                    (Name::Variable(name), Some(Index::Of(index))) => {
                        let key = self.key(name, index)?;
                        self.shell.vars.set_element(name, &key, text.clone())?;
                    }
                    _ => {
                        let name = self.name_text(parameter);
                        return Err(Fault::Discard(format!("${name}: cannot assign in this way")));
                    }
                }
                self.push_value(text, quoted, out);
            }
            ('?', false) => {
                let mut message = self.text(word)?;
                if message.is_empty() {
                    message = if colon { "parameter null or not set" } else { "parameter not set" }.into();
                }
                return Err(Fault::Exit(format!("{}: {message}", self.name_text(parameter))));
            }
            _ => self.push_held(held, quoted, out),
        }
        Ok(())
    }

    fn push_held(&mut self, held: Held, quoted: bool, out: &mut Vec<Piece>) {
        match held {
            // Inside double quotes an unset variable is an empty text all the same.
            Held::Unset => self.push_value(String::new(), quoted, out),
            Held::One(text) => self.push_value(text, quoted, out),
            Held::Many { values, star } => self.push_many(values, star, quoted, out),
        }
    }

    fn push_many(&mut self, values: Vec<String>, star: bool, quoted: bool, out: &mut Vec<Piece>) {
        if star && (quoted || !self.split) {
            let ifs = self.shell.vars.text("IFS").unwrap_or(" \t\n");
            let separator = ifs.chars().next().map_or_else(String::new, String::from);
            out.push(Piece::Text { text: values.join(&separator), quoted });
            return;
        }
        for (i, value) in values.into_iter().enumerate() {
            if i > 0 {
                out.push(Piece::Break);
            }
            self.push_value(value, quoted, out);
        }
    }

    /// The change that an operation makes to each value.
    fn change(&mut self, operation: &Operation) -> Result<Box<dyn Fn(&str) -> String>> {
        Ok(match operation {
            Operation::Trim { suffix, longest, pattern } => {
                let pattern = Pattern::new(&self.pattern(pattern)?);
                let (suffix, longest) = (*suffix, *longest);
                Box::new(move |text| {
                    let chars: Vec<char> = text.chars().collect();
                    if suffix {
                        let n = pattern.suffix(&chars, longest).unwrap_or(0);
                        chars[..chars.len() - n].iter().collect()
                    } else {
                        let n = pattern.prefix(&chars, longest).unwrap_or(0);
                        chars[n..].iter().collect()
                    }
                })
            }
            Operation::Replace { anchor, pattern, replacement } => {
                let pattern = Pattern::new(&self.pattern(pattern)?);
                let replacement = self.text(replacement)?;
                let anchor = *anchor;
                Box::new(move |text| {
                    let chars: Vec<char> = text.chars().collect();
                    match anchor {
                        Anchor::First => pattern.replace(text, &replacement, false),
                        Anchor::All => pattern.replace(text, &replacement, true),
                        Anchor::Prefix => match pattern.prefix(&chars, true) {
                            Some(n) => replacement.chars().chain(chars[n..].iter().copied()).collect(),
                            None => text.to_owned(),
                        },
                        Anchor::Suffix => match pattern.suffix(&chars, true) {
                            Some(n) => {
                                chars[..chars.len() - n].iter().copied().chain(replacement.chars()).collect()
                            }
                            None => text.to_owned(),
                        },
                    }
                })
            }
            Operation::Case { upper, all, pattern } => {
                let pattern = pattern.as_ref().map(|parts| self.pattern(parts)).transpose()?;
                let pattern = pattern.map(|text| Pattern::new(&text));
                let (upper, all) = (*upper, *all);
                Box::new(move |text| {
                    let mut out = String::new();
                    for (i, c) in text.chars().enumerate() {
                        let fits = pattern.as_ref().is_none_or(|p| p.matches(c.encode_utf8(&mut [0; 4])));
                        match (fits && (all || i == 0), upper) {
                            (true, true) => out.extend(c.to_uppercase()),
                            (true, false) => out.extend(c.to_lowercase()),
                            (false, _) => out.push(c),
                        }
                    }
                    out
                })
            }
            Operation::Transform(c) => match c {
                'U' => Box::new(str::to_uppercase),
                'L' => Box::new(str::to_lowercase),
                'u' => Box::new(|text| {
                    let mut chars = text.chars();
                    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
                }),
                'E' => Box::new(super::escapes::ansi_c),
                'Q' | 'K' | 'k' => Box::new(quote_always),
                _ => Box::new(ToOwned::to_owned),
            },
            _ => Box::new(ToOwned::to_owned),
        })
    }

    fn attributes(&mut self, parameter: &Parameter, assignment: bool, held: &Held) -> String {
        let Name::Variable(name) = &parameter.name else { return String::new() };
        let Some(var) = self.shell.vars.get(name) else { return String::new() };
        let flags = var.flags();
        if !assignment {
            return flags;
        }
        match held {
            Held::One(text) if flags.is_empty() => format!("{name}={}", quote_always(text)),
            Held::One(text) => format!("declare -{flags} {name}={}", quote_always(text)),
            _ => String::new(),
        }
    }
}

/// The range that `:offset:length` picks out of `len` values.
fn slice(len: usize, offset: i64, length: Option<i64>, list: bool) -> Result<std::ops::Range<usize>> {
    let len = len as i64;
    let start = if offset < 0 { len.saturating_add(offset) } else { offset };
    if start < 0 || start > len {
        return Ok(0..0);
    }
    let end = match length {
        None => len,
        Some(length) if length < 0 => {
            let end = len.saturating_add(length);
            if list || end < start {
                return Err(Fault::Discard(format!("{length}: substring expression < 0")));
            }
            end
        }
        Some(length) => start.saturating_add(length).min(len),
    };
    Ok(start as usize..end as usize)
}

/// In single quotes, as `${name@Q}` and `set` print it.
pub(crate) fn quote_always(text: &str) -> String {
    if text.contains(|c: char| c.is_control()) {
        let mut out = String::from("$'");
        for c in text.chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\'' => out.push_str("\\'"),
                '\\' => out.push_str("\\\\"),
                '\x1b' => out.push_str("\\E"),
                c if c.is_control() => out.push_str(&format!("\\{:03o}", c as u32)),
                c => out.push(c),
            }
        }
        out.push('\'');
        return out;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// In single quotes only if the shell would read it otherwise: for `set -x` and `set`.
pub(crate) fn quote_if_needed(text: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || "_-+./:=@%,^~#{}]".contains(c);
    let harmless = !text.is_empty() && text.chars().all(safe) && !text.starts_with(['~', '#', '{', '}']);
    if harmless { text.to_owned() } else { quote_always(text) }
}
