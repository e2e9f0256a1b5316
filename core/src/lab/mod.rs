//! The facade: a whole lab from one spec, driven by lines typed at its terminal.
//!
//! A [`Lab`] is a simulated cluster, the learner's terminal beside it, and a clock
//! that only moves when it is told to. It is all plain data: [`Lab::save`] writes
//! the spec and what was typed when, and [`Lab::restore`] runs that again, to the
//! same digest. [`Lab::rewind`] goes back to any earlier moment, and forward
//! again as long as nothing new was typed.
//!
//! ```
//! use clusterlab::lab::{Lab, LabSpec};
//!
//! let spec = LabSpec::from_yaml("nodes: [{name: gpu-1, system: dgx-h100}]")?;
//! let mut lab = Lab::new(spec)?;
//! let nodes = lab.run("kubectl get nodes -o name");
//! assert_eq!(nodes.stdout, "node/gpu-1\n");
//! # Ok::<(), clusterlab::lab::SpecError>(())
//! ```

mod cluster;
mod complete;
mod event;
mod programs;
mod saved;
#[cfg(feature = "slurm")]
pub mod slurm;
mod spec;
mod terminal;
pub mod view;

use std::sync::Arc;
use std::time::Duration;

use self::cluster::Cluster;
pub use self::complete::Completion;
pub use self::event::{Change, Event, Input};
pub use self::saved::{RestoreError, SavedLab};
pub use self::spec::{LabSpec, NodeSpec, SpecError};
use self::terminal::Terminal;
pub use self::terminal::{HOME, OutputChunk, OutputStream, Prompt};
use crate::hardware;
use crate::kube::api::ApiServer;
use crate::kube::kubelet::Kubelets;
use crate::kube::scheduler::Attempt;
use crate::process::files::Files;
use crate::sim::{Digest, Entry, Journal, SimTime};

/// How long [`Lab::run`] lets a command run before it interrupts it.
pub const RUN_LIMIT: Duration = Duration::from_secs(3600);
/// Checkpoints that are kept for [`Lab::rewind`]; beyond it every second one goes.
const MAX_CHECKPOINTS: usize = 64;
/// Journal entries between two checkpoints.
const CHECKPOINT_ENTRIES: usize = 200;

/// What a command printed and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// What went to standard output.
    pub stdout: String,
    /// What went to standard error.
    pub stderr: String,
    /// 0 if it succeeded; 130 if it was interrupted.
    pub exit_code: u8,
    /// Both in the order in which they were written.
    pub chunks: Vec<OutputChunk>,
}

impl Output {
    /// What a command printed that ended with `exit_code`.
    pub fn new(exit_code: u8, chunks: Vec<OutputChunk>) -> Self {
        let of = |stream: OutputStream| {
            chunks.iter().filter(|chunk| chunk.stream == stream).map(|chunk| chunk.text.as_str()).collect()
        };
        Self { stdout: of(OutputStream::Stdout), stderr: of(OutputStream::Stderr), exit_code, chunks }
    }

    /// What a terminal shows of it.
    pub fn shown(&self) -> String {
        self.chunks.iter().map(|chunk| chunk.text.as_str()).collect()
    }
}

/// A simulated cluster with a terminal and a clock.
#[derive(Clone, Debug)]
pub struct Lab {
    spec: Arc<LabSpec>,
    state: State,
    /// Everything that came from outside, with its time; those after `applied`
    /// lie in the future of a lab that was rewound.
    inputs: Vec<Entry<Input>>,
    applied: usize,
    checkpoints: Vec<Checkpoint>,
}

/// What moves.
#[derive(Clone, Debug)]
struct State {
    now: SimTime,
    cluster: Cluster,
    terminal: Terminal,
    journal: Journal<Event>,
    /// The API server's changes up to here stand in the journal.
    journalled: u64,
    last_exit: u8,
}

#[derive(Clone, Debug)]
struct Checkpoint {
    applied: usize,
    state: State,
}

