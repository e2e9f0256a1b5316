//! Commands that the shell runs itself.

mod declare;
pub(super) mod flow;
mod getopts;
mod jobs;
mod output;
mod read;
mod set;

use super::run::Flow;
use super::shell::Shell;
use super::simple::Arg;
use crate::process::host::Host;
use crate::process::kernel::{State, Sys, WriteError};

/// Every builtin, in the order of `help`.
const NAMES: &[&str] = &[
    ".",
    ":",
    "[",
    "alias",
    "bg",
    "break",
    "builtin",
    "caller",
    "cd",
    "command",
    "continue",
    "declare",
    "dirs",
    "disown",
    "echo",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "kill",
    "let",
    "local",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "test",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
];

pub(crate) fn names() -> Vec<&'static str> {
    NAMES.to_vec()
}

pub(crate) fn is_builtin(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Words with a meaning of their own, for `type`.
pub(crate) const KEYWORDS: &[&str] = &[
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if",
    "in", "select", "then", "time", "until", "while", "{", "}",
];

impl Shell {
    /// Runs a builtin. `args` are its words, `argv` the same as texts.
    pub(crate) fn builtin<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        args: Vec<Arg>,
        mut argv: Vec<String>,
    ) -> Flow<H::Program> {
        let name = argv.remove(0);
        match name.as_str() {
            ":" | "true" => self.done(0),
            "false" => self.done(1),
            "echo" => self.echo(sys, &argv),
            "printf" => self.printf(sys, &argv),
            "test" | "[" => self.test_builtin(sys, &name, argv),
            "pwd" => {
                let text = format!("{}\n", self.cwd);
                self.print(sys, &name, &text)
            }
            "cd" => self.cd(sys, &argv),
            "declare" | "typeset" | "local" | "export" | "readonly" => self.declare(sys, &name, args),
            "unset" => self.unset(&argv),
            "set" => self.set_builtin(sys, argv),
            "shopt" => self.shopt(&argv),
            "shift" => self.shift(&argv),
            "let" => self.let_builtin(sys, &argv),
            "getopts" => self.getopts(&argv),
            "break" | "continue" => self.break_continue(sys, &name, &argv),
            "return" => self.return_builtin(sys, &argv),
            "exit" => self.exit_builtin(sys, &argv),
            "eval" => self.eval(&argv),
            "source" | "." => self.source(sys, &name, argv),
            "exec" => self.exec(sys, argv),
            "command" | "builtin" => self.command_builtin(sys, &name, args, argv),
            "type" => self.type_builtin(sys, &argv),
            "read" => self.read(sys, &argv),
            "mapfile" | "readarray" => self.mapfile(sys, &name, &argv),
            "wait" => self.wait_builtin(&argv),
            "jobs" => self.jobs_builtin(sys),
            "fg" => self.fg(&argv),
            "kill" => self.kill(sys, &argv),
            "trap" => self.trap(sys, &argv),
            "disown" => self.done(0),
            "hash" | "times" | "enable" => self.done(0),
            "umask" => self.print(sys, &name, "0022\n"),
            "ulimit" => self.ulimit(sys, &argv),
            other => {
                self.complain(&format!("not modelled: {other}"));
                self.done(2)
            }
        }
    }

    /// Sets the status.
    pub(crate) fn done<P>(&mut self, status: u8) -> Flow<P> {
        self.status = status;
        Flow::Go
    }

    /// A message with the builtin's name in front.
    pub(crate) fn fail<P>(&mut self, name: &str, message: &str, status: u8) -> Flow<P> {
        self.complain(&format!("{name}: {message}"));
        self.done(status)
    }

    /// A message and the usage line, as for an unknown option.
    pub(crate) fn misuse<P>(&mut self, name: &str, message: &str, usage: &str) -> Flow<P> {
        self.complain(&format!("{name}: {message}"));
        self.messages.push_str(&format!("{name}: usage: {usage}\n"));
        self.done(2)
    }

    /// Prints on standard output and sets status 0.
    pub(crate) fn print<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        text: &str,
    ) -> Flow<H::Program> {
        self.status = 0;
        self.print_bytes(sys, name, text.as_bytes())
    }

    /// Prints on standard output; the status stays unless that fails.
    pub(crate) fn print_bytes<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        bytes: &[u8],
    ) -> Flow<H::Program> {
        let handle = sys.fd(1);
        match sys.write(handle, bytes) {
            Ok(()) if handle.is_some_and(|handle| sys.kernel.is_full(handle)) => Flow::Block(State::Drain(1)),
            Ok(()) => Flow::Go,
            // SIGPIPE.
            Err(WriteError::Broken) => Flow::Exit(141),
            Err(WriteError::BadDescriptor) => self.fail(name, "write error: Bad file descriptor", 1),
            Err(WriteError::File(error)) => self.fail(name, &format!("write error: {error}"), 1),
        }
    }
}
