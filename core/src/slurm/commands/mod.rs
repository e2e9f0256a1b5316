//! The commands that users type: `sbatch`, `squeue`, `scontrol` and the others.
//!
//! Each is a function of the controller, of who runs it where ([`Session`]), and of its arguments; it returns what the
//! real command prints and its exit code. Commands that wait (`srun`, `salloc`, `sbatch --wait`) say what they wait
//! for.

mod accounting;
#[cfg(test)]
mod allocations;
mod format;
mod getopt;
pub(crate) mod job_options;
mod jobs;
mod multi_prog;
#[cfg(test)]
mod operations;
mod sacct;
mod sbatch;
mod scancel;
mod scontrol;
mod sdiag;
#[cfg(test)]
mod shown;
mod sinfo;
mod sprio;
mod squeue;
mod sreport;
pub(crate) mod srun;
mod sshare;
mod step_commands;
mod times;

use crate::slurm::controller::Controller;

pub(crate) use accounting::show_accounting;
pub use sacct::sacct;
pub(crate) use sbatch::reads_script_from_stdin;
pub use sbatch::{Submitted, sbatch};
pub use scancel::scancel;
pub use scontrol::scontrol;
pub(crate) use scontrol::tres_text;
pub use sdiag::sdiag;
pub use sinfo::sinfo;
pub use sprio::sprio;
pub use squeue::squeue;
pub use sreport::sreport;
pub use sshare::sshare;
pub use step_commands::{sattach, sbcast, strigger};

/// Runs a command that asks the controller and is done; `words` begin with its name.
pub fn run(controller: &mut Controller, session: &Session<'_>, words: &[String]) -> CommandOutput {
    let Some((name, args)) = words.split_first() else { return CommandOutput::default() };
    match name.as_str() {
        "scancel" => scancel(controller, session, args),
        "scontrol" => scontrol(controller, session, args),
        "sinfo" => sinfo(controller, session, args),
        "squeue" => squeue(controller, session, args),
        "sacct" => sacct(controller, session, args),
        "sprio" => sprio(controller, session, args),
        "sshare" => sshare(controller, session, args),
        "sdiag" => sdiag(controller, session, args),
        "sreport" => sreport(controller, session, args),
        "sattach" => sattach(controller, session, args),
        "sbcast" => sbcast(controller, session, args),
        "strigger" => strigger(args),
        "sacctmgr" => {
            let user = controller
                .users
                .by_uid(session.uid)
                .map_or_else(|| "nobody".into(), |user| user.name.clone());
            let output = super::accounting::sacctmgr::run(&mut controller.accounting, args, &user);
            controller.accounting_changed();
            output
        }
        other => CommandOutput::error(format!("{other}: not modelled\n")),
    }
}

/// What a command printed and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandOutput {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code.
    pub code: u8,
    /// A file that it writes.
    pub writes: Option<Writes>,
}

/// A file that a command writes; paths are as typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writes {
    /// This text, to a path.
    Text(String, String),
    /// What a file holds, to another.
    Copy(String, String),
}

impl CommandOutput {
    /// Output without an error.
    pub fn text(stdout: impl Into<String>) -> Self {
        Self { stdout: stdout.into(), ..Self::default() }
    }

    /// An error and exit code 1.
    pub fn error(stderr: impl Into<String>) -> Self {
        Self { stderr: stderr.into(), code: 1, ..Self::default() }
    }
}

/// What a command says that finds no controller: `what` is the call that failed. `None` when one answers.
pub(crate) fn no_contact(controller: &Controller, what: &str) -> Option<CommandOutput> {
    let error = crate::slurm::error::SlurmError::NoContact;
    (!controller.answers()).then(|| CommandOutput::error(format!("{what}: {error}\n")))
}

/// Who runs a command, and where.
pub struct Session<'a> {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Environment.
    pub env: &'a std::collections::BTreeMap<String, String>,
    /// Working directory.
    pub cwd: &'a str,
    /// The host's name.
    pub host: &'a str,
    /// The session id that displays show.
    pub sid: u32,
    /// Standard input.
    pub stdin: &'a str,
    /// The text of a file, if there is one that can be read.
    pub read_file: &'a dyn Fn(&str) -> Option<String>,
}

impl Session<'_> {
    /// An environment variable.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str)
    }
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("uid", &self.uid).field("cwd", &self.cwd).finish_non_exhaustive()
    }
}
