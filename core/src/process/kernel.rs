//! The little kernel under a process: tasks, pipes, descriptors, signals.
//!
//! Every stage of a pipeline, every subshell and every program is a [`Task`].
//! Tasks are run in the order of their numbers, each as far as it gets, until
//! all wait for something: that is all the scheduling there is, and why the same
//! script always prints the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::FileError;
use super::host::{Host, Signal};
use super::launch::Launcher;
use super::shell::Shell;
use super::utilities::Utility;
use crate::sim::SimTime;

/// Which of the two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What a descriptor leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handle {
    /// The standard input of the whole process.
    Stdin,
    /// An output stream of the whole process.
    Out(Stream),
    Null,
    /// An entry of the table of open files.
    Open(u32),
    PipeIn(u32),
    PipeOut(u32),
}

pub(crate) type Fds = BTreeMap<u32, Handle>;

/// An open file: those who share a descriptor share its offset.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    pub(crate) source: Source,
    pub(crate) offset: usize,
    pub(crate) append: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Source {
    Path(String),
    /// A here-document.
    Memory(Arc<[u8]>),
}

/// Bytes between a writer and a reader.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pipe {
    pub(crate) bytes: Vec<u8>,
}

/// What a pipe holds before its writer waits (`/proc/sys/fs/pipe-max-size` starts at this).
pub(crate) const PIPE_CAPACITY: usize = 64 << 10;
/// Tasks that one process may have, as the pids cgroup of a container limits them.
const MAX_TASKS: usize = 256;

/// Why a task does not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    Sleep(SimTime),
    /// Waits for more input than these bytes, or for its end.
    Input {
        seen: usize,
    },
    Outside,
    /// Waits until what it wrote to the descriptor has been read.
    Drain(u32),
    /// Waits for a child, and for its time if it has one.
    Child(Option<SimTime>),
    /// Collects the output of a child.
    Capture {
        pid: u32,
        pipe: u32,
    },
    /// A prompt without a command.
    Idle,
    Zombie(u8),
}

/// What runs in a task.
#[derive(Clone, Debug)]
pub(crate) enum Body<P> {
    Shell(Box<Shell>),
    Utility(Box<Utility>),
    Launcher(Box<Launcher>),
    Program(P),
    /// On the processor just now.
    Running,
    Gone,
}

#[derive(Clone, Debug)]
pub(crate) struct Task<P> {
    pub(crate) parent: u32,
    /// The process group: what Ctrl-C reaches together.
    pub(crate) group: u32,
    pub(crate) fds: Fds,
    pub(crate) body: Body<P>,
    pub(crate) state: State,
}

/// Why a write did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteError {
    /// Nobody reads any more.
    Broken,
    /// The descriptor is not open.
    BadDescriptor,
    File(FileError),
}

/// All tasks of a process and what connects them.
#[derive(Clone, Debug)]
pub(crate) struct Kernel<P> {
    pub(crate) tasks: BTreeMap<u32, Task<P>>,
    pub(crate) pipes: BTreeMap<u32, Pipe>,
    pub(crate) open: BTreeMap<u32, OpenFile>,
    pub(crate) next: u32,
    pub(crate) next_pid: u32,
    pub(crate) main: u32,
    /// The main task is PID 1 of a container: signals without a handler do nothing to it.
    pub(crate) init: bool,
    pub(crate) stdin: Vec<u8>,
    pub(crate) stdin_closed: bool,
    pub(crate) output: Vec<(Stream, Vec<u8>)>,
    /// Work done at this instant.
    pub(crate) spent: usize,
    /// The signal that ended the main task.
    pub(crate) died_of: Option<u8>,
}

impl<P: Clone> Kernel<P> {
    pub(crate) fn new(pid: u32, init: bool) -> Self {
        Self {
            tasks: BTreeMap::new(),
            pipes: BTreeMap::new(),
            open: BTreeMap::new(),
            next: 0,
            next_pid: pid,
            main: pid,
            init,
            stdin: Vec::new(),
            stdin_closed: false,
            output: Vec::new(),
            spent: 0,
            died_of: None,
        }
    }

    pub(crate) fn standard_fds() -> Fds {
        Fds::from([(0, Handle::Stdin), (1, Handle::Out(Stream::Stdout)), (2, Handle::Out(Stream::Stderr))])
    }

    /// Starts a task; `None` when there are too many.
    pub(crate) fn spawn(&mut self, parent: u32, group: Option<u32>, fds: Fds, body: Body<P>) -> Option<u32> {
        let running = self.tasks.values().filter(|task| !matches!(task.state, State::Zombie(_))).count();
        if running >= MAX_TASKS {
            return None;
        }
        let pid = self.next_pid;
        self.next_pid += 1;
        let group = group.unwrap_or(pid);
        self.tasks.insert(pid, Task { parent, group, fds, body, state: State::Ready });
        Some(pid)
    }

    /// The number that the next task will have.
    pub(crate) fn upcoming_pid(&self) -> u32 {
        self.next_pid
    }

