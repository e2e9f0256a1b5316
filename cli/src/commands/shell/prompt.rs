//! Reading a line: with history and completion at a terminal, plainly from a pipe.

use anyhow::Context as _;
use clusterlab::lab::Lab;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Editor, Helper};

/// What came from the keyboard.
#[derive(Debug, PartialEq, Eq)]
pub enum Typed {
    /// A line.
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D, or the end of the pipe.
    End,
}

/// Reads lines.
pub struct LineReader {
    editor: Editor<LabCompleter, MemHistory>,
}

impl LineReader {
    /// A reader of standard input.
    pub fn new() -> anyhow::Result<Self> {
        let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
        let mut editor =
            Editor::with_history(config, MemHistory::new()).context("this terminal cannot be used")?;
        editor.set_helper(Some(LabCompleter { lab: None }));
        Ok(Self { editor })
    }

    /// Reads a line behind `prompt`.
    pub fn read(&mut self, prompt: &str, lab: &Lab) -> anyhow::Result<Typed> {
        if let Some(helper) = self.editor.helper_mut() {
            helper.lab = Some(lab.clone());
        }
        match self.editor.readline(prompt) {
            Ok(line) => Ok(Typed::Line(line)),
            Err(ReadlineError::Interrupted) => Ok(Typed::Interrupt),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(error).context("cannot read from this terminal"),
        }
    }
}

/// Completes as the lab's own terminal does.
struct LabCompleter {
    /// The lab as it is at this prompt.
    lab: Option<Lab>,
}

impl Completer for LabCompleter {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let completion = self.lab.as_ref().map(|lab| lab.complete(line, position)).unwrap_or_default();
        Ok((completion.start, completion.candidates))
    }
}

impl Hinter for LabCompleter {
    type Hint = String;
}
impl Highlighter for LabCompleter {}
impl Validator for LabCompleter {}
impl Helper for LabCompleter {}