impl Lab {
    /// Switches a lab on.
    ///
    /// # Errors
    ///
    /// [`SpecError`] if the spec makes no cluster.
    pub fn new(spec: LabSpec) -> Result<Self, SpecError> {
        let mut terminal = Terminal::new(&spec)?;
        let cluster = Cluster::new(&spec, &mut terminal.files)?;
        let mut state = State {
            now: SimTime::ZERO,
            cluster,
            terminal,
            journal: Journal::new(),
            journalled: 0,
            last_exit: 0,
        };
        state.settle(&spec);
        let checkpoints = vec![Checkpoint { applied: 0, state: state.clone() }];
        Ok(Self { spec: Arc::new(spec), state, inputs: Vec::new(), applied: 0, checkpoints })
    }

    /// The spec that it was made from.
    pub fn spec(&self) -> &LabSpec {
        &self.spec
    }

    /// The present instant.
    pub const fn now(&self) -> SimTime {
        self.state.now
    }

    /// When something happens next by itself; `None` if the cluster is at rest.
    pub fn next_event(&self) -> Option<SimTime> {
        let replayed = self.inputs.get(self.applied).map(|entry| entry.at);
        [self.state.next_wakeup(), replayed].into_iter().flatten().min()
    }

    /// Lets `span` of virtual time pass.
    pub fn advance(&mut self, span: Duration) {
        self.advance_to(self.state.now + span);
    }

    /// Lets virtual time pass until `at`; nothing happens if that is past.
    pub fn advance_to(&mut self, at: SimTime) {
        while let Some(next) = self.next_event().filter(|next| *next <= at) {
            self.step_to(next.max(self.state.now));
        }
        self.state.now = self.state.now.max(at);
    }

    /// Goes to `at`, where something is due, and lets it happen.
    fn step_to(&mut self, at: SimTime) {
        if at > self.state.now {
            self.checkpoint();
        }
        self.state.now = at;
        if self.state.next_wakeup().is_some_and(|due| due <= at) {
            self.state.settle(&self.spec);
        }
        while let Some(entry) = self.inputs.get(self.applied).filter(|entry| entry.at <= at) {
            self.state.apply(&self.spec, &entry.event);
            self.applied += 1;
        }
    }

