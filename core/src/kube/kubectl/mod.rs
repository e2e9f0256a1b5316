//! The learner's `kubectl`, as a library.
//!
//! A [`Kubectl`] is one invocation: a state machine of plain data that is stepped with the world lent for
//! the length of a call ([`Context`]). Most commands are done in one step; those that wait
//! (`get --watch`, `logs -f`, `delete`, `wait`) are stepped again when the world has moved.
//!
//! ```
//! use clusterlab::kube::api::ApiServer;
//! use clusterlab::kube::kubectl::{Context, KubeConfig, Kubectl, NoLogs};
//! use clusterlab::process::{Io, Step, files::Files};
//! use clusterlab::sim::{Epoch, Seed, SimTime};
//!
//! let mut api = ApiServer::new(Epoch::default(), Seed::default());
//! let mut world = Context {
//!     api: &mut api,
//!     files: &mut Files::default(),
//!     cwd: "/root",
//!     config: &mut KubeConfig::default(),
//!     now: SimTime::ZERO,
//!     epoch: Epoch::default(),
//!     logs: &NoLogs,
//! };
//! let (mut stdin, mut stdout, mut stderr) = (Vec::new(), Vec::new(), Vec::new());
//! let mut io = Io { stdin: &mut stdin, stdin_closed: true, stdout: &mut stdout, stderr: &mut stderr };
//! let mut kubectl = Kubectl::new(["get", "namespaces", "-o", "name"]);
//! assert_eq!(kubectl.step(&mut world, &mut io), Step::Exit(0));
//! assert_eq!(stdout, b"namespace/default\nnamespace/kube-node-lease\nnamespace/kube-public\nnamespace/kube-system\n");
//! ```
//!
//! The way of a command: [`command`] finds it in the table of [`commands`] and reads its flags; [`resource`] and
//! [`documents`] find out which objects are meant; the command's own module asks the API server and
//! prints with [`mod@print`] or [`describe`]. Errors and their texts are in [`error`].
//!
//! The help texts and the words of `explain` are this project's own; layouts, messages and
//! everything that a program may read are kubectl's.

mod apply;
mod change;
mod command;
mod commands;
mod complete;
mod config;
#[allow(clippy::unnecessary_wraps, reason = "all commands have one signature")]
mod config_commands;
mod context;
mod create;
mod delete;
pub mod describe;
mod documents;
mod duration;
mod error;
mod explain;
mod flags;
mod get;
mod help;
#[allow(clippy::unnecessary_wraps, reason = "all commands have one signature")]
mod info;
pub mod jsonpath;
mod logs;
mod output;
pub mod print;
#[cfg(test)]
mod properties;
mod resource;
mod taint;
mod three_way;
mod wait;
mod waiting;
mod wire;

pub use complete::complete;
pub use config::{KubeConfig, NamedContext};
pub use context::{Context, LogEntry, LogSlice, LogSource, NoLogs};
pub use wire::wire_json;

use std::time::Duration;

use command::{Next, Run, resolve};
use commands::{GLOBAL, GROUPS, ROOT};
use error::{Error, Result};
use flags::Parsed;
use waiting::Waiting;

use crate::process::{Io, Step};

/// How often a command that waits with a deadline looks again.
const POLL: Duration = Duration::from_millis(250);
/// The most that standard input may hold.
const MAX_STDIN: usize = 64 << 20;

/// One invocation of kubectl.
#[derive(Clone, Debug)]
pub struct Kubectl {
    args: Vec<String>,
    stdin: Vec<u8>,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Begin,
    Waiting(Waiting),
    Done(u8),
}

impl Kubectl {
    /// An invocation with these arguments (without the program's name). Nothing happens before the first step.
    pub fn new(args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { args: args.into_iter().map(Into::into).collect(), stdin: Vec::new(), state: State::Begin }
    }

