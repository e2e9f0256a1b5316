//! Whether a text with here-documents may be given to the grammar.
//!
//! Measured with `brush-parser` 0.4: while it waits for the body of a here-document, its tokenizer may take the end of the text for
//! the bracket that closes an expansion, and panics. So every expansion, quote and here-document of a text that has any of the last
//! must be closed before the tokenizer sees it. This reader knows only as much of the shell as that takes.

use std::iter::Peekable;
use std::str::Chars;

use super::parse::{HERE_DOCUMENT, ScriptError};

/// Why a text is not safe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unsound {
    /// It ends before this character.
    Open(char),
    /// It ends before the line that ends this here-document.
    Unterminated(String),
    /// A here-document where the grammar does not expect one.
    NotModelled,
}

impl Unsound {
    /// What the shell says; `shift` lines stand before the text.
    pub(super) fn error(self, text: &str, shift: usize) -> ScriptError {
        let last = shift + text.lines().count().max(1);
        match self {
            Self::Open(what) => {
                ScriptError::at_end(last, &format!("unexpected EOF while looking for matching `{what}'"))
            }
            // The shell runs such a script all the same, and only warns.
            Self::Unterminated(tag) => {
                ScriptError { quoted: Some(tag), ..ScriptError::at_end(last, HERE_DOCUMENT) }
            }
            Self::NotModelled => ScriptError::at(last, "not modelled: a here-document in this place"),
        }
    }
}

/// What is open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// `"`
    Double,
    /// `(`, `$(`, `<(`
    Parenthesis,
    /// `((`, `$((`
    Arithmetic,
    /// `${`
    Brace,
    /// `$[`
    Bracket,
    /// `` ` ``
    Backquote,
}

impl Mode {
    const fn closing(self) -> char {
        match self {
            Self::Double => '"',
            Self::Parenthesis | Self::Arithmetic => ')',
            Self::Brace => '}',
            Self::Bracket => ']',
            Self::Backquote => '`',
        }
    }
}

struct Reader<'a> {
    left: Peekable<Chars<'a>>,
    open: Vec<Mode>,
    /// Here-documents whose bodies come after this line, and whether tabs before their ends do not count.
    pending: Vec<(String, bool)>,
    /// Whether a word may begin here.
    between_words: bool,
}

/// Looks through a text with here-documents; others are always safe.
///
/// # Errors
///
/// Something is not closed, or stands where the grammar does not expect it.
pub(super) fn check(text: &str) -> Result<(), Unsound> {
    if !text.contains("<<") {
        return Ok(());
    }
    let mut reader =
        Reader { left: text.chars().peekable(), open: Vec::new(), pending: Vec::new(), between_words: true };
    while let Some(character) = reader.left.next() {
        reader.step(character)?;
    }
    if let Some((tag, _)) = reader.pending.into_iter().next() {
        return Err(Unsound::Unterminated(tag));
    }
    match reader.open.last() {
        Some(mode) => Err(Unsound::Open(mode.closing())),
        None => Ok(()),
    }
}

