//! Programs of a Slurm cluster's machines: the commands of Slurm, and `enroot`.
//!
//! Most ask the controller and are done. `srun`, `salloc` and `sbatch --wait` wait: they are stepped again whenever
//! something in the cluster has moved.

mod command;
mod df;
mod id;
mod report;
mod salloc;
mod srun;
mod wait;

use std::collections::VecDeque;

use super::host::JobHost;
use crate::process::programs::ContainerProgram;
use crate::process::{Call, Host as _, Io, Signal, Step, Stream};

/// Names of the programs.
pub(super) const NAMES: [&str; 20] = [
    "df", "enroot", "id", "sacct", "sacctmgr", "salloc", "sattach", "sbatch", "sbcast", "scancel",
    "scontrol", "sdiag", "sinfo", "sprio", "squeue", "sreport", "srun", "sshare", "strigger", "whoami",
];

/// A running program.
#[derive(Clone, Debug)]
pub(crate) enum Program {
    /// Asks, prints, and ends.
    Command(Call),
    /// `sbatch`, which may read its script from standard input and may wait for the job.
    Sbatch(wait::Sbatch),
    /// `srun`.
    Srun(srun::Srun),
    /// `salloc`.
    Salloc(salloc::Salloc),
    /// `enroot start` and `exec`: what runs in the container.
    Follow(Follow),
    /// `enroot` that fetches, packs or unpacks an image.
    Work(Box<crate::slurm::containers::Work>),
    /// `nvidia-smi`, and the programs of the image.
    Machine(ContainerProgram),
}

impl Program {
    /// The program that `call` names; inside of a container there is nothing of the host but who one is.
    pub(super) fn start(host: &mut JobHost<'_>, call: &Call) -> Option<Self> {
        let name = call.argv.first()?;
        let base = name.rsplit('/').next()?;
        let own = (!name.contains('/') || name.starts_with("/usr/bin/"))
            && NAMES.contains(&base)
            && (host.inside().is_none() || matches!(base, "df" | "id" | "whoami"));
        if !own {
            return host.with_machine(|machine| machine.start(call)).flatten().map(Self::Machine);
        }
        let call = call.clone();
        Some(match base {
            "srun" => Self::Srun(srun::Srun::new(call)),
            "salloc" => Self::Salloc(salloc::Salloc::new(call)),
            "sbatch" => Self::Sbatch(wait::Sbatch::new(call)),
            _ => Self::Command(call),
        })
    }

    /// Runs it as far as it gets.
    pub(super) fn step(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Step {
        match self {
            Self::Command(call) => match command::run(host, call) {
                command::Answer::Printed(output) => {
                    io.stdout.extend_from_slice(output.stdout.as_bytes());
                    io.stderr.extend_from_slice(output.stderr.as_bytes());
                    Step::Exit(output.code)
                }
                command::Answer::Follow(follow) => {
                    *self = Self::Follow(follow);
                    Step::Ready
                }
                command::Answer::Work(work) => {
                    *self = Self::Work(work);
                    Step::Ready
                }
            },
            Self::Sbatch(sbatch) => sbatch.step(host, io),
            Self::Srun(srun) => srun.step(host, io),
            Self::Salloc(salloc) => salloc.step(host, io),
            Self::Follow(follow) => follow.step(host, io),
            Self::Work(work) => work.step(host, io),
            Self::Machine(program) => {
                host.with_machine(|machine| machine.step(program, io)).unwrap_or(Step::Exit(127))
            }
        }
    }

    /// Delivers a signal; answers the exit code if it ends of it.
    pub(super) fn signal(&mut self, host: &mut JobHost<'_>, signal: Signal) -> Option<u8> {
        match self {
            Self::Srun(srun) => srun.signal(host, signal),
            Self::Salloc(salloc) => salloc.signal(host, signal),
            Self::Follow(follow) => follow.signal(host, signal),
            Self::Machine(program) => host
                .with_machine(|machine| machine.signal(program, signal))
                .unwrap_or(Some(128 + signal.number())),
            Self::Command(_) | Self::Sbatch(_) | Self::Work(_) => Some(128 + signal.number()),
        }
    }
}

/// A program that only passes on what a process of the cluster reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    pub(super) child: super::ProcId,
    /// It was told that no more input comes.
    closed: bool,
    /// What it wrote and was not passed on yet.
    printed: VecDeque<(Stream, Vec<u8>)>,
}

impl Follow {
    pub(super) const fn new(child: super::ProcId) -> Self {
        Self { child, closed: false, printed: VecDeque::new() }
    }

    /// Passes on; ends with the child's exit code when all that it wrote was passed on.
    pub(super) fn step(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Step {
        if !io.stdin.is_empty() {
            host.cluster.write_input(self.child, &std::mem::take(io.stdin));
        }
        if io.stdin_closed && !self.closed {
            self.closed = true;
            host.cluster.close_input(self.child);
        }
        self.printed.extend(host.cluster.take_output(self.child));
        if !self.printed.is_empty() {
            io.pour(&mut self.printed);
            return Step::Ready;
        }
        let Some(end) = host.cluster.end_of(self.child) else { return Step::Outside };
        host.cluster.forget(self.child);
        Step::Exit(end.code)
    }

    fn signal(&mut self, host: &mut JobHost<'_>, signal: Signal) -> Option<u8> {
        host.cluster.signal_process(self.child, signal.number(), true);
        (signal == Signal::Kill).then_some(137)
    }
}
