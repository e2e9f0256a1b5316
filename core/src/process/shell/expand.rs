//! Expansion: from parsed words to the arguments of a command.
//!
//! The order is bash's: tilde, parameters, substitutions and arithmetic from
//! left to right, then splitting at `$IFS`, then file names. A command
//! substitution needs another process to run to its end. Expansion then stops
//! with [`Fault::Need`]; the shell puts its variables back, runs the
//! substitution, and expands the whole command again with the results so far in
//! `memo`. Everything else about expansion repeats exactly, so nobody can tell,
//! and no expansion has to be interrupted in the middle.

use super::arith::{self, Variables};
use super::script::{Block, CommandKind, Part, Parts, Target, Word};
use super::shell::Shell;
use super::vars::{Key, Value, VarError};
use crate::process::files::{Files, join, resolve};
use crate::process::pattern::Pattern;
use crate::sim::{Epoch, SimTime};

/// Why an expansion did not end.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// A substitution has to be run first.
    Need { block: Block, to_file: bool },
    /// The command line is given up, with this message and status 1.
    Discard(String),
    /// A shell that is not interactive ends.
    Exit(String),
    /// The shell itself ends with status 2: memory is at its end.
    Abort(String),
}

impl From<VarError> for Fault {
    fn from(error: VarError) -> Self {
        match error {
            VarError::Memory(_) => Self::Abort(error.to_string()),
            other => Self::Discard(other.to_string()),
        }
    }
}

pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// The outcome of a command substitution.
#[derive(Clone, Debug)]
pub(crate) struct Captured {
    pub(crate) text: String,
}

/// A piece of what a word becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text {
        text: String,
        quoted: bool,
    },
    /// Between two fields.
    Break,
}

/// Fields that one command may have.
const MAX_FIELDS: usize = 200_000;
/// Bytes that the words of one command may have together.
const MAX_BYTES: usize = 32 << 20;

/// Expands words for a shell.
pub(crate) struct Expander<'a> {
    pub(crate) shell: &'a mut Shell,
    pub(crate) files: &'a Files,
    pub(crate) now: SimTime,
    pub(crate) epoch: Epoch,
    pub(crate) memo: &'a [Captured],
    /// How many of `memo` have been used.
    pub(crate) used: usize,
    /// Whether unquoted results are split into fields.
    pub(crate) split: bool,
}