    /// Lets virtual time pass until `done` says so, at most `limit`; whether it did.
    /// `done` is asked at every instant at which something happens.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let end = self.state.now + limit;
        loop {
            if done(self) {
                return true;
            }
            match self.next_event().filter(|next| *next <= end) {
                Some(next) => self.step_to(next.max(self.state.now)),
                None => {
                    self.state.now = self.state.now.max(end);
                    return done(self);
                }
            }
        }
    }

    /// Runs one command line (or several lines) to its end, letting virtual time
    /// pass as it needs. A command that does not end by itself is interrupted: one
    /// that waits for what will not happen at once, any other after [`RUN_LIMIT`].
    pub fn run(&mut self, line: &str) -> Output {
        self.state.terminal.take_output();
        for line in line.split('\n') {
            self.type_line(line);
        }
        if self.state.terminal.wants_more() {
            self.interrupt();
        }
        let end = self.state.now + RUN_LIMIT;
        while self.state.terminal.is_busy() {
            match self.next_event().filter(|next| *next <= end) {
                Some(next) => self.step_to(next.max(self.state.now)),
                None => self.interrupt(),
            }
        }
        Output::new(self.state.last_exit, self.take_output())
    }

    /// Types a line into the terminal. It begins at once; what it prints and when
    /// it ends show as time passes. While a command runs, the line is its input.
    pub fn type_line(&mut self, line: &str) {
        self.input(Input::Line(line.to_owned()));
    }

    /// Ctrl-C.
    pub fn interrupt(&mut self) {
        self.input(Input::Interrupt);
    }

    /// Ctrl-D: the running command's input ends.
    pub fn end_of_file(&mut self) {
        self.input(Input::EndOfFile);
    }

    /// Writes one of the learner's files, as an editor does. Relative paths start
    /// at the learner's [`HOME`].
    pub fn write_file(&mut self, path: &str, text: &str) {
        self.input(Input::WriteFile { path: path.to_owned(), text: text.to_owned() });
    }

    /// Applies an input now. What lay in the future of a rewound lab is forgotten.
    pub fn input(&mut self, input: Input) {
        self.inputs.truncate(self.applied);
        self.checkpoint();
        self.state.apply(&self.spec, &input);
        self.inputs.push(Entry { at: self.state.now, event: input });
        self.applied += 1;
    }

    /// What the terminal printed since this was last asked.
    pub fn take_output(&mut self) -> Vec<OutputChunk> {
        self.state.terminal.take_output()
    }

    /// What the terminal waits for.
    pub fn prompt(&self) -> Prompt {
        self.state.terminal.prompt()
    }

    /// The exit code of the last command that ended.
    pub const fn last_exit_code(&self) -> u8 {
        self.state.last_exit
    }

    /// The lines typed so far, oldest first.
    pub fn history(&self) -> &[String] {
        &self.state.terminal.history
    }

    /// The learner's files.
    pub fn files(&self) -> &Files {
        &self.state.terminal.files
    }

    /// One of the learner's files as text; `None` if it is not there.
    pub fn read_file(&self, path: &str) -> Option<String> {
        let bytes = self.state.terminal.files.read(&terminal::absolute(path)).ok()?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    /// The API server.
    pub const fn api(&self) -> &ApiServer {
        &self.state.cluster.api
    }

    /// The kubelets: logs, and who holds which GPU.
    pub const fn kubelets(&self) -> &Kubelets {
        &self.state.cluster.kubelets
    }

    /// The machines, in the order of the spec: where Kubernetes and Slurm run the same, those of Kubernetes.
    pub fn machines(&self) -> &[hardware::Node] {
        #[cfg(feature = "slurm")]
        if let Some(slurm) = self.state.cluster.slurm.as_ref().filter(|slurm| slurm.alone) {
            return slurm.cluster.machines();
        }
        &self.state.cluster.machines
    }

    /// Why a pod is where it is, or why it is nowhere: every attempt of the
    /// scheduler with each node's verdict and scores, oldest first.
    pub fn why(&self, namespace: &str, pod: &str) -> &[Arc<Attempt>] {
        self.state.cluster.scheduler.attempts(namespace, pod)
    }

    /// The Slurm cluster, if the lab has one. Its files are with the terminal: see [`Lab::files`].
    #[cfg(feature = "slurm")]
    pub fn slurm(&self) -> Option<&crate::slurm::cluster::SlurmCluster> {
        self.state.cluster.slurm.as_ref().map(|slurm| &slurm.cluster)
    }

    /// Why the job that `squeue` shows as `id` (`7`, `7_3`) runs, ended or waits: its priority factor by factor, what
    /// blocks it, who is before it, and when it is expected to start.
    #[cfg(feature = "slurm")]
    pub fn why_job(&self, id: &str) -> Option<slurm::view::JobWhy> {
        slurm::view::JobWhy::of(self, id)
    }

    /// What has happened so far.
    pub const fn journal(&self) -> &Journal<Event> {
        &self.state.journal
    }

    /// The digest of the journal: equal for two runs that went the same way.
    pub fn digest(&self) -> Digest {
        self.state.journal.digest()
    }

    /// Everything that was typed or written so far, with its time.
    pub fn inputs(&self) -> &[Entry<Input>] {
        &self.inputs[..self.applied]
    }

    /// Goes to an earlier moment. The future stays known until something new is
    /// typed: [`Lab::advance_to`] goes through it again. A moment that has not come
    /// yet is waited for.
    pub fn rewind(&mut self, to: SimTime) {
        if to >= self.state.now {
            return self.advance_to(to);
        }
        // The first checkpoint is of instant zero, so that there always is one.
        while self.checkpoints.len() > 1 && self.checkpoints.last().is_some_and(|c| c.state.now > to) {
            self.checkpoints.pop();
        }
        if let Some(checkpoint) = self.checkpoints.last() {
            self.state = checkpoint.state.clone();
            self.applied = checkpoint.applied;
        }
        // What was printed before is on the learner's screen already.
        self.advance_to(to);
        self.state.terminal.take_output();
    }

    /// Makes the moment that a lab was rewound to its present: what was typed after it is
    /// forgotten, and time that passes brings a new future.
    pub fn forget_future(&mut self) {
        self.inputs.truncate(self.applied);
    }

    /// Takes back the last input, and goes back to the moment just before it;
    /// whether there was one.
    pub fn undo(&mut self) -> bool {
        let Some(last) = self.applied.checked_sub(1) else { return false };
        let at = self.inputs[last].at;
        let kept: Vec<_> = self.inputs[..last].to_vec();
        self.inputs.truncate(last);
        while self.checkpoints.len() > 1 && self.checkpoints.last().is_some_and(|c| c.applied > last) {
            self.checkpoints.pop();
        }
        if let Some(checkpoint) = self.checkpoints.last() {
            self.state = checkpoint.state.clone();
            self.applied = checkpoint.applied.min(kept.len());
        }
        self.advance_to(at);
        self.state.terminal.take_output();
        true
    }

    fn checkpoint(&mut self) {
        let Some(last) = self.checkpoints.last() else { return };
        if self.state.journal.len() < last.state.journal.len() + CHECKPOINT_ENTRIES {
            return;
        }
        self.checkpoints.push(Checkpoint { applied: self.applied, state: self.state.clone() });
        if self.checkpoints.len() > MAX_CHECKPOINTS {
            let mut index = 0;
            self.checkpoints.retain(|_| {
                index += 1;
                index % 2 == 1
            });
        }
    }
}

