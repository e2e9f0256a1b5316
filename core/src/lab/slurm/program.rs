//! Slurm's commands in the learner's terminal.

use super::{Caller, LEARNER};
use crate::lab::terminal::TerminalHost;
use crate::process::{Call, Host, Io, Step};
use crate::slurm::model::JobId;

/// One of Slurm's commands, called by somebody.
#[derive(Clone, Debug)]
pub(in crate::lab) struct SlurmCommand {
    /// The command and its arguments.
    argv: Vec<String>,
    user: String,
    call: Call,
    stdin: Vec<u8>,
    /// `sbatch --wait` goes on until this job has ended.
    waits: Option<JobId>,
}

impl SlurmCommand {
    /// Their names, and `sudo`, by which the learner administers the cluster.
    pub(in crate::lab) const NAMES: [&'static str; 12] = [
        "sacct", "sacctmgr", "sbatch", "scancel", "scontrol", "sdiag", "sinfo", "sprio", "squeue", "sreport",
        "sshare", "sudo",
    ];

    /// The command that `call` names, if it is one of Slurm's.
    pub(in crate::lab) fn start(call: &Call) -> Option<Self> {
        let (mut argv, mut user) = (call.argv.clone(), LEARNER.0.to_owned());
        if argv.first().is_some_and(|name| name == "sudo") {
            argv.remove(0);
            "root".clone_into(&mut user);
            if argv.first().is_some_and(|word| word == "-u") && argv.len() > 1 {
                argv.remove(0);
                user = argv.remove(0);
            }
        } else if !Self::NAMES.contains(&argv.first()?.as_str()) {
            return None;
        }
        Some(Self { argv, user, call: call.clone(), stdin: Vec::new(), waits: None })
    }

    pub(in crate::lab) fn step(&mut self, host: &mut TerminalHost<'_>, io: &mut Io<'_>) -> Step {
        let hostname = host.hostname().to_owned();
        let Some(slurm) = host.cluster.slurm.as_mut() else { return Step::Exit(127) };
        slurm.advance(host.now, host.files);
        let controller = &slurm.cluster.controller;
        if let Some(id) = self.waits {
            let job = controller.jobs.get(id);
            return match job.filter(|job| !job.state.is_finished()) {
                Some(_) => Step::Outside,
                // As sbatch(1) says of --wait: the exit code of the job, of an array the largest.
                None => Step::Exit(job.map_or(1, |job| if job.exit.1 > 0 { 1 } else { job.exit.0 })),
            };
        }
        let Some(uid) = controller.users.by_name(&self.user).map(|user| user.uid) else {
            io.stderr.extend_from_slice(format!("sudo: unknown user {}\n", self.user).as_bytes());
            return Step::Exit(1);
        };
        self.stdin.append(io.stdin);
        let stdin = String::from_utf8_lossy(&self.stdin).into_owned();
        let Some((name, args)) = self.argv.split_first() else {
            io.stderr.extend_from_slice(b"usage: sudo [-u user] command [arg ...]\n");
            return Step::Exit(1);
        };
        let caller = Caller { uid, env: &self.call.env, cwd: &self.call.cwd, host: &hostname, stdin: &stdin };
        let Some((output, submitted)) = slurm.command(name, args, caller, host.files) else {
            let why = format!(
                "sudo: not modelled: {name}; only Slurm's own commands can be run as somebody else\n"
            );
            io.stderr.extend_from_slice(why.as_bytes());
            return Step::Exit(1);
        };
        // Without the name of a script, sbatch reads it from standard input, to its end.
        if output.stderr.contains("Batch script is empty!") && !io.stdin_closed {
            return Step::Input;
        }
        io.stdout.extend_from_slice(output.stdout.as_bytes());
        io.stderr.extend_from_slice(output.stderr.as_bytes());
        self.waits = submitted.filter(|submitted| submitted.wait).map(|submitted| submitted.job);
        if self.waits.is_some() { Step::Outside } else { Step::Exit(output.code) }
    }
}