impl Expander<'_> {
    /// The fields that `words` become.
    pub(crate) fn fields(&mut self, words: &[Word]) -> Result<Vec<String>> {
        let mut fields = Vec::new();
        let mut bytes = 0;
        for word in words {
            let before = fields.len();
            self.fields_of(&word.parts, &mut fields)?;
            bytes += fields[before..].iter().map(String::len).sum::<usize>();
            if fields.len() > MAX_FIELDS || bytes > MAX_BYTES {
                return Err(Fault::Abort(format!("xrealloc: cannot allocate {bytes} bytes")));
            }
        }
        Ok(fields)
    }

    fn fields_of(&mut self, parts: &Parts, fields: &mut Vec<String>) -> Result<()> {
        self.split = true;
        let mut pieces = Vec::new();
        self.parts(parts, false, false, &mut pieces)?;
        for field in pieces.split(|piece| *piece == Piece::Break) {
            let exists = field.iter().any(|piece| match piece {
                Piece::Text { text, quoted } => *quoted || !text.is_empty(),
                Piece::Break => false,
            });
            if !exists {
                continue;
            }
            let wild = field.iter().any(
                |piece| matches!(piece, Piece::Text { text, quoted: false } if text.contains(['*', '?', '['])),
            );
            if wild && !self.shell.options.noglob {
                let found = glob(self.files, &self.shell.cwd, &escaped(field));
                if !found.is_empty() {
                    fields.extend(found);
                    continue;
                }
                if self.shell.options.nullglob {
                    continue;
                }
            }
            fields.push(plain(field));
        }
        Ok(())
    }

    /// The one text that `parts` become: no splitting, no file names.
    pub(crate) fn text(&mut self, parts: &Parts) -> Result<String> {
        Ok(plain(&self.pieces(parts)?))
    }

    /// A pattern, in which what was quoted has lost its meaning.
    pub(crate) fn pattern(&mut self, parts: &Parts) -> Result<String> {
        Ok(escaped(&self.pieces(parts)?))
    }

    pub(crate) fn pieces(&mut self, parts: &Parts) -> Result<Vec<Piece>> {
        let split = std::mem::replace(&mut self.split, false);
        let mut pieces = Vec::new();
        let result = self.parts(parts, false, false, &mut pieces);
        self.split = split;
        result.map(|()| pieces)
    }

    /// The value of an arithmetic expression.
    pub(crate) fn arithmetic(&mut self, parts: &Parts) -> Result<i64> {
        let text = self.text(parts)?;
        self.evaluate(&text)
    }

    pub(crate) fn evaluate(&mut self, text: &str) -> Result<i64> {
        let mut fault = None;
        let mut variables = ShellVariables { expander: self, fault: &mut fault };
        let result = arith::evaluate(text, &mut variables);
        match (fault, result) {
            (Some(fault), _) => Err(fault),
            (None, Ok(value)) => Ok(value),
            (None, Err(message)) => Err(Fault::Discard(message)),
        }
    }

    fn parts(&mut self, parts: &Parts, quoted: bool, split_text: bool, out: &mut Vec<Piece>) -> Result<()> {
        parts.iter().try_for_each(|part| self.part(part, quoted, split_text, out))
    }

    /// `split_text`: literal text is split too, as in `${x:-a b}`.
    pub(crate) fn part(
        &mut self,
        part: &Part,
        quoted: bool,
        split_text: bool,
        out: &mut Vec<Piece>,
    ) -> Result<()> {
        match part {
            Part::Literal(text) if split_text && !quoted => self.push_split(text, out),
            Part::Literal(text) => out.push(Piece::Text { text: text.clone(), quoted }),
            Part::Quoted(text) => out.push(Piece::Text { text: text.clone(), quoted: true }),
            Part::Double(parts) => {
                let before = out.len();
                self.parts(parts, true, false, out)?;
                let nothing = parts.iter().any(|part| matches!(part, Part::Parameter(p) if p.is_list()));
                if out.len() == before && !nothing {
                    out.push(Piece::Text { text: String::new(), quoted: true });
                }
            }
            Part::Tilde(name) => {
                let text = self.tilde(name);
                out.push(Piece::Text { text, quoted: true });
            }
            Part::Parameter(parameter) => self.parameter(parameter, quoted, out)?,
            Part::Substitution(block) => {
                let text = match self.file_of(block)? {
                    Some(text) => text,
                    None => self.captured(block, false)?,
                };
                let text = text.trim_end_matches('\n').to_owned();
                self.push_value(text, quoted, out);
            }
            Part::ProcessSubstitution(block) => {
                let path = self.captured(block, true)?;
                out.push(Piece::Text { text: path, quoted: true });
            }
            Part::Arithmetic(parts) => {
                let value = self.arithmetic(parts)?;
                self.push_value(value.to_string(), quoted, out);
            }
            Part::Bad(text) => return Err(Fault::Discard(text.clone())),
        }
        Ok(())
    }

    fn captured(&mut self, block: &Block, to_file: bool) -> Result<String> {
        let Some(captured) = self.memo.get(self.used) else {
            return Err(Fault::Need { block: block.clone(), to_file });
        };
        self.used += 1;
        Ok(captured.text.clone())
    }

    /// `$(< file)` reads the file without another process.
    fn file_of(&mut self, block: &Block) -> Result<Option<String>> {
        let [item] = &block[..] else { return Ok(None) };
        let pipeline = &item.chain.first;
        let ([command], true, false) =
            (&pipeline.commands[..], item.chain.rest.is_empty(), pipeline.inverted)
        else {
            return Ok(None);
        };
        let CommandKind::Simple { assigns, words } = &command.kind else { return Ok(None) };
        let [redirect] = &command.redirects[..] else { return Ok(None) };
        let (true, true, Target::Read(word)) = (assigns.is_empty(), words.is_empty(), &redirect.target)
        else {
            return Ok(None);
        };
        let path = self.text(&word.parts)?;
        match self.files.read(&resolve(&self.shell.cwd, &path)) {
            Ok(bytes) => Ok(Some(String::from_utf8_lossy(bytes).into_owned())),
            Err(error) => {
                let message = self.shell.complaint(&format!("{path}: {error}"));
                self.shell.messages.push_str(&message);
                Ok(Some(String::new()))
            }
        }
    }

    fn tilde(&mut self, name: &str) -> String {
        let variable = match name {
            "" => "HOME",
            "+" => "PWD",
            "-" => "OLDPWD",
            "root" => return "/root".into(),
            other => return format!("~{other}"),
        };
        match self.shell.vars.text(variable) {
            Some(text) => text.to_owned(),
            None if name.is_empty() => "/root".into(),
            None => format!("~{name}"),
        }
    }

    /// One value: split at `$IFS` unless it is quoted.
    pub(crate) fn push_value(&mut self, text: String, quoted: bool, out: &mut Vec<Piece>) {
        if quoted || !self.split {
            out.push(Piece::Text { text, quoted });
        } else {
            self.push_split(&text, out);
        }
    }

    fn push_split(&mut self, text: &str, out: &mut Vec<Piece>) {
        if !self.split {
            out.push(Piece::Text { text: text.to_owned(), quoted: false });
            return;
        }
        let ifs = self.shell.vars.text("IFS").unwrap_or(" \t\n").to_owned();
        let space = |c: char| c.is_ascii_whitespace() && ifs.contains(c);
        let mut rest = text;
        if rest.starts_with(space) {
            out.push(Piece::Break);
            rest = rest.trim_start_matches(space);
        }
        while !rest.is_empty() {
            let end = rest.find(|c| ifs.contains(c)).unwrap_or(rest.len());
            let (field, tail) = rest.split_at(end);
            // Between two separators that are not blanks there is an empty field.
            let starts_field = matches!(out.last(), None | Some(Piece::Break));
            let visible = field.is_empty() && starts_field;
            out.push(Piece::Text { text: field.to_owned(), quoted: visible });
            rest = tail;
            if rest.is_empty() {
                break;
            }
            out.push(Piece::Break);
            // One separator is blanks, with at most one among them that is not a blank.
            rest = rest.trim_start_matches(space);
            let mut chars = rest.chars();
            if chars.next().is_some_and(|c| ifs.contains(c)) {
                rest = chars.as_str().trim_start_matches(space);
            }
        }
    }
}

