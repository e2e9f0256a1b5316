//! The learner's terminal: a shell on a machine beside the cluster, with
//! `kubectl` and the learner's files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cluster::Cluster;
use super::programs::TerminalProgram;
use super::spec::{LabSpec, SpecError};
use crate::kube::kubectl::KubeConfig;
use crate::process::files::Files;
use crate::process::{Call, Host, Io, Signal, Step};
use crate::process::{Fed, Process, ProcessState, Stream};
use crate::sim::{Epoch, SimTime};

/// The learner's home directory.
pub const HOME: &str = "/home/learner";
/// What `hostname` prints in the terminal.
pub(super) const HOSTNAME: &str = "lab";

/// A piece of what the terminal printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputChunk {
    /// Where it was written to.
    pub stream: OutputStream,
    /// What. Bytes that are not UTF-8 are shown as U+FFFD.
    pub text: String,
}

/// Which stream something was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the two standard streams")]
pub enum OutputStream {
    Stdout,
    Stderr,
}

/// What the terminal waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state", content = "text")]
pub enum Prompt {
    /// The next command, behind this prompt.
    Ready(String),
    /// The rest of a command that has begun (an open quote, a here-document).
    Continuation(String),
    /// The end of the command that runs; a line typed now is its input.
    Busy,
}

/// Most bytes of output that are kept until somebody takes them; a runaway
/// command is interrupted beyond it.
const MAX_OUTPUT: usize = 4 << 20;

/// The terminal's state.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    process: Process<TerminalProgram>,
    pub(super) files: Files,
    pub(super) config: KubeConfig,
    output: Vec<OutputChunk>,
    printed: usize,
    pub(super) history: Vec<String>,
    /// The command that runs was begun and not reported as ended.
    busy: bool,
    continuation: bool,
}

