//! The parser: one pass over the characters, as the original goes.

use super::{JsonPathError, Node, Param};

type Result<T> = std::result::Result<T, JsonPathError>;

/// Parses a whole template.
pub(super) fn template(text: &str) -> Result<Vec<Node>> {
    let mut parser = Parser { input: text.chars().collect(), start: 0, pos: 0, root: Vec::new() };
    parser.text()?;
    Ok(parser.root)
}

/// Parses the inside of one action.
fn action(text: &str) -> Result<Vec<Node>> {
    let nodes = template(&format!("{{{text}}}"))?;
    match nodes.into_iter().next() {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

fn error<T>(message: impl Into<String>) -> Result<T> {
    Err(JsonPathError(message.into()))
}

struct Parser {
    input: Vec<char>,
    start: usize,
    pos: usize,
    root: Vec<Node>,
}

impl Parser {
    fn next(&mut self) -> Option<char> {
        let c = self.input.get(self.pos).copied();
        // Past the end the position does not move, so that stepping back is always right.
        self.pos += usize::from(c.is_some());
        c
    }

    fn peek(&self) -> Option<char> {
        self.input.get(self.pos).copied()
    }

    /// Steps back over the character that [`next`](Self::next) has just given.
    fn back(&mut self, given: Option<char>) {
        self.pos -= usize::from(given.is_some());
    }

    fn consume(&mut self) -> String {
        let text = self.input[self.start..self.pos].iter().collect();
        self.start = self.pos;
        text
    }

    fn at(&self, prefix: &str) -> bool {
        prefix.chars().enumerate().all(|(i, c)| self.input.get(self.pos + i) == Some(&c))
    }

    /// Text and actions, alternating, to the end.
    fn text(&mut self) -> Result<()> {
        loop {
            if self.at("{") {
                if self.pos > self.start {
                    let text = self.consume();
                    self.root.push(Node::Text(text));
                }
                self.pos += 1;
                self.consume();
                let mut nodes = Vec::new();
                self.inside(&mut nodes)?;
                self.root.push(Node::List(nodes));
                continue;
            }
            if self.next().is_none() {
                break;
            }
        }
        if self.pos > self.start {
            let text = self.consume();
            self.root.push(Node::Text(text));
        }
        Ok(())
    }

    /// The inside of an action, to its closing brace.
    fn inside(&mut self, nodes: &mut Vec<Node>) -> Result<()> {
        loop {
            if self.at("}") {
                self.pos += 1;
                self.consume();
                return Ok(());
            }
            if self.at("[?(") {
                self.filter(nodes)?;
                continue;
            }
            if self.at("..") {
                self.recursive(nodes)?;
                continue;
            }
            match self.next() {
                None | Some('\r' | '\n') => return error("unclosed action"),
                Some(' ' | '@' | '$') => {
                    self.consume();
                }
                Some('[') => self.array(nodes)?,
                Some(quote @ ('"' | '\'')) => self.quoted(nodes, quote)?,
                Some('.') => self.field(nodes),
                given @ Some('+' | '-' | '0'..='9') => {
                    self.back(given);
                    self.number(nodes)?;
                }
                given @ Some(c) if c == '_' || c.is_alphanumeric() => {
                    self.back(given);
                    self.identifier(nodes);
                }
                Some(c) => {
                    return error(format!("unrecognized character in action: U+{:04X} '{c}'", u32::from(c)));
                }
            }
        }
    }

    fn identifier(&mut self, nodes: &mut Vec<Node>) {
        loop {
            let c = self.next();
            if is_terminator(c) {
                self.back(c);
                break;
            }
        }
        let word = self.consume();
        nodes.push(match word.as_str() {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            _ => Node::Identifier(word),
        });
    }

    fn recursive(&mut self, nodes: &mut Vec<Node>) -> Result<()> {
        if nodes.last() == Some(&Node::Recursive) {
            return error("invalid multiple recursive descent");
        }
        self.pos += 2;
        self.consume();
        nodes.push(Node::Recursive);
        if self.peek().is_some_and(|c| c == '_' || c.is_alphanumeric()) {
            self.field(nodes);
        }
        Ok(())
    }

    fn number(&mut self, nodes: &mut Vec<Node>) -> Result<()> {
        if matches!(self.peek(), Some('+' | '-')) {
            self.next();
        }
        loop {
            let c = self.next();
            if !c.is_some_and(|c| c == '.' || c.is_ascii_digit()) {
                self.back(c);
                break;
            }
        }
        let text = self.consume();
        if let Ok(int) = text.parse::<i64>() {
            nodes.push(Node::Int(int));
        } else if let Ok(float) = text.parse::<f64>() {
            nodes.push(Node::Float(float));
        } else {
            return error(format!("cannot parse number {text}"));
        }
        Ok(())
    }

    fn array(&mut self, nodes: &mut Vec<Node>) -> Result<()> {
        loop {
            match self.next() {
                None | Some('\n') => return error("unterminated array"),
                Some(']') => break,
                Some(_) => {}
            }
        }
        let text = self.consume();
        let text = &text[1..text.len() - 1];
        let text = if text == "*" { ":" } else { text };
        if text.contains(',') {
            let members = text.split(',').map(|member| action(&format!("[{}]", member.trim_matches(' '))));
            nodes.push(Node::Union(members.collect::<Result<_>>()?));
            return Ok(());
        }
        if let Some(key) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''))
            && !key.contains('\'')
        {
            nodes.extend(action(&format!(".{key}"))?);
            return Ok(());
        }
        let Some(numbers) = slice_numbers(text) else {
            return error(format!("invalid array index {text}"));
        };
        let mut params = [Param::default(); 3];
        for (i, number) in numbers.iter().enumerate() {
            match number {
                Some("") if i > 0 => {}
                Some(digits) => {
                    let Ok(value) = digits.parse() else {
                        return error(format!("array index {digits} is not a number"));
                    };
                    params[i] = Param { value, known: true, derived: false };
                }
                None if i == 1 => {
                    params[1] =
                        Param { value: params[0].value.saturating_add(1), known: true, derived: true };
                }
                None => {}
            }
        }
        nodes.push(Node::Array(params));
        Ok(())
    }

    fn filter(&mut self, nodes: &mut Vec<Node>) -> Result<()> {
        self.pos += 3;
        self.consume();
        let (mut begin, mut end, mut pair) = (false, false, ' ');
        loop {
            match self.next() {
                None | Some('\n') => return error("unterminated filter"),
                Some(c @ ('"' | '\'')) => {
                    if begin {
                        if c == pair && self.input[self.pos - 2] != '\\' {
                            end = true;
                        }
                    } else {
                        (begin, pair) = (true, c);
                    }
                }
                Some(')') if begin == end => break,
                Some(_) => {}
            }
        }
        if self.next() != Some(']') {
            return error("unclosed array expect ]");
        }
        let text = self.consume();
        let text: String = text.chars().take(text.chars().count() - 2).collect();
        nodes.push(match comparison(&text) {
            None => Node::Filter { left: action(&text)?, right: Vec::new(), operator: "exists".to_owned() },
            Some((left, operator, right)) => {
                Node::Filter { left: action(left)?, right: action(right)?, operator: operator.to_owned() }
            }
        });
        Ok(())
    }

    fn quoted(&mut self, nodes: &mut Vec<Node>, quote: char) -> Result<()> {
        loop {
            match self.next() {
                None | Some('\n') => return error("unterminated quoted string"),
                Some(c) if c == quote && self.input[self.pos - 2] != '\\' => break,
                Some(_) => {}
            }
        }
        let text = self.consume();
        let Some(value) = unquote(&text) else {
            return error(format!("unquote string {text} error invalid syntax"));
        };
        nodes.push(Node::Text(value));
        Ok(())
    }

    fn field(&mut self, nodes: &mut Vec<Node>) {
        self.consume();
        loop {
            let c = self.next();
            if c == Some('\\') {
                self.next();
            } else if is_terminator(c) {
                self.back(c);
                break;
            }
        }
        let name = self.consume();
        nodes.push(if name == "*" { Node::Wildcard } else { Node::Field(name.replace('\\', "")) });
    }
}