    pub(crate) fn pipe(&mut self) -> (Handle, Handle) {
        let id = self.fresh();
        self.pipes.insert(id, Pipe::default());
        (Handle::PipeIn(id), Handle::PipeOut(id))
    }

    pub(crate) fn open_file(&mut self, source: Source, append: bool) -> Handle {
        if self.open.len() > 64 {
            self.sweep();
        }
        let id = self.fresh();
        self.open.insert(id, OpenFile { source, offset: 0, append });
        Handle::Open(id)
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn handles(&self) -> impl Iterator<Item = Handle> {
        self.tasks.values().flat_map(|task| {
            let saved = match &task.body {
                Body::Shell(shell) => shell.saved_handles(),
                _ => Vec::new(),
            };
            task.fds.values().copied().chain(saved)
        })
    }

    /// Forgets pipes and open files that nobody holds.
    pub(crate) fn sweep(&mut self) {
        if self.tasks.values().any(|task| matches!(task.body, Body::Running)) {
            // The shell on the processor holds some that cannot be seen now.
            return;
        }
        let held: Vec<Handle> = self.handles().collect();
        self.open.retain(|id, _| held.contains(&Handle::Open(*id)));
        self.pipes
            .retain(|id, _| held.contains(&Handle::PipeIn(*id)) || held.contains(&Handle::PipeOut(*id)));
    }

    /// Whether anybody could still write to the pipe.
    pub(crate) fn has_writers(&self, pipe: u32) -> bool {
        self.handles().any(|handle| handle == Handle::PipeOut(pipe))
    }

    pub(crate) fn has_readers(&self, pipe: u32) -> bool {
        self.handles().any(|handle| handle == Handle::PipeIn(pipe))
    }

    /// Whether what `handle` leads to holds so much that a writer waits.
    pub(crate) fn is_full(&self, handle: Handle) -> bool {
        match handle {
            Handle::PipeOut(id) => {
                self.pipes.get(&id).is_some_and(|pipe| pipe.bytes.len() >= PIPE_CAPACITY)
                    && self.has_readers(id)
            }
            _ => false,
        }
    }

    /// Ends a task. Its parent learns the status when it waits.
    pub(crate) fn finish(&mut self, pid: u32, status: u8) {
        let Some(task) = self.tasks.get_mut(&pid) else { return };
        task.state = State::Zombie(status);
        task.fds.clear();
        task.body = Body::Gone;
        let parent = task.parent;
        let orphans: Vec<u32> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.parent == pid && matches!(task.state, State::Zombie(_)))
            .map(|(pid, _)| *pid)
            .collect();
        for orphan in orphans {
            self.tasks.remove(&orphan);
        }
        match self.tasks.get_mut(&parent) {
            Some(parent) => {
                if matches!(parent.state, State::Child(_) | State::Capture { .. }) {
                    parent.state = State::Ready;
                }
                if matches!(parent.state, State::Zombie(_)) && pid != self.main {
                    self.tasks.remove(&pid);
                }
            }
            None if pid != self.main => {
                self.tasks.remove(&pid);
            }
            None => {}
        }
    }

    /// Notes which signal ended a task: of the main task those who wait for the whole process learn it.
    pub(crate) fn note_death(&mut self, pid: u32, signal: Signal) {
        if pid == self.main {
            self.died_of = Some(signal.number());
        }
    }

    /// The status of a task that has ended, which is forgotten by asking. A task that is not there
    /// counts as ended long ago.
    pub(crate) fn reap(&mut self, pid: u32) -> Option<u8> {
        match self.tasks.get(&pid).map(|task| task.state) {
            Some(State::Zombie(status)) => {
                self.tasks.remove(&pid);
                Some(status)
            }
            Some(_) => None,
            None => Some(127),
        }
    }
}

/// One task's view of the kernel and the world.
pub(crate) struct Sys<'a, H: Host> {
    pub(crate) kernel: &'a mut Kernel<H::Program>,
    pub(crate) host: &'a mut H,
    pub(crate) pid: u32,
}

