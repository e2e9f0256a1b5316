//! A process: one program or shell with everything it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use super::erased::{AnyHost, AnyProgram};
use super::host::{Call, Host, Io, Signal, Step};
use super::kernel::{Body, Handle, Kernel, PIPE_CAPACITY, State, Stream, Sys, WriteError};
use super::shell::{ExecError, Flow, Frame, Origin, Shell, body_of, parse_lines, syntax_message};
use crate::sim::SimTime;

/// Shell operations that one instant takes at most; whatever still wants to run
/// then goes on a little later. So a script that never sleeps does not stop the clock.
const QUANTUM: usize = 10_000;
const NAP: Duration = Duration::from_millis(100);
/// Naps that are as long as the first: a script that computes takes time in proportion to its work.
const EVEN_NAPS: u32 = 100;
/// One that does nothing but compute beyond that is put off longer each time, up to this: it may never end.
const LONGEST_NAP: Duration = Duration::from_secs(64);

/// How long the nap after so many is.
fn nap_span(naps: u32) -> Duration {
    let doubled = NAP * 2u32.saturating_pow(naps.saturating_sub(EVEN_NAPS).min(16));
    doubled.min(LONGEST_NAP)
}

/// How a process stands after it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It waits: until `wake`, if that is set; for something in the world to
    /// change, if `outside`; else for input.
    Running {
        /// When it wants to be advanced next.
        wake: Option<SimTime>,
        /// It wants to be advanced whenever the simulation has moved.
        outside: bool,
    },
    /// A session waits at its prompt.
    Idle,
    /// It ended with that exit code.
    Exited(u8),
}

/// What a session made of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fed {
    /// It begins to run; [`Process::advance`](super::Process::advance) it.
    Started,
    /// More must come first: a quote, a here-document or an `if` is open.
    Incomplete,
    /// It cannot be read; the message is bash's.
    SyntaxError(String),
}

/// What a [`Process`](super::Process) is, on whatever host.
#[derive(Clone, Debug)]
pub(super) struct Run {
    kernel: Kernel<AnyProgram>,
    session: bool,
    /// The quantum was used up: the rest waits until then.
    nap: Option<SimTime>,
    /// Naps since it last waited for something.
    naps: u32,
    /// Lines of a command that is not complete yet.
    partial: String,
    shown: Shown,
}

/// What a session's prompt shows while its shell is at work.
#[derive(Clone, Debug, Default)]
struct Shown {
    cwd: String,
    status: u8,
    env: BTreeMap<String, String>,
}

impl Run {
    /// Runs `call.argv` directly, as PID 1 of a container: a program of the host,
    /// a utility, a shell, or a script by its first line.
    ///
    /// # Errors
    ///
    /// Why it cannot be executed.
    pub fn exec(call: Call, host: &mut AnyHost<'_>) -> Result<Self, ExecError> {
        Self::first(call, host, true)
    }

    /// Runs `call.argv` directly, as a process among others of a machine: unlike PID 1 of a container, it ends of a
    /// signal that it does not handle.
    ///
    /// # Errors
    ///
    /// Why it cannot be executed.
    pub fn spawn(call: Call, host: &mut AnyHost<'_>) -> Result<Self, ExecError> {
        Self::first(call, host, false)
    }

    fn first(call: Call, host: &mut AnyHost<'_>, init: bool) -> Result<Self, ExecError> {
        let shown = Shown { cwd: call.cwd.clone(), status: 0, env: call.env.clone() };
        let pid = call.pid;
        let now = host.now();
        let body = body_of(host, call, now)?;
        let mut kernel = Kernel::new(pid, init);
        kernel.spawn(0, None, Kernel::<AnyProgram>::standard_fds(), body);
        Ok(Self { kernel, session: false, nap: None, naps: 0, partial: String::new(), shown })
    }

    /// An interactive shell that waits for lines.
    pub fn session(env: BTreeMap<String, String>, cwd: &str) -> Self {
        let call = Call { argv: vec!["bash".to_owned()], env, cwd: cwd.to_owned(), pid: 100 };
        let shell = Shell::new(&call, "bash", Origin::Session, SimTime::ZERO);
        let shown = Shown { cwd: cwd.to_owned(), status: 0, env: call.env };
        let mut kernel = Kernel::new(call.pid, false);
        kernel.spawn(0, None, Kernel::<AnyProgram>::standard_fds(), Body::Shell(Box::new(shell)));
        if let Some(task) = kernel.tasks.get_mut(&call.pid) {
            task.state = State::Idle;
        }
        Self { kernel, session: true, nap: None, naps: 0, partial: String::new(), shown }
    }