    /// Runs at the present instant, as far as it gets.
    pub fn step(&mut self, ctx: &mut Context<'_>, io: &mut Io<'_>) -> Step {
        let (mut out, mut err) = (String::new(), String::new());
        let result = match &mut self.state {
            State::Done(code) => return Step::Exit(*code),
            State::Waiting(waiting) => waiting.step(ctx, &mut out, &mut err),
            State::Begin => {
                if reads_stdin(&self.args) {
                    let room = MAX_STDIN.saturating_sub(self.stdin.len());
                    self.stdin.extend(io.stdin.drain(..).take(room));
                    if !io.stdin_closed {
                        return Step::Input;
                    }
                }
                begin(&self.args, &self.stdin, ctx, &mut out, &mut err).and_then(|next| match next {
                    Next::Done => Ok(Step::Exit(0)),
                    Next::Exit(code) => Ok(Step::Exit(code)),
                    Next::Wait(mut waiting) => {
                        let step = waiting.step(ctx, &mut out, &mut err);
                        self.state = State::Waiting(waiting);
                        step
                    }
                })
            }
        };
        let step = result.unwrap_or_else(|error| {
            let (text, code) = error.report();
            err.push_str(&text);
            Step::Exit(code)
        });
        if let Step::Exit(code) = step {
            self.state = State::Done(code);
        }
        io.stdout.extend_from_slice(out.as_bytes());
        io.stderr.extend_from_slice(err.as_bytes());
        step
    }

    /// Ctrl-C: the invocation is over. Answers its exit code.
    pub fn interrupt(&mut self) -> u8 {
        if let State::Done(code) = self.state {
            return code;
        }
        self.state = State::Done(130);
        130
    }
}

/// Whether `-f -` is among the words.
fn reads_stdin(args: &[String]) -> bool {
    let before_dash = args.iter().take_while(|word| *word != "--");
    let mut previous = "";
    for word in before_dash {
        let named = matches!(previous, "-f" | "--filename") && word.split(',').any(|file| file == "-");
        if named || matches!(word.as_str(), "-f-" | "-f=-" | "--filename=-") {
            return true;
        }
        previous = word;
    }
    false
}

fn begin(
    args: &[String],
    stdin: &[u8],
    ctx: &mut Context<'_>,
    out: &mut String,
    err: &mut String,
) -> Result<Next> {
    let mut args = args.to_vec();
    if args.first().is_some_and(|word| word == "help") {
        args.remove(0);
        args.push("--help".to_owned());
    }
    let resolved = resolve(&ROOT, GLOBAL, &args)?;
    let command = resolved.command;
    let path = resolved.path;
    let help =
        resolved.words.iter().take_while(|word| *word != "--").any(|word| word == "--help" || word == "-h");
    if help {
        out.push_str(&help_of(command, &path));
        return Ok(Next::Done);
    }
    if command.absent {
        return Err(Error::Message(format!("not modelled: {path}")));
    }
    let parsed = Parsed::parse(&resolved.words, &resolved.flags)
        .map_err(|error| Error::Message(format!("{}\nSee '{path} --help' for usage.", error.text())))?;
    for name in ["as", "as-group", "token", "server", "kubeconfig"] {
        if parsed.given(name)
            && !(name == "server" && command.name == "set-cluster")
            && !(name == "token" && command.name == "set-credentials")
        {
            return Err(Error::Message(format!("not modelled: --{name}")));
        }
    }
    if let Some(name) = parsed.text("context") {
        if !ctx.config.contexts.contains_key(name) {
            return Err(Error::Message(format!("context {} does not exist", print::go_quote(name))));
        }
        let before = std::mem::replace(&mut ctx.config.current, name.to_owned());
        let result = execute(command, &path, &parsed, stdin, ctx, out, err);
        ctx.config.current = before;
        return result;
    }
    execute(command, &path, &parsed, stdin, ctx, out, err)
}

fn execute(
    command: &'static command::Command,
    path: &str,
    flags: &Parsed,
    stdin: &[u8],
    ctx: &mut Context<'_>,
    out: &mut String,
    err: &mut String,
) -> Result<Next> {
    match command.run {
        Some(run) => run(&mut Run { ctx, path, flags, stdin, out, err }),
        None if flags.args.is_empty() && std::ptr::eq(command, &raw const ROOT) => {
            out.push_str(&help_of(command, path));
            Ok(Next::Done)
        }
        // A group of commands, such as `config`, shows what it has and fails.
        None if flags.args.is_empty() => {
            err.push_str(&help_of(command, path));
            Ok(Next::Exit(1))
        }
        None => error::usage(path, format!("unknown command {}", print::go_quote(&flags.args.join(" ")))),
    }
}

fn help_of(command: &'static command::Command, path: &str) -> String {
    if std::ptr::eq(command, &raw const ROOT) {
        help::root_help(command, GROUPS)
    } else {
        help::command_help(command, path)
    }
}
