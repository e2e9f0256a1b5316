//! What runs on the machines: batch scripts, tasks of steps, commands that users typed.

use super::SlurmCluster;
use super::host::{JobHost, JobProgram};
use super::machines::Place;
use super::session::Session;
use crate::process::files::Files;
use crate::process::{Call, ExecError, Process, ProcessState, Signal, Stream};
use crate::sim::SimTime;
use crate::slurm::model::{JobId, SIG_OOM};

/// A process of the cluster.
pub type ProcId = u32;

/// What a process is to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A job's batch script, with the files that it writes to.
    Batch { job: JobId, run: u32, stdout: String, stderr: String },
    /// A task of a step: the step, and its rank.
    Task { job: JobId, run: u32, step: u32, rank: u32 },
    /// A command, or what one runs: whoever started it looks after it.
    Command,
}

impl Role {
    /// The run of the job that it belongs to.
    pub(super) fn job(&self) -> Option<(JobId, u32)> {
        match self {
            Self::Batch { job, run, .. } | Self::Task { job, run, .. } => Some((*job, *run)),
            Self::Command => None,
        }
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The exit code; 128 and the signal's number after a signal.
    pub code: u8,
    /// The signal, where one ended it.
    pub signal: Option<u8>,
}

/// A process and where it runs.
#[derive(Clone, Debug)]
pub(crate) struct Proc {
    pub(super) role: Role,
    pub(super) place: Place,
    pub(super) suspended: bool,
    /// How often something in it was killed because there was no more memory.
    pub(super) oom_kills: u32,
    /// What it wrote and nobody fetched.
    pub(super) output: Vec<(Stream, Vec<u8>)>,
    pub(super) end: Option<End>,
    /// It is a shell at a terminal.
    pub(super) session: Option<Session>,
    /// Missing while it is on the processor.
    pub(super) process: Option<Process<JobProgram>>,
}

impl Proc {
    /// When it wants to be advanced.
    pub(super) fn wakeup(&self, now: SimTime) -> Option<SimTime> {
        if self.suspended || self.end.is_some() {
            return None;
        }
        match self.process.as_ref()?.state() {
            ProcessState::Running { wake, .. } => wake,
            ProcessState::Exited(_) => Some(now),
            ProcessState::Idle => None,
        }
    }
}

impl SlurmCluster {
    /// Starts a process on a node.
    pub(crate) fn start_process(
        &mut self,
        call: Call,
        role: Role,
        place: Place,
    ) -> Result<ProcId, ExecError> {
        self.start_process_at(call, role, place, self.now)
    }

    /// The same for one whose own clock begins at another instant.
    pub(super) fn start_process_at(
        &mut self,
        call: Call,
        role: Role,
        place: Place,
        began: SimTime,
    ) -> Result<ProcId, ExecError> {
        let id = self.next_proc;
        let mut call = call;
        let leader = role.job().map(|_| id).or(place.leader);
        let place = Place { leader, ..place };
        if call.pid == 0 {
            call.pid = 20_000 + id * 17;
        }
        let (process, session) = self.lend(id, &place, |host| {
            if place.terminal
                && let Some(session) = Session::of(&call.argv, host)?
            {
                return Ok((Process::session(call.env, &call.cwd), Some(session)));
            }
            host.now = began;
            let mut process = Process::spawn(call, host)?;
            if began != host.cluster.now {
                process.advance(host);
            }
            Ok((process, None))
        })?;
        self.next_proc += 1;
        self.changes += 1;
        let proc = Proc {
            role,
            place,
            suspended: false,
            oom_kills: 0,
            output: Vec::new(),
            end: None,
            session,
            process: Some(process),
        };
        self.procs.insert(id, proc);
        Ok(id)
    }