impl Reader<'_> {
    fn next_is(&mut self, character: char) -> bool {
        self.left.next_if_eq(&character).is_some()
    }

    fn step(&mut self, character: char) -> Result<(), Unsound> {
        let mode = self.open.last().copied();
        let was_between = std::mem::replace(
            &mut self.between_words,
            matches!(character, ' ' | '\t' | '\n' | ';' | '&' | '|' | '('),
        );
        match (character, mode) {
            ('\\', _) => {
                self.left.next();
            }
            ('"', Some(Mode::Double))
            | ('}', Some(Mode::Brace))
            | (']', Some(Mode::Bracket))
            | ('`', Some(Mode::Backquote)) => {
                self.open.pop();
            }
            ('`', _) => self.open.push(Mode::Backquote),
            ('$', _) if self.next_is('{') => self.open.push(Mode::Brace),
            ('$', _) if self.next_is('[') => self.open.push(Mode::Bracket),
            ('$', _) if self.next_is('(') => {
                let arithmetic = self.next_is('(');
                self.open.push(if arithmetic { Mode::Arithmetic } else { Mode::Parenthesis });
            }
            (_, Some(Mode::Double)) => {}
            ('"', _) => self.open.push(Mode::Double),
            ('\'', _) if !self.left.by_ref().any(|other| other == '\'') => {
                return Err(Unsound::Open('\''));
            }
            ('#', _) if was_between => while self.left.next_if(|other| *other != '\n').is_some() {},
            ('(', _) => {
                let arithmetic = self.next_is('(');
                self.open.push(if arithmetic { Mode::Arithmetic } else { Mode::Parenthesis });
            }
            (')', Some(Mode::Arithmetic)) if self.next_is(')') => {
                self.open.pop();
            }
            (')', Some(Mode::Parenthesis)) => {
                self.open.pop();
            }
            ('<', Some(Mode::Arithmetic)) => {}
            ('<', mode) if self.next_is('<') && !self.next_is('<') => {
                if matches!(mode, Some(Mode::Brace | Mode::Bracket | Mode::Backquote)) {
                    return Err(Unsound::NotModelled);
                }
                self.operator()?;
            }
            ('\n', _) => self.bodies()?,
            _ => {}
        }
        Ok(())
    }

    /// The word after `<<`.
    fn operator(&mut self) -> Result<(), Unsound> {
        let tabs = self.next_is('-');
        while self.left.next_if(|other| matches!(other, ' ' | '\t')).is_some() {}
        let mut tag = String::new();
        let mut quote = None;
        while let Some(character) = self.left.next_if(|other| {
            quote.is_some() || !matches!(other, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | ')')
        }) {
            match character {
                _ if quote == Some(character) => quote = None,
                '\'' | '"' if quote.is_none() => quote = Some(character),
                '\\' if quote.is_none() => {}
                '\n' | '$' | '`' | '(' | '{' | '}' => return Err(Unsound::NotModelled),
                other => tag.push(other),
            }
        }
        if tag.is_empty() || quote.is_some() {
            return Err(Unsound::NotModelled);
        }
        self.pending.push((tag, tabs));
        Ok(())
    }

    /// The lines of the here-documents that were announced.
    fn bodies(&mut self) -> Result<(), Unsound> {
        for (tag, tabs) in std::mem::take(&mut self.pending) {
            loop {
                let mut line = String::new();
                while let Some(character) = self.left.next_if(|other| *other != '\n') {
                    line.push(character);
                }
                let ended = self.left.next().is_none();
                let shown = if tabs { line.trim_start_matches('\t') } else { &line };
                if shown == tag {
                    break;
                }
                if ended {
                    return Err(Unsound::Unterminated(tag));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<(), Unsound> {
        check(text)
    }

    #[test]
    fn closed_texts_pass() {
        for text in [
            "cat <<E\nbody ${x\nE\n",
            "cat <<E",
            "x=\"$(cat <<'E'\n$(\nE\n)\"\n",
            "echo $((1 << 2)) \"a <<b\"",
            "cat <<-E | grep x\n\tbody\n\tE\necho <<<word",
            "(( x << 3 ))",
            "cat <<A <<B\na\nA\nb\nB",
            "# <<E (\necho 'it <<E'",
        ] {
            let result = found(text);
            let expected =
                if text == "cat <<E" { Err(Unsound::Unterminated("E".to_owned())) } else { Ok(()) };
            assert_eq!(result, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_open_is_named() {
        assert_eq!(found("<<E ${x @} ${x\nE\n"), Err(Unsound::Open('}')));
        assert_eq!(found("echo $(cat <<E\nE\n"), Err(Unsound::Open(')')));
        assert_eq!(found("cat <<E 'x"), Err(Unsound::Open('\'')));
        assert_eq!(found("cat <<E\nbody\n"), Err(Unsound::Unterminated("E".to_owned())));
        assert_eq!(found("${x<<E{1..3}$("), Err(Unsound::NotModelled));
        assert_eq!(found("cat << $x"), Err(Unsound::NotModelled));
    }
}
