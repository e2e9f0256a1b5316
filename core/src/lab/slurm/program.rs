//! Slurm's commands in the learner's terminal: processes of the cluster's login node, to which the terminal passes on
//! what is typed and printed.

use std::collections::VecDeque;

use super::LEARNER;
use crate::lab::terminal::TerminalHost;
use crate::process::{Call, ExecError, Io, Signal, Step, Stream};
use crate::slurm::cluster::{End, ProcId};

/// A command of Slurm, or any command that `sudo` runs as somebody else.
#[derive(Clone, Debug)]
pub(in crate::lab) struct SlurmCommand {
    call: Call,
    user: String,
    /// The process, once it was started.
    process: Option<ProcId>,
    /// What it wrote and was not passed on yet.
    printed: VecDeque<(Stream, Vec<u8>)>,
    /// How it ended.
    end: Option<End>,
}

impl SlurmCommand {
    /// Their names, and `sudo`, by which the learner administers the cluster.
    pub(in crate::lab) const NAMES: [&'static str; 18] = [
        "enroot", "sacct", "sacctmgr", "salloc", "sattach", "sbatch", "sbcast", "scancel", "scontrol",
        "sdiag", "sinfo", "sprio", "squeue", "sreport", "srun", "sshare", "strigger", "sudo",
    ];

    /// The command that `call` names, if it is one of Slurm's.
    pub(in crate::lab) fn start(call: &Call) -> Option<Self> {
        let (mut call, mut user) = (call.clone(), LEARNER.0.to_owned());
        if call.argv.first().is_some_and(|name| name == "sudo") {
            call.argv.remove(0);
            "root".clone_into(&mut user);
            if call.argv.first().is_some_and(|word| word == "-u") && call.argv.len() > 1 {
                call.argv.remove(0);
                user = call.argv.remove(0);
            }
            for name in ["USER", "LOGNAME"] {
                call.env.insert(name.to_owned(), user.clone());
            }
        } else if !Self::NAMES.contains(&call.argv.first()?.as_str()) {
            return None;
        }
        Some(Self { call, user, process: None, printed: VecDeque::new(), end: None })
    }

    pub(in crate::lab) fn step(&mut self, host: &mut TerminalHost<'_>, io: &mut Io<'_>) -> Step {
        let Some(slurm) = host.cluster.slurm.as_mut() else { return Step::Exit(127) };
        slurm.advance(host.now, host.files);
        let mut refuse = |why: String, code: u8| {
            io.stderr.extend_from_slice(why.as_bytes());
            Step::Exit(code)
        };
        if self.call.argv.is_empty() {
            return refuse("usage: sudo [-u user] command [arg ...]\n".to_owned(), 1);
        }
        let Some(uid) = slurm.cluster.controller.users.by_name(&self.user).map(|user| user.uid) else {
            return refuse(format!("sudo: unknown user {}\n", self.user), 1);
        };
        let id = match self.process {
            Some(id) => id,
            None => match slurm.start(&self.call, uid, true, host.files) {
                Ok(id) => *self.process.insert(id),
                Err(ExecError::NotFound(name)) => {
                    return refuse(format!("sudo: {name}: command not found\n"), 1);
                }
                Err(error) => return refuse(format!("{error}\n"), 126),
            },
        };
        let stdin = std::mem::take(io.stdin);
        if self.end.is_none() {
            let (output, end) = slurm.pass_on(id, &stdin, io.stdin_closed, host.files);
            self.printed.extend(output);
            self.end = end;
        }
        match self.end {
            _ if io.pour(&mut self.printed) => Step::Ready,
            Some(end) => Step::Exit(end.code),
            None => Step::Outside,
        }
    }

    /// Passes a signal on; the command ends of it, or goes on.
    pub(in crate::lab) fn signal(&mut self, host: &mut TerminalHost<'_>, signal: Signal) -> Option<u8> {
        let (Some(slurm), Some(id)) = (host.cluster.slurm.as_mut(), self.process) else {
            return Some(128 + signal.number());
        };
        slurm.signal(id, signal.number(), host.files);
        None
    }
}
