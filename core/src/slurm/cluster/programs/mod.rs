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

use super::host::JobHost;
use crate::process::{Call, Io, Signal, Step};

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
}

impl Program {
    /// The program that `call` names; inside of a container there is nothing of the host but who one is.
    pub(super) fn start(host: &mut JobHost<'_>, call: &Call) -> Option<Self> {
        let name = call.argv.first()?;
        let base = name.rsplit('/').next()?;
        if name.contains('/') && !name.starts_with("/usr/bin/") || !NAMES.contains(&base) {
            return None;
        }
        if host.inside.is_some() && !matches!(base, "df" | "id" | "whoami") {
            return None;
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
            },
            Self::Sbatch(sbatch) => sbatch.step(host, io),
            Self::Srun(srun) => srun.step(host, io),
            Self::Salloc(salloc) => salloc.step(host, io),
            Self::Follow(follow) => follow.step(host, io),
        }
    }

    /// Delivers a signal; answers the exit code if it ends of it.
    pub(super) fn signal(&mut self, host: &mut JobHost<'_>, signal: Signal) -> Option<u8> {
        match self {
            Self::Srun(srun) => srun.signal(host, signal),
            Self::Salloc(salloc) => salloc.signal(host, signal),
            Self::Follow(follow) => follow.signal(host, signal),
            Self::Command(_) | Self::Sbatch(_) => Some(128 + signal.number()),
        }
    }
}

/// A program that only passes on what a process of the cluster reads and writes.
#[derive(Clone, Debug)]
pub(crate) struct Follow {
    pub(super) child: super::ProcId,
}

impl Follow {
    /// Passes on; the child's exit code once it has ended.
    pub(super) fn pump(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Option<u8> {
        if !io.stdin.is_empty() {
            host.cluster.write_input(self.child, &std::mem::take(io.stdin));
        }
        if io.stdin_closed {
            host.cluster.close_input(self.child);
        }
        for (stream, bytes) in host.cluster.take_output(self.child) {
            match stream {
                crate::process::Stream::Stdout => io.stdout.extend_from_slice(&bytes),
                crate::process::Stream::Stderr => io.stderr.extend_from_slice(&bytes),
            }
        }
        let end = host.cluster.end_of(self.child)?;
        host.cluster.forget(self.child);
        Some(end.code)
    }

    fn step(&mut self, host: &mut JobHost<'_>, io: &mut Io<'_>) -> Step {
        self.pump(host, io).map_or(Step::Outside, Step::Exit)
    }

    fn signal(&mut self, host: &mut JobHost<'_>, signal: Signal) -> Option<u8> {
        host.cluster.signal_process(self.child, signal.number(), true);
        (signal == Signal::Kill).then_some(137)
    }
}