impl Terminal {
    pub(super) fn new(spec: &LabSpec) -> Result<Self, SpecError> {
        let mut files = Files::default();
        let write = |files: &mut Files, path: &str, text: &str| {
            files
                .put(&absolute(path), text, SimTime::ZERO)
                .map_err(|error| SpecError::File { path: path.to_owned(), why: error.to_string() })
        };
        write(&mut files, "/etc/hostname", "lab\n")?;
        for (path, text) in &spec.files {
            write(&mut files, path, text)?;
        }
        files
            .create_dir_all(HOME, SimTime::ZERO)
            .map_err(|error| SpecError::File { path: HOME.to_owned(), why: error.to_string() })?;
        let env = BTreeMap::from(
            [
                ("HOME", HOME),
                ("USER", "learner"),
                ("PATH", "/usr/local/bin:/usr/bin:/bin"),
                ("TERM", "xterm-256color"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        Ok(Self {
            process: Process::session(env, HOME),
            files,
            config: KubeConfig::default(),
            output: Vec::new(),
            printed: 0,
            history: Vec::new(),
            busy: false,
            continuation: false,
        })
    }

    /// Hands a line to the shell, or to the command that runs.
    pub(super) fn feed(&mut self, now: SimTime, epoch: Epoch, cluster: &mut Cluster, line: &str) {
        if self.busy {
            self.process.write_stdin(format!("{line}\n").as_bytes());
            return;
        }
        if !self.continuation
            && !line.trim().is_empty()
            && self.history.last().is_none_or(|last| last != line)
        {
            self.history.push(line.to_owned());
        }
        match self.with_host(now, epoch, cluster, |process, host| process.feed_line(host, line)) {
            Fed::Started => (self.busy, self.continuation) = (true, false),
            Fed::Incomplete => self.continuation = true,
            Fed::SyntaxError(message) => {
                self.continuation = false;
                self.print(OutputStream::Stderr, &format!("{message}\n"));
            }
        }
    }

    pub(super) fn interrupt(&mut self, now: SimTime, epoch: Epoch, cluster: &mut Cluster) {
        self.print(OutputStream::Stdout, "^C\n");
        self.continuation = false;
        self.with_host(now, epoch, cluster, |process, host| process.signal(host, Signal::Int));
    }

    pub(super) fn end_of_file(&mut self) {
        self.process.close_stdin();
    }

    /// Writes a file as the editor does; a path that cannot be written is told in the terminal.
    pub(super) fn write_file(&mut self, now: SimTime, path: &str, text: &str) {
        if let Err(error) = self.files.put(&absolute(path), text, now) {
            self.print(OutputStream::Stderr, &format!("{path}: {error}\n"));
        }
    }

    pub(super) fn next_wakeup(&self) -> Option<SimTime> {
        self.process.next_wakeup()
    }

    /// Lets the command run at `now`; its exit code if it has ended.
    pub(super) fn advance(&mut self, now: SimTime, epoch: Epoch, cluster: &mut Cluster) -> Option<u8> {
        if !self.busy {
            return None;
        }
        let state = self.with_host(now, epoch, cluster, |process, host| process.advance(host));
        for (stream, bytes) in self.process.take_output() {
            let stream = match stream {
                Stream::Stdout => OutputStream::Stdout,
                Stream::Stderr => OutputStream::Stderr,
            };
            self.print(stream, &String::from_utf8_lossy(&bytes));
        }
        if self.printed > MAX_OUTPUT {
            self.printed = 0;
            self.interrupt(now, epoch, cluster);
            return None;
        }
        match state {
            ProcessState::Idle => {
                self.busy = false;
                Some(self.process.last_status())
            }
            ProcessState::Exited(code) => {
                // `exit` at the prompt: a fresh shell takes over, as a terminal window would.
                let cwd = self.process.cwd().to_owned();
                self.process = Process::session(self.process.environment(), &cwd);
                self.busy = false;
                Some(code)
            }
            ProcessState::Running { .. } => None,
        }
    }

    pub(super) fn prompt(&self) -> Prompt {
        if self.busy {
            Prompt::Busy
        } else if self.continuation {
            Prompt::Continuation("> ".to_owned())
        } else {
            let cwd = self.process.cwd();
            let shown = cwd.strip_prefix(HOME).map_or_else(|| cwd.to_owned(), |rest| format!("~{rest}"));
            Prompt::Ready(format!("learner@{HOSTNAME}:{shown}$ "))
        }
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.busy
    }

    pub(super) const fn wants_more(&self) -> bool {
        self.continuation
    }

    pub(super) fn cwd(&self) -> &str {
        self.process.cwd()
    }

    pub(super) fn take_output(&mut self) -> Vec<OutputChunk> {
        self.printed = 0;
        std::mem::take(&mut self.output)
    }

    /// The text that was printed since `mark`, for the journal.
    pub(super) fn printed_since(&self, mark: usize) -> String {
        self.output.iter().skip(mark).map(|chunk| chunk.text.as_str()).collect()
    }

    pub(super) fn mark(&self) -> usize {
        self.output.len()
    }

    fn print(&mut self, stream: OutputStream, text: &str) {
        if !text.is_empty() {
            self.printed += text.len();
            self.output.push(OutputChunk { stream, text: text.to_owned() });
        }
    }

    fn with_host<R>(
        &mut self,
        now: SimTime,
        epoch: Epoch,
        cluster: &mut Cluster,
        call: impl FnOnce(&mut Process<TerminalProgram>, &mut TerminalHost<'_>) -> R,
    ) -> R {
        cluster.api.set_now(now);
        let mut host = TerminalHost {
            now,
            epoch,
            cluster,
            files: &mut self.files,
            config: &mut self.config,
            history: &self.history,
        };
        call(&mut self.process, &mut host)
    }
}

/// A path of the learner's, from their home.
pub(super) fn absolute(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{HOME}/{path}") }
}

/// What a process in the terminal sees.
pub(super) struct TerminalHost<'a> {
    pub(super) now: SimTime,
    pub(super) epoch: Epoch,
    pub(super) cluster: &'a mut Cluster,
    pub(super) files: &'a mut Files,
    pub(super) config: &'a mut KubeConfig,
    pub(super) history: &'a [String],
}

impl Host for TerminalHost<'_> {
    type Program = TerminalProgram;

    fn now(&self) -> SimTime {
        self.now
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn hostname(&self) -> &str {
        HOSTNAME
    }

    fn files(&mut self) -> &mut Files {
        self.files
    }

    fn start(&mut self, call: &Call) -> Option<TerminalProgram> {
        TerminalProgram::start(call, self.cluster)
    }

    fn has_utility(&self, _name: &str) -> bool {
        true
    }

    fn step(&mut self, program: &mut TerminalProgram, io: &mut Io<'_>) -> Step {
        program.step(self, io)
    }

    fn signal(&mut self, program: &mut TerminalProgram, signal: Signal) -> Option<u8> {
        program.signal(self, signal)
    }

    fn program_names(&self) -> Vec<String> {
        TerminalProgram::names(self.cluster).into_iter().map(str::to_owned).collect()
    }
}
