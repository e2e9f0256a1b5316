//! What a shell knows: variables, functions, options, traps, and how far its
//! script has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::expand::Captured;
use super::script::{Block, Chain, Command, Function, Pipeline};
use super::vars::{Value, Var, Vars};
use crate::order::Collected;
use crate::process::host::{Call, Signal};
use crate::process::kernel::Handle;
use crate::sim::SimTime;

/// Where the script comes from, which shows in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `sh -c '…'`.
    Command,
    /// `sh file`, or standard input.
    File,
    /// A prompt.
    Session,
}

/// `set -e` and its like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) allexport: bool,
    pub(crate) errexit: bool,
    pub(crate) noglob: bool,
    pub(crate) noexec: bool,
    pub(crate) noclobber: bool,
    pub(crate) nounset: bool,
    pub(crate) verbose: bool,
    pub(crate) xtrace: bool,
    pub(crate) pipefail: bool,
    pub(crate) nullglob: bool,
    pub(crate) interactive: bool,
    pub(crate) command: bool,
}

impl Options {
    /// By letter.
    pub(crate) fn by_letter(&mut self, letter: char) -> Option<&mut bool> {
        Some(match letter {
            'a' => &mut self.allexport,
            'e' => &mut self.errexit,
            'f' => &mut self.noglob,
            'n' => &mut self.noexec,
            'C' => &mut self.noclobber,
            'u' => &mut self.nounset,
            'v' => &mut self.verbose,
            'x' => &mut self.xtrace,
            _ => return None,
        })
    }

    /// By the name behind `set -o`.
    pub(crate) fn by_name(&mut self, name: &str) -> Option<&mut bool> {
        let letter = match name {
            "allexport" => 'a',
            "errexit" => 'e',
            "noglob" => 'f',
            "noexec" => 'n',
            "noclobber" => 'C',
            "nounset" => 'u',
            "verbose" => 'v',
            "xtrace" => 'x',
            "pipefail" => return Some(&mut self.pipefail),
            _ => return None,
        };
        self.by_letter(letter)
    }

    /// What `$-` shows.
    pub(crate) fn flags(&self) -> String {
        let flags = [
            (self.allexport, 'a'),
            (self.errexit, 'e'),
            (self.noglob, 'f'),
            (true, 'h'),
            (self.interactive, 'i'),
            (self.interactive, 'm'),
            (self.nounset, 'u'),
            (self.verbose, 'v'),
            (self.xtrace, 'x'),
            (true, 'B'),
            (self.noclobber, 'C'),
            (self.interactive, 'H'),
            (self.command, 'c'),
        ];
        flags.iter().filter(|(on, _)| *on).map(|(_, letter)| letter).collect()
    }
}

/// What a trap waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trap {
    Exit,
    Int,
    Kill,
    Term,
    /// Any other, by its number.
    Other(u8),
    Err,
    Debug,
    Return,
}

impl From<Signal> for Trap {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Int => Self::Int,
            Signal::Term => Self::Term,
            Signal::Kill => Self::Kill,
            Signal::Other(number) => Self::Other(number),
        }
    }
}

/// A command in the background.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) number: u32,
    pub(crate) pid: u32,
    pub(crate) text: String,
    /// Its status, once it has ended.
    pub(crate) status: Option<u8>,
}

/// How `read` was called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Read {
    pub(crate) names: Vec<String>,
    pub(crate) array: Option<String>,
    pub(crate) raw: bool,
    pub(crate) delimiter: Option<u8>,
    pub(crate) count: Option<usize>,
    pub(crate) exactly: bool,
    pub(crate) fd: u32,
    pub(crate) deadline: Option<SimTime>,
    /// What has been read of the line so far.
    pub(crate) line: Vec<u8>,
}

