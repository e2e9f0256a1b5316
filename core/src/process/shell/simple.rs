//! Simple commands: from words to something that runs.

use std::sync::Arc;

use super::builtins;
use super::expand::{Captured, Expander, Fault, Result};
use super::params::quote_if_needed;
use super::run::{Flow, is_literal};
use super::script::{Assign, AssignValue, Command, CommandKind, Word};
use super::shell::{Frame, Origin, Shell};
use super::vars::{Key, Value, Var};
use crate::process::files::{join, resolve};
use crate::process::host::{Call, Host};
use crate::process::kernel::{Body, Fds, Sys};
use crate::process::launch::Launcher;
use crate::process::utilities::{self, Utility};

/// An argument. Only `declare` and its like tell an assignment from a text.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Text(String),
    Assign(Ready),
}

/// An assignment with its words expanded.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) name: String,
    /// The subscript as text: what it means depends on the array.
    pub(crate) index: Option<String>,
    pub(crate) append: bool,
    pub(crate) value: ReadyValue,
}

#[derive(Clone, Debug)]
pub(crate) enum ReadyValue {
    Scalar(String),
    Array(Vec<(Option<String>, String)>),
}

impl Arg {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Assign(ready) => ready.text(),
        }
    }
}

impl Ready {
    pub(crate) fn text(&self) -> String {
        let index = self.index.as_ref().map_or_else(String::new, |index| format!("[{index}]"));
        let plus = if self.append { "+" } else { "" };
        match &self.value {
            ReadyValue::Scalar(text) => format!("{}{index}{plus}={text}", self.name),
            ReadyValue::Array(elements) => {
                let texts: Vec<String> = elements.iter().map(|(_, text)| quote_if_needed(text)).collect();
                format!("{}{index}{plus}=({})", self.name, texts.join(" "))
            }
        }
    }
}

/// Builtins whose arguments are assignments.
pub(crate) const DECLARATIONS: &[&str] = &["declare", "typeset", "local", "export", "readonly"];

