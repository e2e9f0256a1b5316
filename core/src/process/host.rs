//! The border between a process and the world around it.

use std::collections::BTreeMap;
use std::fmt;

use crate::sim::{Epoch, SimTime};

/// What a program says after it ran for an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It did something and has more to do now.
    Ready,
    /// It sleeps until that instant.
    Until(SimTime),
    /// It waits for its standard input.
    Input,
    /// It waits for something in the world (`kubectl get -w`): step it again
    /// whenever the simulation has moved.
    Outside,
    /// It ended with that exit code.
    Exit(u8),
    /// The kernel ended it with a signal.
    Killed(Signal),
}

/// Signals that the simulation sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// 2, Ctrl-C.
    Int,
    /// 15, the polite request to end.
    Term,
    /// 9, which no program can refuse.
    Kill,
    /// Another one, by its number (`kill -USR1`, `scancel --signal`): it ends what does not handle it, as most signals do.
    Other(u8),
}

impl Signal {
    /// 13, to one who writes to what nobody reads.
    pub const PIPE: Self = Self::Other(13);

    /// Its number on Linux; a process that dies of it exits with 128 more.
    pub const fn number(self) -> u8 {
        match self {
            Self::Int => 2,
            Self::Kill => 9,
            Self::Term => 15,
            Self::Other(number) => number,
        }
    }

    /// The signal of that number; `None` for those that do nothing to a process that runs and has no handler: 0, CHLD,
    /// CONT, URG and WINCH. Stopping (STOP, TSTP, TTIN, TTOU) is not modelled and does nothing either.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 | 17..=23 | 28 => None,
            2 => Some(Self::Int),
            9 => Some(Self::Kill),
            15 => Some(Self::Term),
            other => Some(Self::Other(other)),
        }
    }
}

/// How a program was called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The program's name as it was typed, then its arguments.
    pub argv: Vec<String>,
    /// Exported variables.
    pub env: BTreeMap<String, String>,
    /// Absolute path of the working directory.
    pub cwd: String,
    /// The process id that `$$` and `ps` show.
    pub pid: u32,
}

/// The standard streams of a program during one step.
#[derive(Debug)]
pub struct Io<'a> {
    /// Bytes that have arrived and were not read yet; the program drains what it takes.
    pub stdin: &'a mut Vec<u8>,
    /// No more will arrive than what is in `stdin`.
    pub stdin_closed: bool,
    /// Standard output.
    pub stdout: &'a mut Vec<u8>,
    /// Standard error.
    pub stderr: &'a mut Vec<u8>,
}

#[cfg(feature = "slurm")]
impl Io<'_> {
    /// Passes on what others wrote, as far as it goes in one step without changing the order in which a terminal shows it:
    /// of a step, standard error comes first. Answers whether something is left for the next step.
    pub(crate) fn pour(&mut self, queue: &mut std::collections::VecDeque<(super::Stream, Vec<u8>)>) -> bool {
        use super::Stream;

        while let Some((_, bytes)) = queue.pop_front_if(|(stream, _)| *stream == Stream::Stderr) {
            self.stderr.extend_from_slice(&bytes);
        }
        while let Some((_, bytes)) = queue.pop_front_if(|(stream, _)| *stream == Stream::Stdout) {
            self.stdout.extend_from_slice(&bytes);
        }
        !queue.is_empty()
    }
}

/// The world around a process.
///
/// The shell and the standard utilities live in [`process`](super); everything
/// else that can be called (`nvidia-smi`, `kubectl`) is a
/// [`Program`](Host::Program) of the host.
pub trait Host {
    /// A running program of this host: plain data, so that a process can be cloned.
    type Program: Clone + fmt::Debug + 'static;

    /// The present instant.
    fn now(&self) -> SimTime;

    /// What the calendar shows at instant zero.
    fn epoch(&self) -> Epoch;

    /// What `hostname` prints.
    fn hostname(&self) -> &str;

    /// The files that the process sees.
    fn files(&mut self) -> &mut super::files::Files;

    /// Starts the program that `call.argv[0]` names, if this host has it.
    fn start(&mut self, call: &Call) -> Option<Self::Program>;

    /// Whether the standard utility of that name (`ls`, `grep`, `sh`) is there;
    /// an image without a shell says no.
    fn has_utility(&self, name: &str) -> bool;

    /// Runs `program` at the present instant, as far as it gets.
    fn step(&mut self, program: &mut Self::Program, io: &mut Io<'_>) -> Step;

    /// Delivers a signal. Answers the exit code if the program ends of it (the
    /// usual case), `None` if it goes on (it handles or ignores the signal).
    fn signal(&mut self, program: &mut Self::Program, signal: Signal) -> Option<u8>;

    /// The names of this host's programs, for `type`, `which` and completion.
    fn program_names(&self) -> Vec<String>;
}