/// Where the shell is in its script; the last frame is the innermost.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Block {
        block: Block,
        at: usize,
    },
    Chain {
        chain: Arc<Chain>,
        at: usize,
        started: bool,
    },
    Pipeline {
        node: Arc<Pipeline>,
        since: SimTime,
        started: bool,
    },
    /// Waits for the stages of a pipeline, or for one command.
    Wait {
        pids: Vec<u32>,
        statuses: Vec<Option<u8>>,
        pipeline: bool,
    },
    /// Collects what a command substitution prints.
    Capture {
        pid: u32,
        pipe: u32,
        bytes: Vec<u8>,
        to_file: bool,
    },
    /// A command whose words are being expanded.
    Command {
        command: Arc<Command>,
        memo: Vec<Captured>,
    },
    If {
        command: Arc<Command>,
        arm: usize,
    },
    Loop {
        command: Arc<Command>,
        testing: bool,
        status: u8,
    },
    For {
        command: Arc<Command>,
        values: Vec<String>,
        at: usize,
    },
    ForArithmetic {
        command: Arc<Command>,
        memo: Vec<Captured>,
        stage: Stage,
    },
    Case {
        command: Arc<Command>,
        memo: Vec<Captured>,
        subject: Option<String>,
        item: usize,
        ran: bool,
    },
    /// Puts descriptors back.
    Fds(Vec<(u32, Option<Handle>)>),
    /// Puts variables back.
    Vars(Vec<(String, Option<Var>)>),
    Call {
        locals: Vec<(String, Option<Var>)>,
        positional: Arc<Vec<String>>,
    },
    Source {
        positional: Option<Arc<Vec<String>>>,
    },
    /// A handler runs; then the status is as it was.
    Trap {
        status: u8,
    },
    Read(Read),
    /// `wait` for these; `any` for `wait -n`.
    Jobs {
        pids: Vec<u32>,
        any: bool,
    },
    /// Reads the script itself from standard input.
    Slurp(Vec<u8>),
    /// `exit` was asked for: the handler of EXIT has run.
    Exit {
        status: u8,
    },
    /// The handler of ERR has run: now `set -e` ends the shell.
    Leave {
        status: u8,
    },
}

/// Where a C-style `for` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Init,
    Condition,
    Step,
}

/// A shell in the middle of its script.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    /// `$0`, the name in messages.
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) vars: Vars,
    pub(crate) functions: Arc<BTreeMap<String, Arc<Function>>>,
    pub(crate) positional: Arc<Vec<String>>,
    pub(crate) options: Options,
    pub(crate) traps: BTreeMap<Trap, String>,
    /// `$?`.
    pub(crate) status: u8,
    pub(crate) line: u32,
    pub(crate) cwd: String,
    /// `$$`: that of the outermost shell.
    pub(crate) pid: u32,
    pub(crate) own_pid: u32,
    /// `$!`.
    pub(crate) background: Option<u32>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) frames: Vec<Frame>,
    /// A copy of another shell.
    pub(crate) subshell: bool,
    /// `sh -c` with a single simple command, which takes the shell's place.
    pub(crate) one_shot: bool,
    /// A copy made where `set -e` does not count.
    pub(crate) lenient: bool,
    pub(crate) started: SimTime,
    /// The functions that are being called, for `$FUNCNAME`.
    pub(crate) calls: Vec<String>,
    /// Signals that came and wait for their handlers.
    pub(crate) pending: Vec<Signal>,
    /// What goes to standard error at the end of this step.
    pub(crate) messages: String,
    /// The status of the last command substitution, for `x=$(false)`.
    pub(crate) substitution: Option<u8>,
    /// The copy that a command substitution runs in, made where expansion stopped.
    pub(crate) forked: Option<Box<Shell>>,
    /// Getopts' place inside an argument.
    pub(crate) getopts: (usize, usize),
}

