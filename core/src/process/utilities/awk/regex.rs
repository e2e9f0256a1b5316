//! awk's regular expressions, in the words of the engine below.

use regex_lite::Regex;

/// Compiles an extended regular expression as awk reads it.
///
/// # Errors
///
/// What the engine says of it.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('n' | 't' | 'r' | 'f' | 'v')) => out.extend(['\\', c]),
                Some(c) if c.is_ascii_punctuation() => out.extend(['\\', c]),
                Some(c) => out.push(c),
                None => out.push_str("\\\\"),
            },
            '[' => bracket(&mut chars, &mut out),
            // Braces that hold no counts are plain.
            '{' if !chars.peek().is_some_and(char::is_ascii_digit) => out.push_str("\\{"),
            c => out.push(c),
        }
    }
    Regex::new(&out).map_err(|error| format!("regular expression compile failed ({error})\n{pattern}"))
}

fn bracket(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if chars.next_if_eq(&']').is_some() {
        out.push_str("\\]");
    }
    while let Some(c) = chars.next() {
        match c {
            ']' => {
                out.push(']');
                return;
            }
            '[' if chars.peek() == Some(&':') => {
                out.push('[');
                for c in chars.by_ref() {
                    out.push(c);
                    if c == ']' {
                        break;
                    }
                }
            }
            '\\' => match chars.next() {
                Some(c @ ('n' | 't' | 'r' | 'f' | 'v')) => out.extend(['\\', c]),
                Some(c) if c.is_ascii_punctuation() => out.extend(['\\', c]),
                Some(c) => out.push(c),
                None => out.push_str("\\\\"),
            },
            '[' | '&' | '~' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
}
