//! The shell: bash's language over the process's own little kernel.
//!
//! Text is parsed by `brush-parser` (behind a guard, see [`guard`]) into a
//! shared tree ([`script`]), which [`run`] walks one step at a time. Words are
//! expanded by [`expand`] and [`params`], simple commands are started by
//! [`simple`], builtins live in [`builtins`]. Message texts and exit statuses
//! are those of bash 5.2.
//!
//! Deliberately absent, each with a message that says so: coprocesses, `select`,
//! extended patterns (`@(a|b)`), job control beyond `&`, `wait`, `jobs`, `kill`
//! and `fg`, history and aliases.

#![allow(
    clippy::needless_pass_by_value,
    clippy::unused_self,
    clippy::self_only_used_in_recursion,
    clippy::unnecessary_wraps,
    reason = "the parts of the machine have one shape each, whether or not this one needs all of it"
)]
#![allow(clippy::type_complexity, reason = "closures of expansion are named by what they return")]
#![allow(
    clippy::format_collect,
    clippy::nonminimal_bool,
    clippy::needless_for_each,
    reason = "reads as bash's manual does"
)]
#![allow(
    clippy::enum_variant_names,
    clippy::assigning_clones,
    reason = "the short form is the clear one here"
)]

mod arith;
mod braces;
mod builtins;
mod convert;
mod escapes;
mod expand;
mod guard;
mod here_documents;
mod params;
mod parse;
mod redirect;
mod run;
mod script;
#[allow(clippy::module_inception, reason = "the shell's own state, beside its parts")]
mod shell;
mod simple;
mod test;
mod vars;
mod word;

use thiserror::Error;

pub(crate) use builtins::flow::which;
pub use expand::glob;
pub use parse::{ScriptError, check_script};
pub(crate) use run::Flow;
pub(crate) use shell::{Frame, Origin, Shell};
pub(crate) use simple::body_of;

use self::parse::{HERE_DOCUMENT, parse_script};
use self::script::{Block, Chain, Command, CommandKind, Item, Pipeline};
use crate::process::files::{FileError, resolve};
use crate::process::host::{Call, Host};
use crate::process::kernel::{State, Sys};
use crate::sim::SimTime;

/// Why a program could not be started, as `execve(2)` says it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExecError {
    /// `ENOENT`: no file or program of that name.
    #[error("exec: \"{0}\": executable file not found in $PATH")]
    NotFound(String),
    /// `EACCES`: a file that may not be executed.
    #[error("exec: \"{0}\": permission denied")]
    PermissionDenied(String),
    /// `EISDIR`.
    #[error("exec: \"{0}\": is a directory")]
    IsDirectory(String),
    /// The first line of a script names an interpreter that is not there.
    #[error("exec {name}: no such file or directory")]
    BadInterpreter {
        /// The script.
        name: String,
        /// What stands behind its `#!`.
        interpreter: String,
    },
}

/// Names under which an image may have a shell.
pub(crate) const SHELLS: &[&str] = &["sh", "bash", "dash", "ash"];

/// The names of all builtins, for `type` and completion.
pub fn builtin_names() -> Vec<&'static str> {
    builtins::names()
}

/// Parses what `eval`, `trap` or a prompt gives to the shell.
pub(crate) fn parse_lines(text: &str) -> Result<Block, ScriptError> {
    parse_script(text)
}

/// The message about a script that cannot be read.
pub(crate) fn syntax_message(shell: &Shell, error: &ScriptError) -> String {
    let prefix = match shell.origin {
        Origin::Session => return format!("{}: {}\n", shell.name, error.message),
        Origin::Command => format!("{}: -c: line {}: ", shell.name, error.line),
        Origin::File => format!("{}: line {}: ", shell.name, error.line),
    };
    let mut text = format!("{prefix}{}\n", error.message);
    if let Some(line) = &error.quoted {
        text.push_str(&format!("{prefix}`{line}'\n"));
    }
    text
}

/// How often a text with errors is tried again without its last lines.
const MAX_PREFIXES: usize = 200;

impl Shell {
    /// Makes `text` the script of this shell. What stands in front of a syntax error runs all the same, as it
    /// does where a script is read line by line.
    pub(crate) fn load(&mut self, text: &str) {
        let text = text.replace('\0', "");
        let mut script = parse_script(&text);
        let mut source = text.clone();
        for _ in 0..8 {
            let Err(error) = &script else { break };
            let (HERE_DOCUMENT, Some(tag)) = (error.message.as_str(), &error.quoted) else { break };
            let tag = tag.split(',').next().unwrap_or(tag).trim().replace(['\'', '"', '\\'], "");
            let line = error.line;
            self.line = u32::try_from(line).unwrap_or(u32::MAX);
            self.complain(&format!(
                "warning: here-document at line {line} delimited by end-of-file (wanted `{tag}')"
            ));
            source.push_str(&format!("\n{tag}\n"));
            script = parse_script(&source);
        }
        let block = match script {
            Ok(block) => block,
            Err(error) => self.prefix(&source, error),
        };
        self.one_shot = self.origin == Origin::Command
            && self.traps.is_empty()
            && matches!(&block[..], [item] if !item.background && is_one_command(item));
        self.frames.push(Frame::Block { block, at: 0 });
    }