impl Expander<'_> {
    fn args(&mut self, words: &[Word]) -> Result<Vec<Arg>> {
        let declares = words.first().is_some_and(|word| is_literal(&word.parts, DECLARATIONS));
        if !declares {
            return Ok(self.fields(words)?.into_iter().map(Arg::Text).collect());
        }
        let mut args = Vec::new();
        for word in words {
            match &word.assign {
                Some(assign) => args.push(Arg::Assign(self.ready(assign)?)),
                None => args.extend(self.fields(std::slice::from_ref(word))?.into_iter().map(Arg::Text)),
            }
        }
        Ok(args)
    }

    /// Expands the words of an assignment.
    pub(crate) fn ready(&mut self, assign: &Assign) -> Result<Ready> {
        let index = assign.index.as_ref().map(|parts| self.text(parts)).transpose()?;
        let value = match &assign.value {
            AssignValue::Scalar(word) => ReadyValue::Scalar(self.text(&word.parts)?),
            AssignValue::Array(elements) => {
                let mut values = Vec::new();
                for (index, word) in elements {
                    match index {
                        Some(index) => values.push((Some(self.text(index)?), self.text(&word.parts)?)),
                        None => {
                            let fields = self.fields(std::slice::from_ref(word))?;
                            values.extend(fields.into_iter().map(|field| (None, field)));
                        }
                    }
                }
                ReadyValue::Array(values)
            }
        };
        Ok(Ready { name: assign.name.clone(), index, append: assign.append, value })
    }

    /// Carries out an assignment.
    pub(crate) fn apply(&mut self, ready: &Ready) -> Result<()> {
        let name = &ready.name;
        let var = self.shell.vars.get(name).cloned();
        let integer = var.as_ref().is_some_and(|var| var.integer);
        let old = var.map(|var| var.value);
        let is_map = matches!(old, Some(Value::Map(_)));
        match &ready.value {
            ReadyValue::Array(elements) => {
                // Read-only or too large is found before anything is changed.
                let mut next = 0;
                if ready.append {
                    if let Some(Value::Array(array)) = &old {
                        next = array.last_key_value().map_or(0, |(last, _)| *last as i64 + 1);
                    } else if let Some(Value::Text(text)) = &old {
                        self.shell.vars.set_value(name, Value::Array([(0, text.clone())].into()))?;
                        next = 1;
                    } else if !is_map {
                        self.shell.vars.set_value(name, Value::Array([].into()))?;
                    }
                } else {
                    let empty = if is_map { Value::Map([].into()) } else { Value::Array([].into()) };
                    self.shell.vars.set_value(name, empty)?;
                }
                for (index, text) in elements {
                    let key = match index {
                        Some(index) if is_map => Key::Text(index.clone()),
                        Some(index) => Key::Number(self.evaluate(index)?),
                        None if is_map => {
                            return Err(Fault::Discard(format!(
                                "{name}: {text}: must use subscript when assigning associative array"
                            )));
                        }
                        None => Key::Number(next),
                    };
                    if let Key::Number(n) = key {
                        next = n + 1;
                    }
                    self.shell.vars.set_element(name, &key, text.clone())?;
                }
            }
            ReadyValue::Scalar(text) => {
                let key = match &ready.index {
                    None => None,
                    Some(index) if is_map => Some(Key::Text(index.clone())),
                    Some(index) => Some(Key::Number(self.evaluate(index)?)),
                };
                let mut text = text.clone();
                let before =
                    if ready.append { self.old_text(old.as_ref(), key.as_ref()) } else { String::new() };
                if integer {
                    let sum = self.evaluate(&text)?;
                    let before = if before.is_empty() { 0 } else { self.evaluate(&before)? };
                    text = before.wrapping_add(sum).to_string();
                } else if ready.append {
                    text.insert_str(0, &before);
                }
                match key {
                    None => self.shell.vars.set(name, text)?,
                    Some(key) => self.shell.vars.set_element(name, &key, text)?,
                }
            }
        }
        match name.as_str() {
            "RANDOM" => {
                self.shell.vars.random = self.shell.vars.text(name).and_then(|t| t.parse().ok()).unwrap_or(0);
            }
            "SECONDS" => {}
            _ => {}
        }
        if self.shell.options.allexport {
            self.shell.vars.update(name, |var| var.exported = true)?;
        }
        Ok(())
    }

    fn old_text(&self, old: Option<&Value>, key: Option<&Key>) -> String {
        let text = match (old, key) {
            (Some(Value::Array(array)), Some(Key::Number(n))) => {
                usize::try_from(*n).ok().and_then(|n| array.get(&n)).cloned()
            }
            (Some(Value::Map(map)), Some(key)) => map.get(&key.to_string()).cloned(),
            (Some(value), None | Some(Key::Number(0))) => super::params::scalar(value),
            _ => None,
        };
        text.unwrap_or_default()
    }
}

/// What a command's name leads to.
pub(crate) enum Found<P> {
    Program(P),
    Utility(Utility),
    Launcher(Launcher),
    /// A builtin that is a program of its own as well.
    Applet,
    /// `sh` or `bash` itself.
    Shell,
    /// An executable file, to be read by a shell.
    Script {
        path: String,
        text: String,
    },
    NotFound,
    Denied,
    IsDirectory,
    /// `#!` names something that is not there.
    BadInterpreter(String),
}

/// Builtins that a machine also has as programs, for `exec`, `env` and `xargs`.
const APPLETS: &[&str] = &["[", "echo", "false", "kill", "printf", "pwd", "test", "true"];

/// Directories whose programs are those of the host.
const STANDARD_DIRECTORIES: &[&str] =
    &["/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/", "/usr/local/sbin/"];