const fn is_terminator(c: Option<char>) -> bool {
    matches!(c, None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'))
}

/// `^(-?\d*)(:-?\d*)?(:-?\d*)?$`: each number's text, `None` if its group is absent.
fn slice_numbers(text: &str) -> Option<[Option<&str>; 3]> {
    let mut parts = text.split(':');
    let number = |part: &str| part.strip_prefix('-').unwrap_or(part).chars().all(|c| c.is_ascii_digit());
    let mut numbers = [None; 3];
    for slot in &mut numbers {
        *slot = parts.next();
        if !slot.is_none_or(number) {
            return None;
        }
    }
    if numbers[0] == Some("") {
        numbers[0] = None;
    }
    parts.next().is_none().then_some(numbers)
}

/// `^([^!<>=]+)([!<>=]+)(.+?)$`
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |c: char| matches!(c, '!' | '<' | '>' | '=');
    let from = text.find(is_operator)?;
    let mut to = text[from..].find(|c| !is_operator(c)).map_or(text.len(), |length| from + length);
    if to == text.len() {
        // The right side takes at least one character, if need be of the operator.
        to -= 1;
    }
    (from > 0 && to > from && to < text.len()).then(|| (&text[..from], &text[from..to], &text[to..]))
}

/// The text inside quotes, with Go's escapes.
fn unquote(quoted: &str) -> Option<String> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    let quote = quoted.chars().next()?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let escape = chars.next()?;
        let (length, radix) = match escape {
            'x' => (2, 16),
            'u' => (4, 16),
            'U' => (8, 16),
            '0'..='7' => (2, 8),
            _ => (0, 0),
        };
        if length > 0 {
            let first = (radix == 8).then_some(escape);
            let digits: String = first.into_iter().chain(chars.by_ref().take(length)).collect();
            out.push(u32::from_str_radix(&digits, radix).ok().and_then(char::from_u32)?);
            continue;
        }
        out.push(match escape {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '\\' => '\\',
            c if c == quote => quote,
            _ => return None,
        });
    }
    Some(out)
}