impl State {
    fn next_wakeup(&self) -> Option<SimTime> {
        [self.cluster.next_wakeup(), self.terminal.next_wakeup()].into_iter().flatten().min()
    }

    fn apply(&mut self, spec: &LabSpec, input: &Input) {
        let (now, epoch) = (self.now, spec.epoch());
        self.journal.append(now, Event::Input(input.clone()));
        let mark = self.terminal.mark();
        match input {
            Input::Line(line) => self.terminal.feed(now, epoch, &mut self.cluster, line),
            Input::Interrupt => self.terminal.interrupt(now, epoch, &mut self.cluster),
            Input::EndOfFile => self.terminal.end_of_file(),
            Input::WriteFile { path, text } => self.terminal.write_file(now, path, text),
        }
        self.note_printed(mark);
        self.settle(spec);
    }

    /// Lets cluster and terminal act at the present instant until both rest.
    fn settle(&mut self, spec: &LabSpec) {
        loop {
            self.cluster.settle(self.now, &mut self.terminal.files);
            self.note_objects();
            let before = self.cluster.api.resource_version();
            let mark = self.terminal.mark();
            let ended = self.terminal.advance(self.now, spec.epoch(), &mut self.cluster);
            self.note_objects();
            self.note_printed(mark);
            if let Some(code) = ended {
                self.last_exit = code;
                self.journal.append(self.now, Event::CommandEnded { code });
            }
            let due = self.next_wakeup().is_some_and(|at| at <= self.now);
            if self.cluster.api.resource_version() == before && ended.is_none() && !due {
                return;
            }
        }
    }

    fn note_objects(&mut self) {
        for event in self.cluster.api.events_since(self.journalled) {
            self.journal.append(self.now, Event::from(event));
        }
        self.journalled = self.cluster.api.resource_version();
        #[cfg(feature = "slurm")]
        for change in self.cluster.slurm.iter_mut().flat_map(slurm::SlurmLab::changes) {
            self.journal.append(self.now, change);
        }
    }

    fn note_printed(&mut self, mark: usize) {
        let text = self.terminal.printed_since(mark);
        if !text.is_empty() {
            self.journal.append(self.now, Event::Printed { text });
        }
    }
}
