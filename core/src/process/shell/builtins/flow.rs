//! What changes where the shell is: loops, functions, other scripts, directories, other programs.

use std::sync::Arc;

use super::super::run::Flow;
use super::super::script::CommandKind;
use super::super::shell::{Frame, Shell};
use super::super::simple::{Arg, Found, find};
use super::KEYWORDS;
use crate::process::files::{FileError, resolve};
use crate::process::host::{Call, Host};
use crate::process::kernel::Sys;

impl Shell {
    /// Drops the innermost frames up to `len`, putting back what they had changed.
    fn unwind<H: Host>(&mut self, sys: &mut Sys<'_, H>, len: usize) {
        while self.frames.len() > len {
            if let Some(frame) = self.frames.pop() {
                self.undo(sys, frame);
            }
        }
    }

    pub(crate) fn break_continue<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        args: &[String],
    ) -> Flow<H::Program> {
        let levels = match args.first().map(|arg| arg.parse::<i64>()) {
            None => 1,
            Some(Ok(n)) if n > 0 => n as usize,
            Some(Ok(n)) => return self.fail(name, &format!("{n}: loop count out of range"), 1),
            Some(Err(_)) => {
                self.complain(&format!("{name}: {}: numeric argument required", args[0]));
                return self.exit(128);
            }
        };
        let is_loop = |frame: &Frame| match frame {
            Frame::Loop { .. } | Frame::For { .. } => true,
            Frame::ForArithmetic { command, .. } => matches!(command.kind, CommandKind::ForArithmetic { .. }),
            _ => false,
        };
        let barrier = self
            .frames
            .iter()
            .rposition(|frame| matches!(frame, Frame::Call { .. } | Frame::Trap { .. }))
            .map_or(0, |at| at + 1);
        let loops: Vec<usize> =
            (barrier..self.frames.len()).rev().filter(|&at| is_loop(&self.frames[at])).collect();
        self.status = 0;
        let Some(&at) = loops.get(levels - 1).or(loops.last()) else {
            self.complain(&format!("{name}: only meaningful in a `for', `while', or `until' loop"));
            return Flow::Go;
        };
        self.unwind(sys, at + usize::from(name == "continue"));
        if name == "continue"
            && let Some(Frame::Loop { testing, .. }) = self.frames.last_mut()
        {
            *testing = false;
        }
        Flow::Go
    }

    pub(crate) fn return_builtin<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        args: &[String],
    ) -> Flow<H::Program> {
        let at = self
            .frames
            .iter()
            .rposition(|frame| matches!(frame, Frame::Call { .. } | Frame::Source { positional: _ }));
        let Some(at) = at else {
            return self.fail("return", "can only `return' from a function or sourced script", 2);
        };
        if let Some(arg) = args.first() {
            match arg.parse::<i64>() {
                Ok(n) => self.status = n as u8,
                Err(_) => {
                    self.complain(&format!("return: {arg}: numeric argument required"));
                    self.status = 2;
                }
            }
        }
        let status = self.status;
        self.unwind(sys, at);
        self.status = status;
        Flow::Go
    }

    pub(crate) fn exit_builtin<H: Host>(
        &mut self,
        _sys: &mut Sys<'_, H>,
        args: &[String],
    ) -> Flow<H::Program> {
        let mut status = match self.frames.iter().rev().find(|frame| matches!(frame, Frame::Trap { .. })) {
            Some(Frame::Trap { status }) if args.is_empty() => *status,
            _ => self.status,
        };
        if let Some(arg) = args.first() {
            match arg.parse::<i64>() {
                Ok(n) => status = n as u8,
                Err(_) => {
                    self.complain(&format!("exit: {arg}: numeric argument required"));
                    status = 2;
                }
            }
            if args.len() > 1 && arg.parse::<i64>().is_ok() {
                return self.fail("exit", "too many arguments", 1);
            }
        }
        self.exit(status)
    }

    pub(crate) fn eval<P>(&mut self, args: &[String]) -> Flow<P> {
        match super::super::parse_lines(&args.join(" ")) {
            Ok(block) => {
                self.status = 0;
                self.frames.push(Frame::Block { block, at: 0 });
                Flow::Go
            }
            Err(error) => {
                let line = self.line;
                self.complain(&format!("eval: line {line}: {}", error.message));
                self.done(2)
            }
        }
    }

    pub(crate) fn source<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        mut args: Vec<String>,
    ) -> Flow<H::Program> {
        if args.is_empty() {
            return self.misuse(name, "filename argument required", &format!("{name} filename [arguments]"));
        }
        let file = args.remove(0);
        let text = match sys.host.files().read(&resolve(&self.cwd, &file)) {
            Ok(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Err(FileError::IsDirectory) => return self.fail(name, &format!("{file}: is a directory"), 1),
            Err(error) => {
                self.complain(&format!("{file}: {error}"));
                return self.done(1);
            }
        };
        let positional = if args.is_empty() {
            None
        } else {
            Some(std::mem::replace(&mut self.positional, Arc::new(args)))
        };
        match super::super::parse_lines(&text) {
            Ok(block) => {
                self.status = 0;
                self.frames.push(Frame::Source { positional });
                self.frames.push(Frame::Block { block, at: 0 });
                Flow::Go
            }
            Err(error) => {
                if let Some(positional) = positional {
                    self.positional = positional;
                }
                let mut text = format!("{file}: line {}: {}\n", error.line, error.message);
                if let Some(line) = &error.quoted {
                    text.push_str(&format!("{file}: line {}: `{line}'\n", error.line));
                }
                self.messages.push_str(&text);
                self.done(1)
            }
        }
    }

    pub(crate) fn exec<H: Host>(&mut self, sys: &mut Sys<'_, H>, mut args: Vec<String>) -> Flow<H::Program> {
        if args.first().is_some_and(|arg| arg == "--") {
            args.remove(0);
        }
        match args.first() {
            None => return self.done(0),
            Some(flag) if flag.starts_with('-') => {
                return self.fail("exec", &format!("not modelled: {flag}"), 2);
            }
            Some(_) => {}
        }
        let call = Call { argv: args, env: self.vars.exported(), cwd: self.cwd.clone(), pid: sys.pid };
        match self.body_of(sys, call) {
            Ok(body) => Flow::Become(body),
            Err((status, message)) => {
                let name =
                    message.strip_suffix(": command not found").map(|name| format!("{name}: not found"));
                self.complain(&format!("exec: {}", name.unwrap_or(message)));
                if self.options.interactive { self.done(status) } else { self.exit(status) }
            }
        }
    }

    pub(crate) fn command_builtin<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        name: &str,
        args: Vec<Arg>,
        mut argv: Vec<String>,
    ) -> Flow<H::Program> {
        if name == "command"
            && let Some(flag @ ("-v" | "-V")) = argv.first().map(String::as_str)
        {
            let verbose = flag == "-V";
            let names = argv.split_off(1);
            return self.describe(
                sys,
                "command",
                &names,
                if verbose { Describe::Sentence } else { Describe::Short },
            );
        }
        let skip = usize::from(argv.first().is_some_and(|arg| arg == "--" || arg == "-p"));
        let argv = argv.split_off(skip);
        let Some(first) = argv.first().cloned() else { return self.done(0) };
        if super::is_builtin(&first) {
            let args = args.into_iter().skip(1 + skip).collect();
            return self.builtin(sys, args, argv);
        }
        if name == "builtin" {
            return self.fail(name, &format!("{first}: not a shell builtin"), 1);
        }
        let call =
            Call { argv, env: self.vars.exported(), cwd: self.cwd.clone(), pid: sys.kernel.upcoming_pid() };
        match self.body_of(sys, call) {
            Ok(body) => {
                let (fds, group) = (sys.fds(), sys.group());
                match sys.kernel.spawn(sys.pid, Some(group), fds, body) {
                    Some(pid) => {
                        self.frames.push(Frame::Wait {
                            pids: vec![pid],
                            statuses: vec![None],
                            pipeline: false,
                        });
                    }
                    None => self.fork_failed(),
                }
                Flow::Go
            }
            Err((status, message)) => {
                self.complain(&message);
                self.done(status)
            }
        }
    }

    pub(crate) fn type_builtin<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        args: &[String],
    ) -> Flow<H::Program> {
        match args.first().map(String::as_str) {
            Some("-t") => self.describe(sys, "type", &args[1..], Describe::Kind),
            Some("-p" | "-P") => self.describe(sys, "type", &args[1..], Describe::Path),
            Some("-a" | "--") => self.describe(sys, "type", &args[1..], Describe::Sentence),
            _ => self.describe(sys, "type", args, Describe::Sentence),
        }
    }

    fn describe<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        builtin: &str,
        names: &[String],
        how: Describe,
    ) -> Flow<H::Program> {
        let mut text = String::new();
        self.status = 0;
        for name in names {
            let (kind, sentence, short) = if KEYWORDS.contains(&name.as_str()) {
                ("keyword", format!("{name} is a shell keyword"), name.clone())
            } else if let Some(function) = self.functions.get(name) {
                ("function", format!("{name} is a function\n{}", function.text), name.clone())
            } else if super::is_builtin(name) {
                ("builtin", format!("{name} is a shell builtin"), name.clone())
            } else if let Some(path) = self.which(sys.host, name) {
                ("file", format!("{name} is {path}"), path)
            } else {
                self.status = 1;
                if how == Describe::Sentence {
                    self.complain(&format!("{builtin}: {name}: not found"));
                }
                continue;
            };
            match how {
                Describe::Sentence => text.push_str(&sentence),
                Describe::Kind => text.push_str(kind),
                Describe::Short => text.push_str(&short),
                Describe::Path if kind == "file" => text.push_str(&short),
                Describe::Path => continue,
            }
            text.push('\n');
        }
        self.print_bytes(sys, builtin, text.as_bytes())
    }

    /// Where a command would be found.
    pub(crate) fn which<H: Host>(&self, host: &mut H, name: &str) -> Option<String> {
        let call =
            Call { argv: vec![name.to_owned()], env: self.vars.exported(), cwd: self.cwd.clone(), pid: 1 };
        which(host, &call)
    }

    pub(crate) fn cd<H: Host>(&mut self, sys: &mut Sys<'_, H>, args: &[String]) -> Flow<H::Program> {
        let args: Vec<&String> =
            args.iter().filter(|arg| !["-L", "-P", "--"].contains(&arg.as_str())).collect();
        let target = match args[..] {
            [] => match self.vars.text("HOME") {
                Some(home) => home.to_owned(),
                None => return self.fail("cd", "HOME not set", 1),
            },
            [dash] if dash == "-" => match self.vars.text("OLDPWD") {
                Some(old) => old.to_owned(),
                None => return self.fail("cd", "OLDPWD not set", 1),
            },
            [target] => target.clone(),
            _ => return self.fail("cd", "too many arguments", 1),
        };
        if target.is_empty() {
            return self.done(0);
        }
        let path = resolve(&self.cwd, &target);
        match sys.host.files().metadata(&path) {
            Ok(found) if found.is_dir => {}
            Ok(_) => return self.fail("cd", &format!("{target}: Not a directory"), 1),
            Err(error) => return self.fail("cd", &format!("{target}: {error}"), 1),
        }
        let old = std::mem::replace(&mut self.cwd, path.clone());
        for (name, text) in [("OLDPWD", old), ("PWD", path.clone())] {
            let set =
                self.vars.set(name, text).and_then(|()| self.vars.update(name, |var| var.exported = true));
            if let Err(error) = set {
                self.complain(&error.to_string());
            }
        }
        self.status = 0;
        if args.first().is_some_and(|arg| *arg == "-") {
            return self.print(sys, "cd", &format!("{path}\n"));
        }
        Flow::Go
    }
}

/// What `type` and `command -v` print.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Describe {
    Sentence,
    Short,
    Kind,
    Path,
}

/// The path of the command that `call` names.
pub(crate) fn which<H: Host>(host: &mut H, call: &Call) -> Option<String> {
    let name = call.argv.first()?;
    match find(host, call) {
        Found::Script { path, .. } => Some(if name.contains('/') { name.clone() } else { path }),
        Found::Program(_) | Found::Utility(_) | Found::Launcher(_) | Found::Applet | Found::Shell => {
            Some(if name.contains('/') { name.clone() } else { format!("/usr/bin/{name}") })
        }
        _ => None,
    }
}