/// The text of one field; several fields are joined by blanks.
pub(crate) fn plain(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text { text, .. } => out.push_str(text),
            Piece::Break => out.push(' '),
        }
    }
    out
}

/// The pattern of one field.
pub(crate) fn escaped(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text { text, quoted: false } => out.push_str(text),
            Piece::Text { text, quoted: true } => {
                for c in text.chars() {
                    if "*?[]\\!^-".contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
            Piece::Break => out.push(' '),
        }
    }
    out
}

/// The files that match a pattern, in byte order; none if none does.
pub fn glob(files: &Files, cwd: &str, pattern: &str) -> Vec<String> {
    let mut found = vec![if pattern.starts_with('/') { "/".to_owned() } else { String::new() }];
    let mut components = pattern.split('/').filter(|component| !component.is_empty()).peekable();
    while let Some(component) = components.next() {
        let compiled = Pattern::new(component);
        let literal = compiled.literal();
        let mut next = Vec::new();
        for prefix in &found {
            let with = |name: &str| if prefix.is_empty() { name.to_owned() } else { join(prefix, name) };
            if let Some(name) = &literal {
                let path = with(name);
                if files.exists(&resolve(cwd, &path)) {
                    next.push(path);
                }
                continue;
            }
            let Ok(names) = files.list(&resolve(cwd, prefix)) else { continue };
            let hidden = component.starts_with('.');
            for name in names {
                if (hidden || !name.starts_with('.')) && compiled.matches(&name) {
                    let path = with(&name);
                    if components.peek().is_none() || files.is_dir(&resolve(cwd, &path)) {
                        next.push(path);
                    }
                }
            }
        }
        found = next;
    }
    if pattern.ends_with('/') {
        found.retain(|path| files.is_dir(&resolve(cwd, path)));
        found.iter_mut().for_each(|path| path.push('/'));
    }
    found
}

/// Variables as arithmetic sees them.
struct ShellVariables<'a, 'b> {
    expander: &'a mut Expander<'b>,
    fault: &'a mut Option<Fault>,
}

impl Variables for ShellVariables<'_, '_> {
    fn get(&mut self, name: &str, subscript: Option<i64>) -> std::result::Result<Option<String>, String> {
        let value = self.expander.variable(name);
        let found = match (value, subscript) {
            (None, _) => None,
            (Some(Value::Array(array)), Some(index)) => {
                let end = array.last_key_value().map_or(0, |(last, _)| *last as i64 + 1);
                usize::try_from(if index < 0 { end + index } else { index })
                    .ok()
                    .and_then(|i| array.get(&i).cloned())
            }
            (Some(Value::Map(map)), Some(index)) => map.get(&index.to_string()).cloned(),
            (Some(value), None | Some(0)) => super::params::scalar(&value),
            (Some(_), Some(_)) => None,
        };
        if found.is_none() && self.expander.shell.options.nounset {
            *self.fault = Some(Fault::Exit(format!("{name}: unbound variable")));
            return Err(String::new());
        }
        Ok(found)
    }

    fn set(&mut self, name: &str, subscript: Option<i64>, value: i64) -> std::result::Result<(), String> {
        let vars = &mut self.expander.shell.vars;
        let result = match subscript {
            None => vars.set(name, value.to_string()),
            Some(index) => vars.set_element(name, &Key::Number(index), value.to_string()),
        };
        result.map_err(|error| {
            *self.fault = Some(error.into());
            String::new()
        })
    }
}
