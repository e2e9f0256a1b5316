//! `python`: training scripts, a few statements, and a web server.
//!
//! `python` here does three things: it runs a script that declares itself a
//! [training run](super::train); it runs `-m http.server` and
//! `-m torch.distributed.run`; and it interprets a handful of statements, enough
//! to ask PyTorch what it sees:
//!
//! - `import`, assignment, `print(...)` with `sep`, `end`, `file`, `flush`, `time.sleep(...)`,
//!   `sys.exit(...)`, one statement per line or with `;` in between;
//! - strings, f-strings, numbers, `+`, comparison, names that were assigned;
//! - `torch.__version__`, `torch.version.cuda`, `torch.cuda.is_available()`, `.device_count()`,
//!   `.get_device_name(i)`, `.current_device()`, `os.environ[...]`, `os.environ.get(...)`, `os.getenv(...)`,
//!   `os.getpid()`, `os.cpu_count()`, `socket.gethostname()`, `platform.node()`, `str(...)`, `len(...)`.
//!
//! Everything else ends with `not modelled: ...`.

mod expression;
mod scan;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::server::Server;
use super::{ContainerProgram, Printed, train};
use crate::process::container::ContainerHost;
use crate::process::files;
use crate::process::images::Tool;
use crate::process::{Call, Io, Step};
use crate::sim::SimTime;
use expression::{Error, Modules, Scope, Value};

/// Starts `python` or `torchrun`.
pub(super) fn start(tool: Tool, call: &Call, host: &ContainerHost<'_>) -> ContainerProgram {
    let name = call.argv.first().map_or("python", String::as_str);
    if name.ends_with("torchrun") {
        return train::torchrun(call, &call.argv[1..], host);
    }
    let mut args = &call.argv[1..];
    // Options that change nothing here: unbuffered, optimised, isolated, no warnings.
    while let Some(("-u" | "-O" | "-I" | "-B" | "-s", rest)) =
        args.split_first().map(|(a, rest)| (a.as_str(), rest))
    {
        args = rest;
    }
    let torch = tool == Tool::PyTorch;
    let python = |file: &str, source: &str| {
        ContainerProgram::Python(Box::new(Python::new(file, source, torch, call, host)))
    };
    match args.first().map(String::as_str) {
        None | Some("-") => ContainerProgram::Python(Box::new(Python {
            from_stdin: true,
            ..Python::new("<stdin>", "", torch, call, host)
        })),
        Some("-V" | "--version") => Printed::out(format!("Python {}\n", version(call))).into(),
        Some("-c") => match args.get(1) {
            Some(code) => python("<string>", code),
            None => Printed::error(2, "Argument expected for the -c option\n").into(),
        },
        Some("-m") => module(name, &args[1..], torch, call, host),
        Some(option) if option.starts_with('-') => {
            Printed::error(2, format!("not modelled: {name} {option}\n")).into()
        }
        Some(script) => match load(host, &call.cwd, script) {
            Err(path) => {
                let text = format!("{name}: can't open file '{path}': [Errno 2] No such file or directory\n");
                Printed::error(2, text).into()
            }
            Ok(source) => match train::directive(&source) {
                Some(defaults) if torch => train::start(script, &defaults, &args[1..], call, host, None),
                Some(_) => python(&files::resolve(&call.cwd, script), "import torch"),
                None => python(&files::resolve(&call.cwd, script), &source),
            },
        },
    }
}

/// `python -m MODULE`.
fn module(
    name: &str,
    args: &[String],
    torch: bool,
    call: &Call,
    host: &ContainerHost<'_>,
) -> ContainerProgram {
    match args.first().map(String::as_str) {
        None => Printed::error(2, "Argument expected for the -m option\n").into(),
        Some("http.server") => {
            let port = args.get(1).map_or(Ok(8000), |port| port.parse());
            port.map_or_else(
                |_| {
                    Printed::error(
                        2,
                        format!("not modelled: {name} -m http.server {}\n", args[1..].join(" ")),
                    )
                    .into()
                },
                |port| ContainerProgram::Server(Server::http(port)),
            )
        }
        Some("torch.distributed.run" | "torch.distributed.launch") if torch => {
            train::torchrun(call, &args[1..], host)
        }
        Some(module) => Printed::error(1, format!("/usr/bin/{name}: No module named {module}\n")).into(),
    }
}