    /// Gives a line to a session that is idle.
    pub fn feed_line(&mut self, line: &str) -> Fed {
        let text =
            if self.partial.is_empty() { line.to_owned() } else { format!("{}\n{line}", self.partial) };
        let Some(task) = self.kernel.tasks.get_mut(&self.kernel.main) else {
            return Fed::SyntaxError("the shell has ended".to_owned());
        };
        let Body::Shell(shell) = &mut task.body else {
            return Fed::SyntaxError("not a session".to_owned());
        };
        // A backslash at the end joins the next line.
        let continued = line.ends_with('\\') && !line.ends_with("\\\\");
        match parse_lines(&text) {
            _ if continued => {
                self.partial = text;
                Fed::Incomplete
            }
            Ok(block) => {
                self.partial.clear();
                shell.line = 1;
                shell.frames.push(Frame::Block { block, at: 0 });
                task.state = State::Ready;
                self.kernel.stdin.clear();
                self.kernel.stdin_closed = false;
                Fed::Started
            }
            Err(error) if error.incomplete => {
                self.partial = text;
                Fed::Incomplete
            }
            Err(error) => {
                self.partial.clear();
                shell.status = 2;
                self.shown.status = 2;
                Fed::SyntaxError(syntax_message(shell, &error).trim_end().to_owned())
            }
        }
    }

    /// Forgets the lines of a command that is not complete yet.
    pub fn discard_partial(&mut self) {
        self.partial.clear();
    }

    /// Runs everything that can run at the host's instant.
    pub fn advance(&mut self, host: &mut AnyHost<'_>) -> ProcessState {
        let now = host.now();
        if self.nap.is_none_or(|until| until <= now) {
            self.nap = None;
            self.kernel.spent = 0;
            for task in self.kernel.tasks.values_mut() {
                if task.state == State::Outside {
                    task.state = State::Ready;
                }
            }
            self.run(host, now);
            self.naps = if self.nap.is_some() { self.naps.saturating_add(1) } else { 0 };
        }
        self.note();
        self.state()
    }

    /// How it stands.
    pub fn state(&self) -> ProcessState {
        match self.kernel.tasks.get(&self.kernel.main).map(|task| task.state) {
            Some(State::Zombie(status)) => ProcessState::Exited(status),
            None => ProcessState::Exited(0),
            Some(State::Idle) => ProcessState::Idle,
            Some(_) => {
                let outside = self.kernel.tasks.values().any(|task| task.state == State::Outside);
                ProcessState::Running { wake: self.next_wakeup(), outside }
            }
        }
    }