/// Looks for the command of `call`: a path as it is, a name along `$PATH`.
pub(crate) fn find<H: Host>(host: &mut H, call: &Call) -> Found<H::Program> {
    let Some(name) = call.argv.first() else { return Found::NotFound };
    if name.contains('/') {
        let path = resolve(&call.cwd, name);
        if let Some(found) = find_file(host, &path) {
            return found;
        }
        return match STANDARD_DIRECTORIES.iter().find_map(|directory| path.strip_prefix(directory)) {
            Some(base) if !base.contains('/') => {
                let mut call = call.clone();
                call.argv[0] = base.to_owned();
                find_builtin(host, &call)
            }
            _ => match host.start(call) {
                Some(program) => Found::Program(program),
                None => Found::NotFound,
            },
        };
    }
    let path = call.env.get("PATH").map_or("/usr/bin:/bin", String::as_str).to_owned();
    let mut denied = false;
    for directory in path.split(':').filter(|directory| !directory.is_empty()) {
        match find_file(host, &join(&resolve(&call.cwd, directory), name)) {
            Some(Found::Denied) => denied = true,
            Some(Found::IsDirectory) | None => {}
            Some(found) => return found,
        }
    }
    let standard =
        path.split(':').any(|directory| STANDARD_DIRECTORIES.contains(&format!("{directory}/").as_str()));
    match if standard { find_builtin(host, call) } else { Found::NotFound } {
        Found::NotFound if denied => Found::Denied,
        found => found,
    }
}

fn find_builtin<H: Host>(host: &mut H, call: &Call) -> Found<H::Program> {
    if let Some(program) = host.start(call) {
        return Found::Program(program);
    }
    let name = call.argv[0].as_str();
    if !host.has_utility(name) {
        return Found::NotFound;
    }
    if super::SHELLS.contains(&name) {
        return Found::Shell;
    }
    if let Some(launcher) = Launcher::start(call) {
        return Found::Launcher(launcher);
    }
    if APPLETS.contains(&name.rsplit('/').next().unwrap_or(name)) {
        return Found::Applet;
    }
    utilities::start(call).map_or(Found::NotFound, Found::Utility)
}

fn find_file<H: Host>(host: &mut H, path: &str) -> Option<Found<H::Program>> {
    let metadata = host.files().metadata(path).ok()?;
    if metadata.is_dir {
        return Some(Found::IsDirectory);
    }
    if !metadata.executable {
        return Some(Found::Denied);
    }
    let text = String::from_utf8_lossy(host.files().read(path).ok()?).into_owned();
    if let Some(rest) = text.strip_prefix("#!") {
        let line = rest.lines().next().unwrap_or("").trim();
        let mut words = line.split_whitespace();
        let mut interpreter = words.next().unwrap_or("");
        if interpreter.ends_with("/env") {
            interpreter = words.find(|word| !word.starts_with('-')).unwrap_or("");
        }
        let base = interpreter.rsplit('/').next().unwrap_or("");
        if !super::SHELLS.contains(&base) || !host.has_utility(base) {
            return Some(Found::BadInterpreter(interpreter.to_owned()));
        }
    }
    Some(Found::Script { path: path.to_owned(), text })
}