/// The text of a script, or the path at which there is none.
pub(super) fn load(host: &ContainerHost<'_>, cwd: &str, script: &str) -> Result<String, String> {
    let path = files::resolve(cwd, script);
    host.files.read(&path).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).map_err(|_| path)
}

fn version(call: &Call) -> &str {
    call.env.get("PYTHON_VERSION").map_or("3.11.12", String::as_str)
}

/// Statements of Python that are being run.
#[derive(Clone, Debug)]
pub struct Python {
    file: String,
    statements: Vec<Statement>,
    next: usize,
    modules: Modules,
    variables: BTreeMap<String, Value>,
    wake: Option<SimTime>,
    from_stdin: bool,
}

#[derive(Clone, Debug)]
struct Statement {
    line: usize,
    text: String,
}

/// What a statement did.
enum Flow {
    Next,
    Sleep(Duration),
    Exit(u8),
}

impl Python {
    fn new(file: &str, source: &str, torch: bool, call: &Call, host: &ContainerHost<'_>) -> Self {
        Self {
            file: file.to_owned(),
            statements: statements(source),
            next: 0,
            modules: Modules {
                torch,
                imported: Vec::new(),
                env: call.env.clone(),
                pid: call.pid,
                visible: train::visible(host, call.env.get("CUDA_VISIBLE_DEVICES").map(String::as_str)),
            },
            variables: BTreeMap::new(),
            wake: None,
            from_stdin: false,
        }
    }

    pub(super) fn step(&mut self, host: &ContainerHost<'_>, io: &mut Io<'_>) -> Step {
        if self.from_stdin {
            if !io.stdin_closed {
                return Step::Input;
            }
            self.statements = statements(&String::from_utf8_lossy(&std::mem::take(io.stdin)));
            self.from_stdin = false;
        }
        if let Some(wake) = self.wake.filter(|wake| host.now < *wake) {
            return Step::Until(wake);
        }
        self.wake = None;
        while let Some(statement) = self.statements.get(self.next).cloned() {
            self.next += 1;
            match self.run(&statement.text, host, io) {
                Ok(Flow::Next) => {}
                Ok(Flow::Sleep(span)) => {
                    self.wake = Some(host.now + span);
                    return Step::Until(host.now + span);
                }
                Ok(Flow::Exit(code)) => return Step::Exit(code),
                Err(Error::NotModelled(what)) => {
                    io.stderr.extend_from_slice(format!("not modelled: Python's {what}\n").as_bytes());
                    return Step::Exit(1);
                }
                Err(Error::Raised(error)) => {
                    self.traceback(&statement, &error, io);
                    return Step::Exit(1);
                }
            }
        }
        Step::Exit(0)
    }

    fn traceback(&self, statement: &Statement, error: &str, io: &mut Io<'_>) {
        let mut text = format!(
            "Traceback (most recent call last):\n  File \"{}\", line {}, in <module>\n",
            self.file, statement.line
        );
        // Python shows the line of a file, but not of `-c`.
        if self.file.starts_with('/') {
            let _ = writeln!(text, "    {}", statement.text);
        }
        io.stderr.extend_from_slice(format!("{text}{error}\n").as_bytes());
    }