    /// When it wants to be advanced next, if time alone decides.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        if self.nap.is_some() {
            return self.nap;
        }
        let due = |state: State| match state {
            State::Sleep(at) | State::Child(Some(at)) => Some(at).filter(|at| *at < SimTime::MAX),
            _ => None,
        };
        self.kernel.tasks.values().filter_map(|task| due(task.state)).min()
    }

    fn run(&mut self, host: &mut AnyHost<'_>, now: SimTime) {
        loop {
            self.wake(now);
            let ready: Vec<u32> = self
                .kernel
                .tasks
                .iter()
                .filter(|(_, task)| task.state == State::Ready)
                .map(|(pid, _)| *pid)
                .collect();
            if ready.is_empty() {
                return;
            }
            for pid in ready {
                self.run_task(host, pid);
                if self.kernel.spent > QUANTUM {
                    self.nap = Some(now + nap_span(self.naps));
                    return;
                }
            }
            if let Some(State::Zombie(_)) = self.kernel.tasks.get(&self.kernel.main).map(|task| task.state)
                && !self.session
            {
                // PID 1 is gone: the kernel kills the rest.
                return self.kill_all(host);
            }
            self.kernel.sweep();
        }
    }

    /// Makes ready what waited for what is there now.
    fn wake(&mut self, now: SimTime) {
        let pids: Vec<u32> = self.kernel.tasks.keys().copied().collect();
        for pid in pids {
            let Some(task) = self.kernel.tasks.get(&pid) else { continue };
            let ready = match task.state {
                State::Sleep(at) | State::Child(Some(at)) => at <= now,
                State::Input { seen } => self.has_input(task.fds.get(&0).copied(), seen),
                State::Drain(fd) => task.fds.get(&fd).is_none_or(|handle| !self.kernel.is_full(*handle)),
                _ => false,
            };
            if ready && let Some(task) = self.kernel.tasks.get_mut(&pid) {
                task.state = State::Ready;
            }
        }
    }

    /// Whether more than `seen` bytes can be read, or the end.
    fn has_input(&self, handle: Option<Handle>, seen: usize) -> bool {
        match handle {
            Some(Handle::Stdin) => self.kernel.stdin.len() > seen || self.kernel.stdin_closed,
            Some(Handle::PipeIn(id)) => {
                self.kernel.pipes.get(&id).is_none_or(|pipe| pipe.bytes.len() > seen)
                    || !self.kernel.has_writers(id)
            }
            _ => true,
        }
    }

    /// Runs one task until it waits, ends, or has had its share.
    fn run_task(&mut self, host: &mut AnyHost<'_>, pid: u32) {
        loop {
            let Some(task) = self.kernel.tasks.get_mut(&pid) else { return };
            if task.state != State::Ready {
                return;
            }
            self.kernel.spent += 1;
            if self.kernel.spent > QUANTUM {
                return;
            }
            let Some(task) = self.kernel.tasks.get_mut(&pid) else { return };
            match std::mem::replace(&mut task.body, Body::Running) {
                Body::Shell(mut shell) => {
                    let flow = shell.step(&mut Sys { kernel: &mut self.kernel, host, pid });
                    let Some(task) = self.kernel.tasks.get_mut(&pid) else { return };
                    match flow {
                        Flow::Go => task.body = Body::Shell(shell),
                        Flow::Block(state) => {
                            task.body = Body::Shell(shell);
                            task.state = state;
                        }
                        Flow::Become(body) => task.body = body,
                        Flow::Exit(status) => {
                            if pid == self.kernel.main {
                                self.shown =
                                    Shown { cwd: shell.cwd.clone(), status, env: shell.vars.exported() };
                            }
                            self.kernel.finish(pid, status);
                        }
                    }
                }
                Body::Launcher(mut launcher) => {
                    let flow = launcher.step(&mut Sys { kernel: &mut self.kernel, host, pid });
                    let Some(task) = self.kernel.tasks.get_mut(&pid) else { return };
                    match flow {
                        Flow::Go => task.body = Body::Launcher(launcher),
                        Flow::Block(state) => {
                            task.body = Body::Launcher(launcher);
                            task.state = state;
                        }
                        Flow::Become(body) => task.body = body,
                        Flow::Exit(status) => self.kernel.finish(pid, status),
                    }
                }
                Body::Utility(mut utility) => {
                    let step = self.step_program(host, pid, |host, io| utility.step(host, io));
                    self.after_step(pid, step, Body::Utility(utility));
                }
                Body::Program(mut program) => {
                    let step = self.step_program(host, pid, |host, io| host.step(&mut program, io));
                    if matches!(step, Err(status) if status != 0) {
                        // Nobody reads it any more: it gives back what it holds.
                        host.signal(&mut program, Signal::PIPE);
                    }
                    self.after_step(pid, step, Body::Program(program));
                }
                Body::Running | Body::Gone => return self.kernel.finish(pid, 1),
            }
        }
    }

    /// Lends a program its streams for one step.
    fn step_program(
        &mut self,
        host: &mut AnyHost<'_>,
        pid: u32,
        step: impl FnOnce(&mut AnyHost<'_>, &mut Io<'_>) -> Step,
    ) -> Result<Step, u8> {
        let mut sys = Sys { kernel: &mut self.kernel, host, pid };
        let input = sys.fd(0);
        let (mut stdin, closed) = sys.take_input(input);
        let taken = stdin.len();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut io = Io { stdin: &mut stdin, stdin_closed: closed, stdout: &mut stdout, stderr: &mut stderr };
        let step = step(sys.host, &mut io);
        let left = stdin.len();
        sys.return_input(input, stdin, taken);
        let (out, err) = (sys.fd(1), sys.fd(2));
        // Standard error is nobody's concern when it is gone.
        let _ = sys.write(err, &stderr);
        match sys.write(out, &stdout) {
            // SIGPIPE.
            Err(WriteError::Broken) => Err(141),
            Err(WriteError::BadDescriptor | WriteError::File(_)) => Err(1),
            Ok(()) => match step {
                Step::Input if closed && left == taken => Err(0),
                step => Ok(step),
            },
        }
    }

    fn after_step(&mut self, pid: u32, step: Result<Step, u8>, body: Body<AnyProgram>) {
        let full = |kernel: &Kernel<AnyProgram>| {
            let out = kernel.tasks.get(&pid).and_then(|task| task.fds.get(&1).copied());
            out.is_some_and(|handle| kernel.is_full(handle))
        };
        let seen = self.input_len(pid);
        let state = match step {
            Err(status) | Ok(Step::Exit(status)) => return self.kernel.finish(pid, status),
            Ok(Step::Killed(signal)) => {
                self.kernel.note_death(pid, signal);
                return self.kernel.finish(pid, 128 + signal.number());
            }
            Ok(Step::Ready) if full(&self.kernel) => State::Drain(1),
            Ok(Step::Ready) => {
                // A program that only talks is paid for by what it says.
                self.kernel.spent += PIPE_CAPACITY / 4096;
                State::Ready
            }
            Ok(Step::Until(at)) => State::Sleep(at),
            Ok(Step::Input) => State::Input { seen },
            Ok(Step::Outside) => State::Outside,
        };
        if let Some(task) = self.kernel.tasks.get_mut(&pid) {
            task.body = body;
            task.state = state;
        }
    }

    fn input_len(&self, pid: u32) -> usize {
        match self.kernel.tasks.get(&pid).and_then(|task| task.fds.get(&0)) {
            Some(Handle::Stdin) => self.kernel.stdin.len(),
            Some(Handle::PipeIn(id)) => self.kernel.pipes.get(id).map_or(0, |pipe| pipe.bytes.len()),
            _ => 0,
        }
    }

    /// More input.
    pub fn write_stdin(&mut self, bytes: &[u8]) {
        self.kernel.stdin.extend_from_slice(bytes);
        self.nudge();
    }

    /// No more input will come.
    pub fn close_stdin(&mut self) {
        self.kernel.stdin_closed = true;
        self.nudge();
    }

    /// Those who wait for standard input look again.
    fn nudge(&mut self) {
        for task in self.kernel.tasks.values_mut() {
            if matches!(task.state, State::Input { .. }) && task.fds.get(&0) == Some(&Handle::Stdin) {
                task.state = State::Ready;
            }
        }
    }

    /// Sends a signal: to a program, or, for Ctrl-C in a session, to what runs in the foreground.
    pub fn signal(&mut self, host: &mut AnyHost<'_>, signal: Signal) {
        self.nap = None;
        let main = self.kernel.main;
        if signal == Signal::Kill {
            self.kill_all(host);
            if !self.kernel.tasks.get(&main).is_none_or(|task| matches!(task.state, State::Zombie(_))) {
                self.kernel.note_death(main, signal);
            }
            return self.kernel.finish(main, 137);
        }
        if !self.session {
            Sys { kernel: &mut self.kernel, host, pid: main }.signal(main, signal);
            return;
        }
        self.partial.clear();
        let group = self.kernel.tasks.get(&main).map(|task| task.group);
        let foreground: Vec<u32> = self
            .kernel
            .tasks
            .iter()
            .filter(|(pid, task)| **pid != main && Some(task.group) == group)
            .map(|(pid, _)| *pid)
            .collect();
        for pid in foreground {
            Sys { kernel: &mut self.kernel, host, pid: main }.signal(pid, signal);
            self.kernel.tasks.remove(&pid);
        }
        if let Some(task) = self.kernel.tasks.get_mut(&main)
            && let Body::Shell(shell) = &mut task.body
            && task.state != State::Idle
        {
            shell.interrupt();
            task.state = State::Ready;
        }
    }

    /// Sends a signal to everything that belongs to the process, the main task last: as a job's step is signalled.
    pub fn signal_all(&mut self, host: &mut AnyHost<'_>, signal: Signal) {
        let main = self.kernel.main;
        let others: Vec<u32> = self.kernel.tasks.keys().copied().filter(|pid| *pid != main).collect();
        for pid in others {
            Sys { kernel: &mut self.kernel, host, pid: main }.signal(pid, signal);
        }
        self.signal(host, signal);
    }

    /// Ends everything but the main task, so that programs give back what they hold.
    fn kill_all(&mut self, host: &mut AnyHost<'_>) {
        let main = self.kernel.main;
        let pids: Vec<u32> = self.kernel.tasks.keys().copied().collect();
        for pid in pids {
            if let Some(task) = self.kernel.tasks.get_mut(&pid)
                && let Body::Program(program) = &mut task.body
            {
                host.signal(program, Signal::Kill);
            }
            if pid != main {
                self.kernel.tasks.remove(&pid);
            }
        }
    }

    /// The signal that ended the main task, if one did.
    pub fn killed_by(&self) -> Option<u8> {
        self.kernel.died_of
    }

    /// What was written since this was last asked, in order.
    pub fn take_output(&mut self) -> Vec<(Stream, Vec<u8>)> {
        std::mem::take(&mut self.kernel.output)
    }

    /// `$?` of a session.
    pub fn last_status(&self) -> u8 {
        self.shown.status
    }

    /// The working directory of a session.
    pub fn cwd(&self) -> &str {
        &self.shown.cwd
    }

    /// The exported variables of a session.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.shown.env.clone()
    }

    /// Notes what the prompt shows.
    fn note(&mut self) {
        if let Some(task) = self.kernel.tasks.get(&self.kernel.main)
            && let Body::Shell(shell) = &task.body
        {
            self.shown = Shown { cwd: shell.cwd.clone(), status: shell.status, env: shell.vars.exported() };
        }
    }
}
