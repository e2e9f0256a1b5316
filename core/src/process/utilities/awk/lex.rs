//! Text of a program to tokens.

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    /// A variable, or a function's name with a blank behind it.
    Name(String),
    /// A name with `(` right behind it: one of the program's own functions.
    Call(String),
    /// A reserved word or one of awk's functions.
    Word(&'static str),
    Sign(&'static str),
    Newline,
    End,
}

const WORDS: &[&str] = &[
    "BEGIN", "END", "function", "if", "else", "while", "for", "do", "break", "continue", "next", "exit",
    "return", "delete", "in", "print", "printf", "getline", "length", "substr", "index", "split", "sub",
    "gsub", "match", "sprintf", "toupper", "tolower", "int", "sqrt", "exp", "log", "sin", "cos", "atan2",
    "rand", "srand", "system", "close", "fflush", "func",
];

/// Longest first.
const SIGNS: &[&str] = &[
    "**=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "**", "==", "<=", ">=", "!=", ">>",
    "!~", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "|", "?", ":",
    "~", "$", "=",
];

/// The tokens with the line of each.
///
/// # Errors
///
/// The line, and what cannot be read.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, usize)>, (usize, String)> {
    let mut out: Vec<(Token, usize)> = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(c) = rest.chars().next() {
        if let Some(joined) = rest.strip_prefix("\\\n").or_else(|| rest.strip_prefix("\\\r\n")) {
            line += 1;
            rest = joined;
        } else if c == '\n' {
            out.push((Token::Newline, line));
            line += 1;
            rest = &rest[1..];
        } else if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
        } else if c == '#' {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if c == '"' {
            let end = closing(rest, '"').ok_or_else(|| (line, "runaway string constant".to_owned()))?;
            out.push((Token::Text(unescape(&rest[1..end])), line));
            line += rest[..end].matches('\n').count();
            rest = &rest[end + 1..];
        } else if c == '/' && operand_may_follow(out.last().map(|(token, _)| token)) {
            let end = closing(rest, '/').ok_or_else(|| (line, "runaway regular expression".to_owned()))?;
            out.push((Token::Regex(rest[1..end].replace("\\/", "/")), line));
            rest = &rest[end + 1..];
        } else if c.is_ascii_digit() || c == '.' {
            let len = number_len(rest);
            if len == 0 {
                return Err((line, format!("unexpected character '{c}'")));
            }
            out.push((Token::Number(rest[..len].parse().unwrap_or(0.0)), line));
            rest = &rest[len..];
        } else if c.is_ascii_alphabetic() || c == '_' {
            let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (name, after) = rest.split_at(len);
            let token = match WORDS.iter().find(|word| **word == name) {
                Some(&"func") => Token::Word("function"),
                Some(word) => Token::Word(word),
                None if after.starts_with('(') => Token::Call(name.to_owned()),
                None => Token::Name(name.to_owned()),
            };
            out.push((token, line));
            rest = after;
        } else {
            let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) else {
                return Err((line, format!("unexpected character '{c}'")));
            };
            rest = &rest[sign.len()..];
            let sign = match *sign {
                "**" => "^",
                "**=" => "^=",
                sign => sign,
            };
            out.push((Token::Sign(sign), line));
        }
    }
    out.push((Token::End, line));
    Ok(out)
}

/// Where the closing `quote` stands, over escapes.
fn closing(text: &str, quote: char) -> Option<usize> {
    let (mut escaped, mut class) = (false, false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' if quote == '/' => return None,
            '[' if quote == '/' => class = true,
            ']' => class = false,
            c if c == quote && !class => return Some(at),
            _ => {}
        }
    }
    None
}

/// Whether a `/` here begins a regular expression, not a division.
fn operand_may_follow(last: Option<&Token>) -> bool {
    match last {
        None | Some(Token::Newline) => true,
        Some(Token::Sign(sign)) => !matches!(*sign, ")" | "]" | "++" | "--" | "$"),
        Some(Token::Word(word)) => *word != "length",
        Some(_) => false,
    }
}

/// The length of the number that `text` begins with.
pub(super) fn number_len(text: &str) -> usize {
    let digits = |at: usize| text[at..].bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(0);
    let mut len = whole;
    let mut any = whole > 0;
    if text[len..].starts_with('.') {
        let fraction = digits(len + 1);
        if any || fraction > 0 {
            any = true;
            len += 1 + fraction;
        }
    }
    if !any {
        return 0;
    }
    if text[len..].starts_with(['e', 'E']) {
        let sign = usize::from(text[len + 1..].starts_with(['+', '-']));
        let exponent = digits(len + 1 + sign);
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    len
}

/// The escapes of a string; a backslash before anything else stays.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\x07'),
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0c'),
            Some('v') => out.push('\x0b'),
            Some('\n') => {}
            Some(c @ ('"' | '\\' | '/')) => out.push(c),
            Some(c @ '0'..='7') => {
                let mut code = c as u32 - '0' as u32;
                for _ in 0..2 {
                    match chars.peek().and_then(|c| c.to_digit(8)) {
                        Some(digit) => code = code * 8 + digit,
                        None => break,
                    }
                    chars.next();
                }
                out.push(char::from_u32(code).unwrap_or('?'));
            }
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