    fn run(&mut self, text: &str, host: &ContainerHost<'_>, io: &mut Io<'_>) -> Result<Flow, Error> {
        let word = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        match word {
            "import" => {
                for module in text["import".len()..].split(',') {
                    self.modules.import(module.trim())?;
                }
                return Ok(Flow::Next);
            }
            "pass" if text == "pass" => return Ok(Flow::Next),
            "from" | "for" | "while" | "if" | "elif" | "else" | "def" | "class" | "try" | "except"
            | "with" | "return" | "raise" | "assert" | "del" | "lambda" | "async" | "await" | "global" => {
                return Err(Error::NotModelled(format!("`{word}`")));
            }
            _ => {}
        }
        let scope = Scope { modules: &self.modules, variables: &self.variables, host };
        if let Some((name, value)) = scan::assignment(text) {
            let value = scope.evaluate(value)?;
            self.variables.insert(name.to_owned(), value);
            return Ok(Flow::Next);
        }
        if let Some((name, arguments)) = scan::call(text) {
            let mut values = Vec::new();
            let mut named = BTreeMap::new();
            for argument in arguments {
                match scan::assignment(&argument) {
                    Some((name, value)) => {
                        named.insert(name.to_owned(), scope.evaluate(value)?);
                    }
                    None => values.push(scope.evaluate(&argument)?),
                }
            }
            match (name, values.as_slice()) {
                ("print", values) => {
                    print(values, &named, io);
                    return Ok(Flow::Next);
                }
                ("time.sleep", [value]) if self.modules.has("time") => {
                    let seconds = value.as_f64().ok_or_else(|| {
                        Error::Raised(format!(
                            "TypeError: '{}' object cannot be interpreted as an integer",
                            value.type_name()
                        ))
                    })?;
                    if seconds < 0.0 {
                        return Err(Error::Raised(
                            "ValueError: sleep length must be non-negative".to_owned(),
                        ));
                    }
                    // Nobody waits longer than a century.
                    let span = Duration::try_from_secs_f64(seconds.min(3.2e9)).unwrap_or_default();
                    return Ok(Flow::Sleep(span));
                }
                ("sys.exit", []) if self.modules.has("sys") => return Ok(Flow::Exit(0)),
                ("exit" | "quit", []) => return Ok(Flow::Exit(0)),
                ("sys.exit", [value]) if self.modules.has("sys") => return Ok(exit(value, io)),
                ("exit" | "quit", [value]) => return Ok(exit(value, io)),
                _ => {}
            }
        }
        scope.evaluate(text).map(|_| Flow::Next)
    }
}

/// `print(values, sep=..., end=..., file=...)`.
fn print(values: &[Value], named: &BTreeMap<String, Value>, io: &mut Io<'_>) {
    let option =
        |name: &str, default: &str| named.get(name).map_or_else(|| default.to_owned(), ToString::to_string);
    let words: Vec<String> = values.iter().map(ToString::to_string).collect();
    let text = words.join(&option("sep", " ")) + &option("end", "\n");
    let stream = if named.contains_key("file") { &mut *io.stderr } else { &mut *io.stdout };
    stream.extend_from_slice(text.as_bytes());
}

/// `sys.exit(value)`: a number is the code, a text is printed and the code is 1.
fn exit(value: &Value, io: &mut Io<'_>) -> Flow {
    match value {
        Value::None => Flow::Exit(0),
        Value::Int(code) => Flow::Exit((code & 0xff) as u8),
        Value::Bool(on) => Flow::Exit(u8::from(*on)),
        value => {
            io.stderr.extend_from_slice(format!("{value}\n").as_bytes());
            Flow::Exit(1)
        }
    }
}

/// Splits a program into statements: one per line, or with `;` in between.
/// Comments, blank lines and the text at the head of a file are left out.
fn statements(source: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut in_text = false;
    for (line, text) in (1..).zip(source.lines()) {
        let trimmed = text.trim();
        let marks = trimmed.matches("\"\"\"").count();
        if in_text || trimmed.starts_with("\"\"\"") {
            in_text ^= marks % 2 == 1;
            continue;
        }
        for part in scan::split(trimmed, ';') {
            let text = scan::without_comment(&part).trim();
            if !text.is_empty() {
                found.push(Statement { line, text: text.to_owned() });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;
