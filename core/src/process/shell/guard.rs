//! What keeps hostile text away from the grammar.
//!
//! `brush-parser` is a recursive-descent parser that backtracks: measured with
//! 0.4, text such as `( ( ( (…` takes time that doubles with each parenthesis,
//! a thousand nested `$(` overflow the stack, and a descriptor number that does
//! not fit in 32 bits makes it panic. A learner's terminal must survive a cat
//! on the keyboard, so nesting is counted before the grammar sees anything;
//! the limits are far beyond what scripts have.

use brush_parser::Token;

/// Parentheses and `case`s in one another: each level may double the time.
const MAX_PARENTHESES: usize = 12;
/// All compound commands in one another: each level costs stack.
const MAX_COMPOUND: usize = 48;
/// Expansions in one another, each of which is parsed by recursion.
pub(crate) const MAX_EXPANSIONS: usize = 32;

/// A text that is refused, and the line where it went too far.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooDeep {
    /// From 1.
    pub(crate) line: usize,
    /// What the shell says.
    pub(crate) message: String,
}

fn too_deep(line: usize, what: &str) -> TooDeep {
    TooDeep { line, message: format!("not modelled: {what} nested this deep") }
}

/// Counts expansions in one another, before the text is cut into tokens.
///
/// Rough on purpose: quotes are not looked at, so a lone closing bracket in
/// quotes may hide a level, never add one.
pub(crate) fn check_text(text: &str) -> Result<(), TooDeep> {
    let bytes = text.as_bytes();
    let (mut depth, mut line, mut i) = (0usize, 1, 0);
    while let Some(&byte) = bytes.get(i) {
        let next = bytes.get(i + 1).copied();
        match byte {
            b'\n' => line += 1,
            b'$' | b'<' | b'>' | b'@' | b'?' | b'*' | b'+' | b'!'
                if next == Some(b'(') || (byte == b'$' && next == Some(b'{')) =>
            {
                depth += 1;
                i += 1;
                if depth > MAX_EXPANSIONS {
                    return Err(too_deep(line, "expansions"));
                }
            }
            b')' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        i += 1;
    }
    Ok(())
}

/// Counts compound commands in one another, exactly as the grammar will meet them.
pub(crate) fn check_tokens(tokens: &[Token]) -> Result<(), TooDeep> {
    let mut open: Vec<char> = Vec::new();
    let mut negations = 0;
    // Whether a reserved word may stand here.
    let mut command_position = true;
    for (i, token) in tokens.iter().enumerate() {
        let line = token.location().start.line;
        match token {
            Token::Operator(operator, _) => {
                match operator.as_str() {
                    "(" => open.push('('),
                    ")" if open.last() == Some(&'(') => {
                        open.pop();
                    }
                    _ => {}
                }
                command_position = !operator.starts_with(['<', '>']) && !operator.starts_with("&>");
            }
            Token::Word(word, _) => {
                let redirects = matches!(tokens.get(i + 1), Some(Token::Operator(operator, _)) if operator.starts_with(['<', '>']));
                if redirects && word.len() > 9 && word.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(TooDeep { line, message: format!("{word}: Bad file descriptor") });
                }
                // After `function f` a compound command follows a plain word.
                let named = i >= 2 && tokens[i - 2].to_str() == "function";
                let was = command_position || (named && word == "{");
                command_position = was
                    && matches!(
                        word.as_str(),
                        "if" | "then"
                            | "elif"
                            | "else"
                            | "fi"
                            | "while"
                            | "until"
                            | "do"
                            | "done"
                            | "esac"
                            | "{"
                            | "}"
                            | "!"
                            | "time"
                            | "-p"
                    );
                if was {
                    match word.as_str() {
                        "select" | "coproc" => {
                            return Err(TooDeep { line, message: format!("not modelled: {word}") });
                        }
                        "if" | "while" | "until" | "for" | "{" => open.push('{'),
                        "case" => open.push('c'),
                        "esac" => {
                            let case = open.iter().rposition(|&c| c == 'c').unwrap_or(open.len());
                            open.truncate(case);
                        }
                        "fi" | "done" | "}" if open.last() == Some(&'{') => {
                            open.pop();
                        }
                        _ => {}
                    }
                }
                negations = if word == "!" || word == "time" { negations + 1 } else { 0 };
            }
        }
        let doubling = open.iter().filter(|&&c| c != '{').count();
        if doubling > MAX_PARENTHESES || negations > MAX_COMPOUND {
            return Err(too_deep(line, "commands"));
        }
        // A brace that some `(` closed without its `}` stays: the grammar will refuse the text there.
        if open.len() > MAX_COMPOUND {
            return Err(too_deep(line, "commands"));
        }
    }
    Ok(())
}