impl<H: Host> Sys<'_, H> {
    pub(crate) fn now(&self) -> SimTime {
        self.host.now()
    }

    pub(crate) fn fds(&self) -> Fds {
        self.kernel.tasks.get(&self.pid).map(|task| task.fds.clone()).unwrap_or_default()
    }

    pub(crate) fn fd(&self, fd: u32) -> Option<Handle> {
        self.kernel.tasks.get(&self.pid)?.fds.get(&fd).copied()
    }

    pub(crate) fn set_fd(&mut self, fd: u32, handle: Option<Handle>) {
        if let Some(task) = self.kernel.tasks.get_mut(&self.pid) {
            match handle {
                Some(handle) => task.fds.insert(fd, handle),
                None => task.fds.remove(&fd),
            };
        }
    }

    pub(crate) fn group(&self) -> u32 {
        self.kernel.tasks.get(&self.pid).map_or(self.pid, |task| task.group)
    }

    /// Writes all of `bytes`; a pipe may then hold more than it should, and the writer has to wait.
    pub(crate) fn write(&mut self, handle: Option<Handle>, bytes: &[u8]) -> Result<(), WriteError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.kernel.spent += bytes.len() / 256;
        match handle {
            None | Some(Handle::Stdin | Handle::PipeIn(_)) => Err(WriteError::BadDescriptor),
            Some(Handle::Null) => Ok(()),
            Some(Handle::Out(stream)) => {
                match self.kernel.output.last_mut() {
                    Some((last, buffer)) if *last == stream => buffer.extend_from_slice(bytes),
                    _ => self.kernel.output.push((stream, bytes.to_vec())),
                }
                Ok(())
            }
            Some(Handle::PipeOut(id)) => {
                if !self.kernel.has_readers(id) {
                    return Err(WriteError::Broken);
                }
                if let Some(pipe) = self.kernel.pipes.get_mut(&id) {
                    pipe.bytes.extend_from_slice(bytes);
                }
                Ok(())
            }
            Some(Handle::Open(id)) => {
                let now = self.host.now();
                let Some(file) = self.kernel.open.get_mut(&id) else { return Err(WriteError::BadDescriptor) };
                let Source::Path(path) = &file.source else { return Err(WriteError::BadDescriptor) };
                let files = self.host.files();
                // A file that was removed while it was open takes writes into nowhere.
                if !files.exists(path) {
                    return Ok(());
                }
                let written = if file.append {
                    files.append(path, bytes, now)
                } else {
                    files.write_at(path, file.offset, bytes, now)
                };
                file.offset += bytes.len();
                written.map_err(WriteError::File)
            }
        }
    }

    /// Takes what can be read now, and whether more can ever come.
    pub(crate) fn take_input(&mut self, handle: Option<Handle>) -> (Vec<u8>, bool) {
        match handle {
            Some(Handle::Stdin) => (std::mem::take(&mut self.kernel.stdin), self.kernel.stdin_closed),
            Some(Handle::PipeIn(id)) => {
                let closed = !self.kernel.has_writers(id);
                let bytes = self.kernel.pipes.get_mut(&id).map(|pipe| std::mem::take(&mut pipe.bytes));
                (bytes.unwrap_or_default(), closed)
            }
            Some(Handle::Open(id)) => {
                let Some(file) = self.kernel.open.get(&id) else { return (Vec::new(), true) };
                let bytes = match &file.source {
                    Source::Path(path) => {
                        self.host.files().read(path).ok().and_then(|all| all.get(file.offset..))
                    }
                    Source::Memory(all) => all.get(file.offset..),
                };
                (bytes.map(<[u8]>::to_vec).unwrap_or_default(), true)
            }
            _ => (Vec::new(), true),
        }
    }

    /// Gives back what was taken and not read.
    pub(crate) fn return_input(&mut self, handle: Option<Handle>, rest: Vec<u8>, taken: usize) {
        match handle {
            Some(Handle::Stdin) => self.kernel.stdin = rest,
            Some(Handle::PipeIn(id)) => {
                if let Some(pipe) = self.kernel.pipes.get_mut(&id) {
                    pipe.bytes = rest;
                }
            }
            Some(Handle::Open(id)) => {
                if let Some(file) = self.kernel.open.get_mut(&id) {
                    file.offset += taken.saturating_sub(rest.len());
                }
            }
            _ => {}
        }
    }

    /// Sends a signal to one task.
    pub(crate) fn signal(&mut self, pid: u32, signal: Signal) {
        let protected = self.kernel.init && pid == self.kernel.main && signal != Signal::Kill;
        let Some(task) = self.kernel.tasks.get_mut(&pid) else { return };
        if matches!(task.state, State::Zombie(_)) {
            return;
        }
        let status = match &mut task.body {
            // The shell on the processor has sent it to itself.
            Body::Running | Body::Gone => None,
            Body::Shell(shell) => {
                let ends = shell.receive(signal) && !protected;
                if !ends && task.state != State::Idle && !matches!(task.state, State::Drain(_)) {
                    // It looks at its traps; where it still has to wait, it goes back to waiting.
                    task.state = State::Ready;
                }
                ends.then_some(128 + signal.number())
            }
            Body::Utility(_) => (!protected).then_some(128 + signal.number()),
            Body::Launcher(launcher) => {
                if let Some(child) = launcher.child() {
                    self.signal(child, signal);
                }
                (!protected).then_some(128 + signal.number())
            }
            Body::Program(program) => {
                let status = self.host.signal(program, signal);
                match (signal, status) {
                    (Signal::Kill, _) => Some(137),
                    (_, Some(status)) if status != 128 + signal.number() || !protected => Some(status),
                    _ => {
                        if !matches!(task.state, State::Drain(_)) {
                            task.state = State::Ready;
                        }
                        None
                    }
                }
            }
        };
        if let Some(status) = status {
            if status == 128 + signal.number() {
                self.kernel.note_death(pid, signal);
            }
            self.kernel.finish(pid, status);
        }
    }
}
