//! Syntax colours for YAML.
//!
//! A line at a time, with one thing carried from line to line: whether the line
//! belongs to a block scalar (`|`, `>`). It colours what is being typed, so that
//! half-finished text must look sensible; whether it is *right* is the business
//! of the manifest reader. The pieces of a line, put together, are the line.

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// The name before a colon.
    Key,
    /// A scalar that is text.
    Text,
    /// A quoted scalar.
    Quoted,
    /// A number.
    Number,
    /// `true`, `false`, `null`, `~`.
    Constant,
    /// `- : , [ ] { } | > ?`
    Punctuation,
    /// `# …`
    Comment,
    /// `---`, `...`, `%YAML`
    Document,
    /// `&anchor`, `*alias`, `!tag`
    Anchor,
    /// White space.
    Space,
    /// A tab where YAML takes only blanks.
    Tab,
}

impl Token {
    /// Its CSS class.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Key => "y-key",
            Self::Text => "y-text",
            Self::Quoted => "y-str",
            Self::Number => "y-num",
            Self::Constant => "y-const",
            Self::Punctuation => "y-punct",
            Self::Comment => "y-comment",
            Self::Document => "y-doc",
            Self::Anchor => "y-anchor",
            Self::Space => "",
            Self::Tab => "y-tab",
        }
    }
}

/// A piece of a line.
pub type Piece = (Token, String);

/// The lines of a YAML text, in pieces.
pub fn yaml(text: &str) -> Vec<Vec<Piece>> {
    let mut block: Option<usize> = None;
    text.split('\n')
        .map(|line| {
            let indent = line.len() - line.trim_start_matches(' ').len();
            if let Some(parent) = block {
                if line.trim().is_empty() || indent > parent {
                    return vec![(Token::Text, line.to_owned())];
                }
                block = None;
            }
            let pieces = yaml_line(line);
            if opens_block(&pieces) {
                block = Some(parent_indent(line));
            }
            pieces
        })
        .collect()
}

/// Text that has no colours, in the same form.
pub fn plain(text: &str) -> Vec<Vec<Piece>> {
    text.split('\n').map(|line| vec![(Token::Text, line.to_owned())]).collect()
}

/// The indentation of what a block scalar on this line belongs to: that of its key, which may
/// stand behind dashes (`- - run: |`).
fn parent_indent(line: &str) -> usize {
    let mut rest = line.trim_start_matches(' ');
    while let Some(tail) = rest.strip_prefix("- ") {
        let inner = tail.trim_start_matches(' ');
        if !inner.contains(':') {
            break;
        }
        rest = inner;
    }
    line.len() - rest.len()
}

fn opens_block(pieces: &[Piece]) -> bool {
    let mut ending = pieces.iter().rev().filter(|(token, _)| !matches!(token, Token::Space | Token::Comment));
    let last = ending.next();
    let before = ending.next();
    matches!(last, Some((Token::Punctuation, text)) if text.starts_with(['|', '>']))
        && matches!(before, None | Some((Token::Punctuation | Token::Anchor, _)))
}

fn yaml_line(line: &str) -> Vec<Piece> {
    if line.starts_with("---") || line.starts_with("...") || line.starts_with('%') {
        let end = if line.starts_with('%') { line.len() } else { 3 };
        let mut out = vec![(Token::Document, line[..end].to_owned())];
        if end < line.len() {
            out.extend(scan(&line[end..]));
        }
        return out;
    }
    scan(line)
}

fn scan(line: &str) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut rest = line;
    let mut start_of_item = true;
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '\t' if start_of_item => (Token::Tab, 1),
            ' ' | '\t' => (Token::Space, rest.len() - rest.trim_start_matches([' ', '\t']).len()),
            '#' if out.last().is_none_or(|(token, _)| matches!(token, Token::Space | Token::Tab)) => {
                (Token::Comment, rest.len())
            }
            '"' | '\'' => {
                let length = quoted(rest, c);
                let token = if is_key_end(&rest[length..]) { Token::Key } else { Token::Quoted };
                (token, length)
            }
            '-' | '?' if start_of_item && rest[1..].chars().next().is_none_or(|n| n == ' ') => {
                (Token::Punctuation, 1)
            }
            ':' if rest[1..].chars().next().is_none_or(|n| matches!(n, ' ' | '\t')) => {
                (Token::Punctuation, 1)
            }
            '[' | ']' | '{' | '}' | ',' => (Token::Punctuation, 1),
            '|' | '>' if ends_after_indicator(rest) => {
                (Token::Punctuation, rest.find([' ', '#']).unwrap_or(rest.len()))
            }
            '&' | '*' | '!' => (Token::Anchor, rest.find([' ', ',', ']', '}']).unwrap_or(rest.len())),
            _ => scalar(rest),
        };
        let (piece, tail) = rest.split_at(length);
        start_of_item = matches!(token, Token::Space | Token::Tab) && start_of_item
            || token == Token::Punctuation && matches!(piece, "-" | "?");
        out.push((token, piece.to_owned()));
        rest = tail;
    }
    out
}

