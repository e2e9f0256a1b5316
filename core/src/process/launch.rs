//! Programs that run other programs: `env`, `timeout`, `xargs`, and `which`, which only looks for them.
//!
//! Modelled: `env [-i] [-u NAME] [NAME=VALUE]… COMMAND`; `timeout [-s SIGNAL] [-k SPAN] [--preserve-status]
//! [--foreground]`; `xargs [-0rt] [-d C] [-I R] [-n N] [-L N] [-P N]` (`-P` is accepted, and one runs at a time). Exit
//! codes are those of coreutils and findutils.

mod timeout;
mod xargs;

use super::host::{Call, Host};
use super::kernel::Sys;
use super::shell::{ExecError, Flow, body_of};
use timeout::Timeout;
use xargs::Xargs;

/// A program that waits for others.
#[derive(Clone, Debug)]
pub(crate) enum Launcher {
    /// Becomes another program.
    Env(Call),
    Timeout(Timeout),
    Xargs(Xargs),
    Which(Call),
    /// Says what was wrong with its arguments.
    Failed(String, u8),
}

impl Launcher {
    /// The launcher that `call` names; `None` if it names none, or if `env` only prints.
    pub(crate) fn start(call: &Call) -> Option<Self> {
        match call.argv.first()?.rsplit('/').next()? {
            "env" => env(call),
            "timeout" => {
                Some(Timeout::start(call).map_or_else(|(text, code)| Self::Failed(text, code), Self::Timeout))
            }
            "xargs" => {
                Some(Xargs::start(call).map_or_else(|(text, code)| Self::Failed(text, code), Self::Xargs))
            }
            "which" => Some(Self::Which(call.clone())),
            _ => None,
        }
    }

    /// Does what can be done now.
    pub(crate) fn step<H: Host>(&mut self, sys: &mut Sys<'_, H>) -> Flow<H::Program> {
        match self {
            Self::Failed(text, code) => {
                complain(sys, text);
                Flow::Exit(*code)
            }
            Self::Env(call) => {
                let now = sys.now();
                match body_of(sys.host, call.clone(), now) {
                    Ok(body) => Flow::Become(body),
                    Err(error) => {
                        let (reason, code) = reason(&error);
                        let name = call.argv.first().map_or("", String::as_str);
                        complain(sys, &format!("env: '{name}': {reason}\n"));
                        Flow::Exit(code)
                    }
                }
            }
            Self::Timeout(timeout) => timeout.step(sys),
            Self::Xargs(xargs) => xargs.step(sys),
            Self::Which(call) => {
                let (mut text, mut code) = (String::new(), u8::from(call.argv.len() < 2));
                for name in call.argv.iter().skip(1).filter(|name| *name != "-a") {
                    let wanted = Call { argv: vec![name.clone()], ..call.clone() };
                    match super::shell::which(sys.host, &wanted) {
                        Some(path) => text.extend([path.as_str(), "\n"]),
                        None => code = 1,
                    }
                }
                let handle = sys.fd(1);
                let _ = sys.write(handle, text.as_bytes());
                Flow::Exit(code)
            }
        }
    }

    /// What it waits for: a signal to it reaches them too.
    pub(crate) fn child(&self) -> Option<u32> {
        match self {
            Self::Timeout(timeout) => timeout.child,
            Self::Xargs(xargs) => xargs.child,
            Self::Env(_) | Self::Which(_) | Self::Failed(..) => None,
        }
    }
}

/// Standard error is nobody's concern when it is gone.
fn complain<H: Host>(sys: &mut Sys<'_, H>, text: &str) {
    let handle = sys.fd(2);
    let _ = sys.write(handle, text.as_bytes());
}

/// Why a program did not start, and the code that says so.
fn reason(error: &ExecError) -> (&'static str, u8) {
    match error {
        ExecError::NotFound(_) | ExecError::BadInterpreter { .. } => ("No such file or directory", 127),
        ExecError::PermissionDenied(_) | ExecError::IsDirectory(_) => ("Permission denied", 126),
    }
}

/// Starts a program in a task of its own.
fn spawn<H: Host>(
    sys: &mut Sys<'_, H>,
    argv: Vec<String>,
    call: &Call,
    input: bool,
) -> Result<u32, (String, u8)> {
    let pid = sys.kernel.upcoming_pid();
    let now = sys.now();
    let body = body_of(sys.host, Call { argv, pid, ..call.clone() }, now).map_err(|error| {
        let (text, code) = reason(&error);
        (text.to_owned(), code)
    })?;
    let mut fds = sys.fds();
    if !input {
        fds.insert(0, super::kernel::Handle::Null);
    }
    let group = sys.group();
    sys.kernel
        .spawn(sys.pid, Some(group), fds, body)
        .ok_or_else(|| ("Resource temporarily unavailable".to_owned(), 126))
}

/// `env` with a command.
fn env(call: &Call) -> Option<Launcher> {
    let mut new = call.clone();
    let mut args = call.argv.iter().skip(1);
    let mut command: Vec<String> = Vec::new();
    let failed = |text: String| Some(Launcher::Failed(format!("env: {text}\n"), 125));
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-i" | "-" | "--ignore-environment" => new.env.clear(),
            "-u" | "--unset" => match args.next() {
                Some(name) => {
                    new.env.remove(name);
                }
                None => return failed("option requires an argument -- 'u'".to_owned()),
            },
            "--" => {}
            option if option.starts_with('-') => return failed(format!("not modelled: {option}")),
            pair => match pair.split_once('=') {
                Some((name, value)) => {
                    new.env.insert(name.to_owned(), value.to_owned());
                }
                None => {
                    command.push(pair.to_owned());
                    command.extend(args.by_ref().cloned());
                }
            },
        }
    }
    if command.is_empty() {
        if call.argv.len() == 1 {
            return None;
        }
        // The environment that it would have given.
        command.push("env".to_owned());
    }
    new.argv = command;
    Some(Launcher::Env(new))
}