    /// Lends the cluster to a process, with the files as it sees them.
    fn lend<T>(&mut self, me: ProcId, place: &Place, work: impl FnOnce(&mut JobHost<'_>) -> T) -> T {
        let hostname = self.hostname_of(&place.node);
        let view = place.inside.as_ref().map(|view| self.enter(&place.node, view));
        let now = self.now;
        let (uid, node) = (place.uid, place.node.clone());
        let mut host = JobHost { cluster: self, now, me, uid, node, hostname, view, place };
        let answer = work(&mut host);
        let view: Option<Files> = host.view.take();
        if let (Some(view), Some(files)) = (&place.inside, view) {
            self.leave(&place.node, view, files);
        }
        answer
    }

    /// Lets every process get as far as it gets at this instant.
    pub(super) fn step_processes(&mut self) {
        let mut rounds = 0;
        loop {
            let before = self.changes;
            let ids: Vec<ProcId> = self.procs.keys().copied().collect();
            for id in ids {
                self.step_process(id);
            }
            rounds += 1;
            // Two that wake each other for ever go on at the next instant.
            if self.changes == before || rounds > 200 {
                return;
            }
        }
    }

    fn step_process(&mut self, id: ProcId) {
        self.with_process(id, |process, host| {
            process.advance(host);
        });
    }

    /// Lets a process work, and takes from it what it wrote and how it ended.
    fn with_process(&mut self, id: ProcId, work: impl FnOnce(&mut Process<JobProgram>, &mut JobHost<'_>)) {
        let Some(proc) = self.procs.get_mut(&id).filter(|proc| !proc.suspended && proc.end.is_none()) else {
            return;
        };
        let Some(mut process) = proc.process.take() else { return };
        let (place, mut session) = (proc.place.clone(), proc.session.take());
        let (output, over) = self.lend(id, &place, |host| {
            work(&mut process, host);
            match &mut session {
                Some(session) => session.converse(&mut process, host),
                None => (process.take_output(), None),
            }
        });
        let mut end = process.exit_code().or(over).map(|code| End { code, signal: process.killed_by() });
        self.changes += output.len() as u64 + u64::from(end.is_some());
        let Some(proc) = self.procs.get_mut(&id) else { return };
        proc.process = Some(process);
        proc.session = session;
        if end.is_some() && proc.oom_kills > 0 {
            end = Some(End { code: 128 + SIG_OOM, signal: Some(SIG_OOM) });
        }
        proc.end = end;
        let role = proc.role.clone();
        if let Role::Batch { stdout, stderr, .. } = &role {
            for (stream, bytes) in output {
                let path = if stream == Stream::Stdout { stdout } else { stderr };
                self.write_output(path, &bytes);
            }
        } else {
            proc.output.extend(output);
        }
        if let Some(end) = end {
            self.process_ended(id, &role, end);
        }
    }

    /// Appends to a file that a job writes to; what does not fit is lost, as on a full disk.
    pub(super) fn write_output(&mut self, path: &str, bytes: &[u8]) {
        if path != "/dev/null" {
            let _ = self.files.append(path, bytes, self.now);
        }
    }

    /// Sends a signal to a process and all that it started, or to its main task alone.
    pub(super) fn signal_process(&mut self, id: ProcId, signal: u8, all: bool) {
        let Some(signal) = Signal::from_number(signal) else { return };
        if let Some(proc) = self.procs.get_mut(&id) {
            proc.suspended = false;
            if let Some(session) = &mut proc.session {
                session.prompted = false;
            }
        }
        self.with_process(id, |process, host| {
            if all {
                process.signal_all(host, signal);
            } else {
                process.signal(host, signal);
            }
        });
    }

    /// Runs a command of a user on the login node: `srun`, `sbatch`, `enroot`, a utility, a shell script. At a `terminal`,
    /// shells that it starts prompt for lines.
    ///
    /// # Errors
    ///
    /// Why it cannot be executed.
    pub fn start_command(&mut self, call: Call, uid: u32, terminal: bool) -> Result<ProcId, ExecError> {
        let place = Place { uid, node: self.login.clone(), terminal, ..Place::default() };
        self.start_process(call, Role::Command, place)
    }

    /// What a command wrote since this was last asked.
    pub fn take_output(&mut self, id: ProcId) -> Vec<(Stream, Vec<u8>)> {
        self.procs.get_mut(&id).map(|proc| std::mem::take(&mut proc.output)).unwrap_or_default()
    }

    /// How a command ended; `None` while it runs.
    pub fn end_of(&self, id: ProcId) -> Option<End> {
        match self.procs.get(&id) {
            Some(proc) => proc.end,
            None => Some(End { code: 127, signal: None }),
        }
    }

    /// Sends a signal to a command (Ctrl-C is 2).
    pub fn signal_command(&mut self, id: ProcId, signal: u8) {
        self.signal_process(id, signal, true);
        self.settle();
    }

    /// Gives a command input.
    pub fn write_input(&mut self, id: ProcId, bytes: &[u8]) {
        let Some(proc) = self.procs.get_mut(&id) else { return };
        let Some(process) = proc.process.as_mut() else { return };
        match &mut proc.session {
            Some(session) if process.state() == ProcessState::Idle => session.typed.extend_from_slice(bytes),
            _ => process.write_stdin(bytes),
        }
        self.changes += 1;
    }

    /// No more input comes.
    pub fn close_input(&mut self, id: ProcId) {
        let Some(proc) = self.procs.get_mut(&id) else { return };
        if let Some(session) = &mut proc.session {
            session.closed = true;
        }
        if let Some(process) = proc.process.as_mut() {
            process.close_stdin();
        }
        self.changes += 1;
    }

    /// Forgets a process; one that runs is killed first.
    pub fn forget(&mut self, id: ProcId) {
        if self.end_of(id).is_none() {
            self.signal_process(id, 9, true);
        }
        self.procs.remove(&id);
    }
}
