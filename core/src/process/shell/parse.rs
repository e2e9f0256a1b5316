//! From text to a [`Block`], with bash's own words for what is wrong with it.

use brush_parser::{ParseError, ParserOptions, Token, TokenizerError};
use thiserror::Error;

use super::convert;
use super::guard;
use super::script::Block;
use super::word::Place;

/// What is wrong with a script, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {message}")]
pub struct ScriptError {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// As bash prints it behind `bash: line N: `.
    pub message: String,
    /// More text could still make it right: the prompt becomes `> `.
    pub incomplete: bool,
    /// The line of the script that bash quotes below the message, if it does.
    pub(crate) quoted: Option<String>,
}

impl ScriptError {
    pub(crate) fn at(line: usize, message: &str) -> Self {
        Self { line, column: 1, message: message.to_owned(), incomplete: false, quoted: None }
    }

    pub(crate) fn at_end(line: usize, message: &str) -> Self {
        Self { incomplete: true, ..Self::at(line, message) }
    }
}

/// Checks a script for an editor: nothing is run.
///
/// ```
/// use clusterlab::process::check_script;
///
/// assert!(check_script("for i in 1 2; do echo $i; done").is_ok());
/// let error = check_script("echo one\nif true; then\nfi").unwrap_err();
/// assert_eq!(error.line, 3);
/// ```
///
/// # Errors
///
/// The first thing that bash would complain about, with its place.
pub fn check_script(text: &str) -> Result<(), ScriptError> {
    parse_script(text).map(|_| ())
}

/// Parses a whole script.
pub(crate) fn parse_script(text: &str) -> Result<Block, ScriptError> {
    parse_block(text, Place { line: 1, depth: 0 })
}

/// Parses a script that stands at `place` of another.
pub(crate) fn parse_block(text: &str, place: Place) -> Result<Block, ScriptError> {
    let shift = place.line.max(1) - 1;
    let deep = |error: guard::TooDeep| ScriptError::at(shift + error.line, &error.message);
    if place.depth > guard::MAX_EXPANSIONS {
        return Err(ScriptError::at(place.line, "not modelled: expansions nested this deep"));
    }
    guard::check_text(text).map_err(deep)?;
    let options = ParserOptions::default();
    let tokens = tokenize(text, &options, shift)?;
    guard::check_tokens(&tokens).map_err(deep)?;
    let program = brush_parser::parse_tokens(&tokens, &options)
        .map_err(|error| syntax_error(&error, text, &tokens, shift))?;
    convert::program(&program, Place { line: shift + 1, depth: place.depth })
}

fn tokenize(text: &str, options: &ParserOptions, shift: usize) -> Result<Vec<Token>, ScriptError> {
    // A script may come from Windows; bash itself would stumble over each `\r`, in its own way.
    super::here_documents::check(text).map_err(|unsound| unsound.error(text, shift))?;
    brush_parser::uncached_tokenize_str(text, &options.tokenizer_options())
        .map_err(|error| tokenizer_error(&error, text, shift))
}

fn tokenizer_error(error: &TokenizerError, text: &str, shift: usize) -> ScriptError {
    let last = shift + text.lines().count().max(1);
    let looking = |line: usize, what: char| {
        ScriptError::at_end(line, &format!("unexpected EOF while looking for matching `{what}'"))
    };
    match error {
        TokenizerError::UnterminatedSingleQuote(at) | TokenizerError::UnterminatedAnsiCQuote(at) => {
            ScriptError { column: at.column, ..looking(shift + at.line, '\'') }
        }
        TokenizerError::UnterminatedDoubleQuote(at) => {
            ScriptError { column: at.column, ..looking(shift + at.line, '"') }
        }
        TokenizerError::UnterminatedBackquote(at) => {
            ScriptError { column: at.column, ..looking(shift + at.line, '`') }
        }
        TokenizerError::UnterminatedExtendedGlob(at) => {
            ScriptError { column: at.column, ..looking(shift + at.line, ')') }
        }
        TokenizerError::UnterminatedVariable => looking(last, '}'),
        TokenizerError::UnterminatedCommandSubstitution | TokenizerError::UnterminatedExpansion => {
            looking(last, ')')
        }
        TokenizerError::UnterminatedHereDocuments(tag, _) => ScriptError {
            // The shell runs such a script all the same, and only warns.
            quoted: Some(tag.clone()),
            ..ScriptError::at_end(last, HERE_DOCUMENT)
        },
        TokenizerError::UnterminatedEscapeSequence => {
            ScriptError::at_end(last, "syntax error: unexpected end of file")
        }
        other => ScriptError::at(last, &format!("syntax error: {other}")),
    }
}

/// The message of an error that is only a warning outside a prompt.
pub(crate) const HERE_DOCUMENT: &str = "here-document delimited by end-of-file";

fn syntax_error(error: &ParseError, text: &str, tokens: &[Token], shift: usize) -> ScriptError {
    match error {
        ParseError::ParsingNear(at) => {
            let token = tokens.iter().find(|token| token.location().start.index == at.index);
            let shown = match token.map(Token::to_str) {
                None | Some("\n") => "newline",
                Some(text) => text,
            };
            ScriptError {
                column: at.column,
                quoted: text.lines().nth(at.line.saturating_sub(1)).map(ToOwned::to_owned),
                ..ScriptError::at(shift + at.line, &format!("syntax error near unexpected token `{shown}'"))
            }
        }
        _ => {
            let line = shift
                + text.lines().count()
                + usize::from(text.ends_with('\n') || shift == 0 && !text.contains('\n'));
            ScriptError::at_end(line.max(1), "syntax error: unexpected end of file")
        }
    }
}