impl Shell {
    pub(crate) fn simple<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        command: Arc<Command>,
        memo: Vec<Captured>,
    ) -> Flow<H::Program> {
        let CommandKind::Simple { assigns, words } = &command.kind else { return Flow::Go };
        let prepared = self.attempt(sys, &memo, |ex| {
            let args = ex.args(words)?;
            let redirects = ex.redirects(&command.redirects)?;
            let mut saved: Vec<(String, Option<Var>)> = Vec::new();
            let mut traced = Vec::new();
            for assign in assigns {
                let ready = ex.ready(assign)?;
                saved.push((assign.name.clone(), ex.shell.vars.get(&assign.name).cloned()));
                ex.apply(&ready)?;
                traced.push(ready);
            }
            Ok((args, redirects, saved, traced))
        });
        let (args, redirects, saved, traced) = match prepared {
            Ok(prepared) => prepared,
            Err(fault) => return self.fault(sys, fault, || Frame::Command { command, memo }),
        };
        if self.options.xtrace {
            self.trace_command(&traced, &args);
        }
        if args.is_empty() {
            self.status = self.substitution.unwrap_or(0);
            match self.open_redirects(sys, &redirects) {
                Ok(saved) => self.undo(sys, Frame::Fds(saved)),
                Err(message) => {
                    self.complain(&message);
                    self.status = 1;
                }
            }
            return Flow::Go;
        }
        for (name, _) in &saved {
            // The variable was set a moment ago.
            let _ = self.vars.update(name, |var| var.exported = true);
        }
        let argv: Vec<String> = args.iter().map(Arg::text).collect();
        if argv[0].is_empty() && argv.len() == 1 {
            self.complain(": command not found");
            self.status = 127;
            self.undo(sys, Frame::Vars(saved));
            return Flow::Go;
        }
        let function = self.functions.get(&argv[0]).cloned();
        // A terminal has its own `help` and `history`, where bash has builtins that are not modelled.
        let own =
            matches!(argv[0].as_str(), "help" | "history") && sys.host.program_names().contains(&argv[0]);
        let builtin = function.is_none() && !own && builtins::is_builtin(&argv[0]);
        if function.is_none() && !builtin {
            return self.external(sys, argv, &redirects, saved);
        }
        if !saved.is_empty() {
            self.frames.push(Frame::Vars(saved));
        }
        match self.open_redirects(sys, &redirects) {
            Ok(saved) if saved.is_empty() => {}
            // `exec > file` keeps its redirections.
            Ok(_) if argv[0] == "exec" && argv.len() == 1 => {}
            Ok(saved) => self.frames.push(Frame::Fds(saved)),
            Err(message) => {
                self.complain(&message);
                self.status = 1;
                return Flow::Go;
            }
        }
        if let Some(function) = function {
            let positional = std::mem::replace(&mut self.positional, Arc::new(argv[1..].to_vec()));
            self.calls.push(argv[0].clone());
            self.frames.push(Frame::Call { locals: Vec::new(), positional });
            self.frames.push(Frame::Command { command: function.body.clone(), memo: Vec::new() });
            return Flow::Go;
        }
        sys.kernel.spent += 1;
        self.builtin(sys, args, argv)
    }

    fn trace_command(&mut self, assigns: &[Ready], args: &[Arg]) {
        for ready in assigns {
            let text = match &ready.value {
                ReadyValue::Scalar(value) => {
                    let plus = if ready.append { "+" } else { "" };
                    let index = ready.index.as_ref().map_or_else(String::new, |index| format!("[{index}]"));
                    let value = if value.is_empty() { String::new() } else { quote_if_needed(value) };
                    format!("{}{index}{plus}={value}", ready.name)
                }
                ReadyValue::Array(_) => ready.text(),
            };
            self.trace(&text);
        }
        if !args.is_empty() {
            let words: Vec<String> = args
                .iter()
                .map(|arg| match arg {
                    Arg::Text(text) => quote_if_needed(text),
                    Arg::Assign(ready) => quote_if_needed(&ready.text()),
                })
                .collect();
            self.trace(&words.join(" "));
        }
    }

    /// Runs a program, a utility or a script in a task of its own, and waits for it.
    fn external<H: Host>(
        &mut self,
        sys: &mut Sys<'_, H>,
        argv: Vec<String>,
        redirects: &[super::redirect::ReadyRedirect],
        saved: Vec<(String, Option<Var>)>,
    ) -> Flow<H::Program> {
        let env = self.vars.exported();
        self.undo(sys, Frame::Vars(saved));
        let replaces = self.is_last();
        let before = sys.fds();
        let restore = match self.open_redirects(sys, redirects) {
            Ok(saved) => saved,
            Err(message) => {
                self.complain(&message);
                self.status = 1;
                return Flow::Go;
            }
        };
        let pid = if replaces { sys.pid } else { sys.kernel.upcoming_pid() };
        let call = Call { argv, env, cwd: self.cwd.clone(), pid };
        let body = match self.body_of(sys, call) {
            Ok(body) => body,
            Err((status, message)) => {
                self.status = status;
                // The message goes where the command's own messages would have gone.
                let text = self.complaint(&message);
                let handle = sys.fd(2);
                let _ = sys.write(handle, text.as_bytes());
                self.undo(sys, Frame::Fds(restore));
                return Flow::Go;
            }
        };
        if replaces {
            return Flow::Become(body);
        }
        let fds: Fds = sys.fds();
        self.undo(sys, Frame::Fds(restore));
        debug_assert_eq!(sys.fds(), before, "redirections of a command outlived it");
        let group = sys.group();
        match sys.kernel.spawn(sys.pid, Some(group), fds, body) {
            Some(pid) => {
                self.frames.push(Frame::Wait { pids: vec![pid], statuses: vec![None], pipeline: false });
            }
            None => self.fork_failed(),
        }
        Flow::Go
    }

    /// What runs when `call` is executed, or the status and message of the failure.
    pub(crate) fn body_of<H: Host>(
        &self,
        sys: &mut Sys<'_, H>,
        call: Call,
    ) -> std::result::Result<Body<H::Program>, (u8, String)> {
        let name = call.argv.first().cloned().unwrap_or_default();
        let now = sys.now();
        match body_of(sys.host, call, now) {
            Ok(body) => Ok(body),
            Err(super::ExecError::NotFound(_)) if !name.contains('/') => {
                Err((127, format!("{name}: command not found")))
            }
            Err(super::ExecError::NotFound(_)) => Err((127, format!("{name}: No such file or directory"))),
            Err(super::ExecError::PermissionDenied(_)) => Err((126, format!("{name}: Permission denied"))),
            Err(super::ExecError::IsDirectory(_)) => Err((126, format!("{name}: Is a directory"))),
            Err(super::ExecError::BadInterpreter { interpreter, .. }) => {
                let text = format!("{name}: {interpreter}: bad interpreter: No such file or directory");
                let missing = format!("{name}: cannot execute: required file not found");
                // What the kernel says of a file that is missing; a directory is another matter.
                Err(if interpreter.is_empty() { (126, text) } else { (127, missing) })
            }
        }
    }
}