    /// The longest run of whole lines that can be read, then the error.
    fn prefix(&self, text: &str, error: ScriptError) -> Block {
        let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end).collect();
        let before = ends.len().min(error.line.saturating_sub(1));
        let block =
            ends[..before].iter().rev().take(MAX_PREFIXES).find_map(|end| parse_script(&text[..*end]).ok());
        let group = block.as_ref().and_then(|block| block.last()).map_or(0, |item| item.group + 1);
        let command = Command {
            line: u32::try_from(error.line).unwrap_or(u32::MAX),
            redirects: Vec::new(),
            kind: CommandKind::SyntaxError(error),
        };
        let pipeline = Pipeline { inverted: false, timed: None, commands: vec![command.into()] };
        let chain = Chain { first: pipeline.into(), rest: Vec::new(), text: String::new() };
        let last = Item { chain: chain.into(), background: false, group };
        let items = block.iter().flat_map(|block| block.iter()).map(|item| Item {
            chain: item.chain.clone(),
            background: item.background,
            group: item.group,
        });
        items.chain([last]).collect()
    }

    /// Reads the script from standard input, then begins.
    fn slurp<H: Host>(&mut self, sys: &mut Sys<'_, H>, mut bytes: Vec<u8>) -> Flow<H::Program> {
        let handle = sys.fd(0);
        let (new, closed) = sys.take_input(handle);
        sys.return_input(handle, Vec::new(), new.len());
        bytes.extend(new);
        if closed {
            self.load(&String::from_utf8_lossy(&bytes));
            Flow::Go
        } else {
            self.frames.push(Frame::Slurp(bytes));
            Flow::Block(State::Input { seen: 0 })
        }
    }

    /// Ends at once with a message.
    fn refuse(mut self, text: &str, status: u8) -> Self {
        self.messages.push_str(text);
        self.frames = vec![Frame::Exit { status }];
        self
    }
}

fn is_one_command(item: &Item) -> bool {
    let pipeline = &item.chain.first;
    item.chain.rest.is_empty()
        && !pipeline.inverted
        && pipeline.timed.is_none()
        && matches!(&pipeline.commands[..], [command] if matches!(command.kind, CommandKind::Simple { .. }))
}

/// The shell that `sh …` or `bash …` starts.
pub(crate) fn start<H: Host>(host: &mut H, call: &Call, now: SimTime) -> Shell {
    let name = call.argv.first().map_or("sh", String::as_str).to_owned();
    let mut shell = Shell::new(call, &name, Origin::File, now);
    let mut args = call.argv.iter().skip(1).peekable();
    let (mut command, mut stdin) = (false, false);
    while let Some(arg) = args.next_if(|arg| arg.starts_with(['-', '+']) && arg.len() > 1) {
        let on = arg.starts_with('-');
        match arg.as_str() {
            "--" => break,
            "--login" | "--norc" | "--noprofile" | "--posix" => continue,
            long if long.starts_with("--") => {
                return shell.refuse(&format!("{name}: {long}: invalid option\n"), 2);
            }
            _ => {}
        }
        for letter in arg[1..].chars() {
            match letter {
                'c' => command = true,
                's' => stdin = true,
                'l' | 'i' => {}
                'o' => {
                    let Some(option) = args.next() else { break };
                    match shell.options.by_name(option) {
                        Some(flag) => *flag = on,
                        None => {
                            return shell.refuse(&format!("{name}: {option}: invalid option name\n"), 2);
                        }
                    }
                }
                letter => match shell.options.by_letter(letter) {
                    Some(flag) => *flag = on,
                    None => return shell.refuse(&format!("{name}: -{letter}: invalid option\n"), 2),
                },
            }
        }
    }
    if command {
        let Some(text) = args.next() else {
            return shell.refuse(&format!("{name}: -c: option requires an argument\n"), 2);
        };
        shell.origin = Origin::Command;
        shell.options.command = true;
        if let Some(zero) = args.next() {
            shell.name.clone_from(zero);
        }
        shell.positional = args.cloned().collect::<Vec<_>>().into();
        shell.load(text);
        return shell;
    }
    match args.next() {
        Some(file) if !stdin => {
            let path = resolve(&call.cwd, file);
            let text = match host.files().read(&path) {
                Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Err(error) => {
                    let status = if error == FileError::NotFound { 127 } else { 126 };
                    return shell.refuse(&format!("{name}: {file}: {error}\n"), status);
                }
            };
            shell.name.clone_from(file);
            shell.positional = args.cloned().collect::<Vec<_>>().into();
            shell.load(&text);
        }
        first => {
            shell.positional = first.into_iter().chain(args).cloned().collect::<Vec<_>>().into();
            shell.frames.push(Frame::Slurp(Vec::new()));
        }
    }
    shell
}
