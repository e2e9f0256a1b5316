//! Hosts without their types: the shell is compiled once, whatever the number of hosts.
//!
//! A visitor of the browser lab downloads the shell; compiled for the terminal's host and again for the containers', it
//! would be downloaded twice.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use super::files::Files;
use super::host::{Call, Host, Io, Signal, Step};
use super::kernel::Stream;
use super::run::Run;
use super::shell::ExecError;
use super::{Fed, ProcessState};
use crate::sim::{Epoch, SimTime};

/// A program of some host.
trait AnyData {
    fn clone_box(&self) -> Box<dyn AnyData>;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

impl<T: Any + Clone + fmt::Debug> AnyData for T {
    fn clone_box(&self) -> Box<dyn AnyData> {
        Box::new(self.clone())
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A program of some host.
pub(crate) struct AnyProgram(Box<dyn AnyData>);

impl Clone for AnyProgram {
    fn clone(&self) -> Self {
        // Through the box to the program: the box itself must not count as one.
        Self((*self.0).clone_box())
    }
}

impl fmt::Debug for AnyProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (*self.0).print(f)
    }
}

/// A host of programs whose type is not said.
struct Border<'a, H>(&'a mut H);

impl<H: Host> Host for Border<'_, H> {
    type Program = AnyProgram;

    fn now(&self) -> SimTime {
        self.0.now()
    }

    fn epoch(&self) -> Epoch {
        self.0.epoch()
    }

    fn hostname(&self) -> &str {
        self.0.hostname()
    }

    fn files(&mut self) -> &mut Files {
        self.0.files()
    }

    fn start(&mut self, call: &Call) -> Option<AnyProgram> {
        Some(AnyProgram(Box::new(self.0.start(call)?)))
    }

    fn has_utility(&self, name: &str) -> bool {
        self.0.has_utility(name)
    }

    fn step(&mut self, program: &mut AnyProgram, io: &mut Io<'_>) -> Step {
        match (*program.0).as_any_mut().downcast_mut() {
            Some(program) => self.0.step(program, io),
            // Cannot be: `Process<P>` is only given hosts whose programs are `P`.
            None => Step::Exit(126),
        }
    }

    fn signal(&mut self, program: &mut AnyProgram, signal: Signal) -> Option<u8> {
        match (*program.0).as_any_mut().downcast_mut() {
            Some(program) => self.0.signal(program, signal),
            None => Some(126),
        }
    }

    fn program_names(&self) -> Vec<String> {
        self.0.program_names()
    }
}

/// A host of which nothing is known but that it is one: the only one for which the shell is compiled.
pub(crate) struct AnyHost<'a>(&'a mut (dyn Host<Program = AnyProgram> + 'a));

impl Host for AnyHost<'_> {
    type Program = AnyProgram;

    fn now(&self) -> SimTime {
        self.0.now()
    }

    fn epoch(&self) -> Epoch {
        self.0.epoch()
    }

    fn hostname(&self) -> &str {
        self.0.hostname()
    }

    fn files(&mut self) -> &mut Files {
        self.0.files()
    }

    fn start(&mut self, call: &Call) -> Option<AnyProgram> {
        self.0.start(call)
    }

    fn has_utility(&self, name: &str) -> bool {
        self.0.has_utility(name)
    }

    fn step(&mut self, program: &mut AnyProgram, io: &mut Io<'_>) -> Step {
        self.0.step(program, io)
    }

    fn signal(&mut self, program: &mut AnyProgram, signal: Signal) -> Option<u8> {
        self.0.signal(program, signal)
    }

    fn program_names(&self) -> Vec<String> {
        self.0.program_names()
    }
}

/// A program, or a shell and all that it starts, on a host whose programs are `P`.
///
/// Plain data: cloned in the middle of a script, it goes on in the same way.
pub struct Process<P> {
    run: Run,
    programs: PhantomData<fn() -> P>,
}

impl<P> Clone for Process<P> {
    fn clone(&self) -> Self {
        Self::of(self.run.clone())
    }
}

impl<P> fmt::Debug for Process<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.run.fmt(f)
    }
}

impl<P> Process<P> {
    const fn of(run: Run) -> Self {
        Self { run, programs: PhantomData }
    }

    /// Runs `call.argv` directly, as PID 1 of a container: a program of the host,
    /// a utility, a shell, or a script by its first line.
    ///
    /// # Errors
    ///
    /// Why it cannot be executed.
    pub fn exec<H: Host<Program = P>>(call: Call, host: &mut H) -> Result<Self, ExecError> {
        Run::exec(call, &mut AnyHost(&mut Border(host))).map(Self::of)
    }

    /// Runs `call.argv` directly, as a process among others of a machine: unlike PID 1 of a container, it ends of a
    /// signal that it does not handle.
    ///
    /// # Errors
    ///
    /// Why it cannot be executed.
    pub fn spawn<H: Host<Program = P>>(call: Call, host: &mut H) -> Result<Self, ExecError> {
        Run::spawn(call, &mut AnyHost(&mut Border(host))).map(Self::of)
    }

    /// Sends a signal to everything that belongs to the process, the main task last: as a job's step is signalled.
    pub fn signal_all<H: Host<Program = P>>(&mut self, host: &mut H, signal: Signal) {
        self.run.signal_all(&mut AnyHost(&mut Border(host)), signal);
    }

    /// An interactive shell that waits for lines.
    pub fn session(env: BTreeMap<String, String>, cwd: &str) -> Self {
        Self::of(Run::session(env, cwd))
    }

    /// Gives a line to a session that is idle.
    pub fn feed_line<H: Host<Program = P>>(&mut self, _host: &mut H, line: &str) -> Fed {
        self.run.feed_line(line)
    }

    /// Forgets the lines of a command that is not complete yet.
    pub fn discard_partial(&mut self) {
        self.run.discard_partial();
    }

    /// Gives bytes to its standard input.
    pub fn write_stdin(&mut self, bytes: &[u8]) {
        self.run.write_stdin(bytes);
    }

    /// No more input will come (Ctrl-D).
    pub fn close_stdin(&mut self) {
        self.run.close_stdin();
    }

    /// Runs everything that can run at the host's instant.
    pub fn advance<H: Host<Program = P>>(&mut self, host: &mut H) -> ProcessState {
        self.run.advance(&mut AnyHost(&mut Border(host)))
    }

    /// How it stands.
    pub fn state(&self) -> ProcessState {
        self.run.state()
    }

    /// When it wants to be advanced next, if time alone decides.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        self.run.next_wakeup()
    }

    /// Sends a signal: to a program, or, for Ctrl-C in a session, to what runs in the foreground.
    pub fn signal<H: Host<Program = P>>(&mut self, host: &mut H, signal: Signal) {
        self.run.signal(&mut AnyHost(&mut Border(host)), signal);
    }

    /// What was written since this was last asked, in order.
    pub fn take_output(&mut self) -> Vec<(Stream, Vec<u8>)> {
        self.run.take_output()
    }

    /// The exit code, once it has ended.
    pub fn exit_code(&self) -> Option<u8> {
        match self.state() {
            ProcessState::Exited(code) => Some(code),
            _ => None,
        }
    }

    /// The signal that it died of: an exit code of 137 may also have been meant so.
    pub fn killed_by(&self) -> Option<u8> {
        self.run.killed_by()
    }

    /// `$?` of a session.
    pub fn last_status(&self) -> u8 {
        self.run.last_status()
    }

    /// The working directory of a session.
    pub fn cwd(&self) -> &str {
        self.run.cwd()
    }

    /// The exported variables of a session.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.run.environment()
    }
}
