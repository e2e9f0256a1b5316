//! Finding the parts of a statement: what is outside of quotes and brackets.

/// Walks over `text` and calls `at` with every position that is outside of
/// quotes and brackets, until it answers true.
fn outside(text: &str, mut at: impl FnMut(usize, char) -> bool) {
    let mut quote: Option<char> = None;
    let mut escaped = false;
    let mut depth = 0i32;
    for (position, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None => {
                if depth == 0 && at(position, c) {
                    return;
                }
                match c {
                    '\'' | '"' => quote = Some(c),
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' => depth -= 1,
                    _ => {}
                }
            }
        }
    }
}

/// Splits at every `separator` outside of quotes and brackets.
pub(super) fn split(text: &str, separator: char) -> Vec<String> {
    let mut parts = Vec::new();
    let mut start = 0;
    outside(text, |position, c| {
        if c == separator {
            parts.push(text[start..position].to_owned());
            start = position + c.len_utf8();
        }
        false
    });
    parts.push(text[start..].to_owned());
    parts
}

/// The parts before and after the first `operator` outside of quotes and brackets.
pub(super) fn split_once<'a>(text: &'a str, operator: &str) -> Option<(&'a str, &'a str)> {
    let mut found = None;
    outside(text, |position, _| {
        if text[position..].starts_with(operator) {
            found = Some(position);
        }
        found.is_some()
    });
    found.map(|position| (&text[..position], &text[position + operator.len()..]))
}

/// The text before a `#` outside of quotes.
pub(super) fn without_comment(text: &str) -> &str {
    split_once(text, "#").map_or(text, |(code, _)| code)
}

/// `name = value`.
pub(super) fn assignment(text: &str) -> Option<(&str, &str)> {
    let (name, value) = split_once(text, "=")?;
    let name = name.trim();
    let mut letters = name.chars();
    let is_name = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && !value.starts_with('=')).then_some((name, value))
}

/// `name(argument, ...)`.
pub(super) fn call(text: &str) -> Option<(&str, Vec<String>)> {
    let (name, rest) = text.split_once('(')?;
    let body = rest.strip_suffix(')')?;
    let is_name =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
    // `a() + b()` is no call of `a`: its brackets close before the end.
    let mut depth = 0i32;
    let mut closed_early = false;
    outside_quotes(body, |c| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        closed_early |= depth < 0;
    });
    if !is_name || closed_early {
        return None;
    }
    let arguments = if body.trim().is_empty() { Vec::new() } else { split(body, ',') };
    Some((name, arguments))
}

fn outside_quotes(text: &str, mut at: impl FnMut(char)) {
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None => at(c),
        }
    }
}

/// The inside of one quoted text.
pub(super) fn quoted(text: &str) -> Option<&str> {
    let open = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let body = text.get(1..)?.strip_suffix(open)?;
    let mut escaped = false;
    for c in body.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == open => return None,
            _ => {}
        }
    }
    (!escaped).then_some(body)
}

/// Resolves the usual escapes; `None` for one that is not known.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        out.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            c @ ('\\' | '\'' | '"') => c,
            _ => return None,
        });
    }
    Some(out)
}