/// The length of a quoted scalar, to the end of the line if it is not closed.
fn quoted(rest: &str, quote: char) -> usize {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if quote == '"' && c == '\\' {
            characters.next();
        } else if c == quote {
            if quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == '\'') {
                characters.next();
            } else {
                return at + c.len_utf8();
            }
        }
    }
    rest.len()
}

fn is_key_end(rest: &str) -> bool {
    let rest = rest.trim_start_matches(' ');
    rest == ":" || rest.starts_with(": ")
}

fn ends_after_indicator(rest: &str) -> bool {
    let rest = rest[1..].trim_start_matches(|c: char| matches!(c, '+' | '-' | '0'..='9'));
    let rest = rest.trim_start_matches(' ');
    rest.is_empty() || rest.starts_with('#')
}

/// A plain scalar: to the colon that makes it a key, to a comment, or to the end.
fn scalar(rest: &str) -> (Token, usize) {
    let bytes = rest.as_bytes();
    let mut end = rest.len();
    for (at, c) in rest.char_indices() {
        let next = bytes.get(at + 1).copied();
        let after_blank = at > 0 && matches!(bytes[at - 1], b' ' | b'\t');
        match c {
            ':' if next.is_none_or(|n| matches!(n, b' ' | b'\t')) => return (Token::Key, at.max(1)),
            '#' if after_blank => {
                end = at;
                break;
            }
            ',' | ']' | '}' | '[' | '{' if at > 0 && matches!(c, ',' | ']' | '}') => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let text = rest[..end].trim_end();
    let length = text.len().max(rest.chars().next().map_or(1, char::len_utf8));
    (classify(text), length)
}

fn classify(text: &str) -> Token {
    match text {
        "true" | "false" | "null" | "~" | "True" | "False" | "Null" | "TRUE" | "FALSE" | "NULL" => {
            Token::Constant
        }
        _ if text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
            && text.parse::<f64>().is_ok() =>
        {
            Token::Number
        }
        _ => Token::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The pieces that are not blank or punctuation, as `Token:text`.
    fn check(line: &str, expect: &str) {
        let found: Vec<String> = yaml(line)
            .concat()
            .into_iter()
            .filter(|(token, _)| !matches!(token, Token::Space | Token::Punctuation))
            .map(|(token, text)| format!("{token:?}:{text}"))
            .collect();
        assert_eq!(found.join(" "), expect, "{line}");
    }

    #[test]
    fn the_parts_of_a_manifest_are_told_apart() {
        check("apiVersion: v1", "Key:apiVersion Text:v1");
        check("  nvidia.com/gpu: 1 # one", "Key:nvidia.com/gpu Number:1 Comment:# one");
        check("- name: \"a: b\"", "Key:name Quoted:\"a: b\"");
        check("\"quoted key\": 'it''s'", "Key:\"quoted key\" Quoted:'it''s'");
        check("command: [\"sh\", -c, 1.5]", "Key:command Quoted:\"sh\" Text:-c Number:1.5");
        check("image: nvcr.io/nvidia/cuda:12.4", "Key:image Text:nvcr.io/nvidia/cuda:12.4");
        check("url: http://a#b", "Key:url Text:http://a#b");
        check("on: true", "Key:on Constant:true");
        check("--- # second", "Document:--- Comment:# second");
        check("base: &b {a: 1}", "Key:base Anchor:&b Key:a Number:1");
        check("\tname: x", "Tab:\t Key:name Text:x");
        check("open: \"not closed", "Key:open Quoted:\"not closed");
        check("- - deep", "Text:deep");
    }

    #[test]
    fn a_block_scalar_keeps_its_lines_plain_until_the_indentation_ends() {
        check(
            "args:\n- |\n  if: true\n  # no comment\n\n- next",
            "Key:args Text:  if: true Text:  # no comment Text: Text:next",
        );
        check("- run: |\n    a: 1\n  name: x", "Key:run Text:    a: 1 Key:name Text:x");
        check("a: b | c\nd: e", "Key:a Text:b | c Key:d Text:e");
    }

    proptest! {
        #[test]
        fn the_pieces_put_together_are_the_text(text in "[ \\-:#\"'|>\\[\\]{},&*!?a1가\\t\\n\\\\%.]{0,60}") {
            let lines: Vec<String> =
                yaml(&text).iter().map(|l| l.iter().map(|(_, t)| t.as_str()).collect()).collect();
            prop_assert_eq!(lines.join("\n"), text);
        }
    }
}