/// What runs when `call` is executed without a shell around it.
pub(crate) fn body_of<H: Host>(
    host: &mut H,
    call: Call,
    now: crate::sim::SimTime,
) -> std::result::Result<Body<H::Program>, super::ExecError> {
    let name = call.argv.first().cloned().unwrap_or_default();
    match find(host, &call) {
        Found::Program(program) => Ok(Body::Program(program)),
        Found::Utility(utility) => Ok(Body::Utility(Box::new(utility))),
        Found::Launcher(launcher) => Ok(Body::Launcher(Box::new(launcher))),
        Found::Applet => {
            let base = name.rsplit('/').next().unwrap_or(&name).to_owned();
            let mut shell = Shell::new(&call, &base, Origin::File, now);
            shell.positional = Arc::new(call.argv.get(1..).unwrap_or_default().to_vec());
            shell.load(&format!("{base} \"$@\""));
            Ok(Body::Shell(Box::new(shell)))
        }
        Found::Shell => Ok(Body::Shell(Box::new(super::start(host, &call, now)))),
        Found::Script { path, text } => {
            let name = if name.contains('/') { name } else { path };
            let mut shell = Shell::new(&call, &name, Origin::File, now);
            shell.positional = Arc::new(call.argv.get(1..).unwrap_or_default().to_vec());
            shell.load(&text);
            Ok(Body::Shell(Box::new(shell)))
        }
        Found::NotFound => Err(super::ExecError::NotFound(name)),
        Found::Denied => Err(super::ExecError::PermissionDenied(name)),
        Found::IsDirectory => Err(super::ExecError::IsDirectory(name)),
        Found::BadInterpreter(interpreter) => Err(super::ExecError::BadInterpreter { name, interpreter }),
    }
}