impl Shell {
    pub(crate) fn new(call: &Call, name: &str, origin: Origin, now: SimTime) -> Self {
        let mut vars = Vars::default();
        vars.random = call.pid.max(1);
        // An environment larger than all variables may be is cut: what came first stays.
        for (key, text) in &call.env {
            let set = vars.update(key, |var| {
                var.value = Value::Text(text.clone());
                var.exported = true;
            });
            if set.is_err() {
                break;
            }
        }
        let depth = vars.text("SHLVL").and_then(|level| level.parse::<u32>().ok()).unwrap_or(0);
        let defaults = [
            ("IFS", " \t\n".to_owned(), false),
            ("OPTIND", "1".to_owned(), false),
            ("PPID", "0".to_owned(), false),
            ("PS4", "+ ".to_owned(), false),
            ("BASH", "/bin/bash".to_owned(), false),
            ("BASH_VERSION", "5.2.15(1)-release".to_owned(), false),
            ("UID", "0".to_owned(), false),
            ("EUID", "0".to_owned(), false),
            ("HOSTTYPE", "x86_64".to_owned(), false),
            ("OSTYPE", "linux-gnu".to_owned(), false),
            ("MACHTYPE", "x86_64-pc-linux-gnu".to_owned(), false),
            ("PWD", call.cwd.clone(), true),
            ("SHLVL", (depth + 1).to_string(), true),
        ];
        for (key, text, exported) in defaults {
            // A fresh shell has room for a dozen short variables.
            let _ = vars.update(key, |var| {
                var.value = Value::Text(text);
                var.exported |= exported;
            });
        }
        if vars.get("PATH").is_none() {
            let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
            let _ = vars.set("PATH", path);
        }
        Self {
            name: name.to_owned(),
            origin,
            vars,
            functions: Arc::default(),
            positional: Arc::default(),
            options: Options {
                interactive: origin == Origin::Session,
                command: origin == Origin::Command,
                ..Options::default()
            },
            traps: BTreeMap::new(),
            status: 0,
            line: 1,
            cwd: call.cwd.clone(),
            pid: call.pid,
            own_pid: call.pid,
            background: None,
            jobs: Vec::new(),
            frames: Vec::new(),
            subshell: false,
            one_shot: false,
            lenient: false,
            started: now,
            calls: Vec::new(),
            pending: Vec::new(),
            messages: String::new(),
            substitution: None,
            forked: None,
            getopts: (0, 0),
        }
    }

    /// A copy for a subshell, without a script yet.
    pub(crate) fn fork(&self) -> Self {
        Self {
            frames: Vec::new(),
            subshell: true,
            one_shot: false,
            lenient: self.errexit_ignored(),
            // Handlers are for the shell that set them; what is ignored stays ignored.
            traps: self
                .traps
                .iter()
                .filter(|(_, text)| text.is_empty())
                .map(|(k, v)| (*k, v.clone()))
                .into_map(),
            jobs: Vec::new(),
            pending: Vec::new(),
            messages: String::new(),
            forked: None,
            ..self.clone()
        }
    }

    /// A message as bash prints it.
    pub(crate) fn complaint(&self, text: &str) -> String {
        if self.origin == Origin::Session {
            format!("{}: {text}\n", self.name)
        } else {
            format!("{}: line {}: {text}\n", self.name, self.line)
        }
    }

    pub(crate) fn complain(&mut self, text: &str) {
        let message = self.complaint(text);
        self.messages.push_str(&message);
    }

    /// Takes note of a signal; `true` if the shell ends of it.
    pub(crate) fn receive(&mut self, signal: Signal) -> bool {
        if signal == Signal::Kill {
            return true;
        }
        match self.traps.get(&signal.into()) {
            Some(handler) => {
                if !handler.is_empty() {
                    self.pending.push(signal);
                }
                false
            }
            None => self.origin != Origin::Session || self.subshell,
        }
    }

    /// Whether a failure here does not count for `set -e`.
    pub(crate) fn errexit_ignored(&self) -> bool {
        self.lenient
            || self.frames.iter().any(|frame| match frame {
                Frame::If { .. } => matches!(frame, Frame::If { arm, .. } if arm % 2 == 0),
                Frame::Loop { testing, .. } => *testing,
                Frame::Chain { chain, at, started: true } => *at < chain.rest.len(),
                Frame::Pipeline { node, started: true, .. } => node.inverted,
                _ => false,
            })
    }

    /// The descriptors that are to be put back later: they keep pipes open.
    pub(crate) fn saved_handles(&self) -> Vec<Handle> {
        self.frames
            .iter()
            .filter_map(|frame| if let Frame::Fds(saved) = frame { Some(saved) } else { None })
            .flat_map(|saved| saved.iter().filter_map(|(_, handle)| *handle))
            .chain(self.frames.iter().filter_map(|frame| match frame {
                Frame::Capture { pipe, .. } => Some(Handle::PipeIn(*pipe)),
                _ => None,
            }))
            .collect()
    }
}
