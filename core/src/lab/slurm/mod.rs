//! Slurm in a lab: the cluster over the lab's machines, the learner's commands, and what is drawn of it.
//!
//! The nodes and the learner's terminal share one file system, as the login node and the nodes of a real cluster do: it
//! is the terminal's, lent to the cluster for each call.

pub mod compare;
mod complete;
mod of;
mod program;
mod spec;
pub mod view;
mod why;

use std::collections::BTreeMap;

pub(super) use complete::complete;
pub(super) use program::SlurmCommand;
use spec::LEARNER;
pub use spec::{SlurmSpec, Submission};

use super::{Event, SpecError};
use crate::hardware;
use crate::process::files::{self, Files};
use crate::sim::{Epoch, SimTime};
use crate::slurm::cluster::SlurmCluster;
use crate::slurm::commands::{self, CommandOutput, Session, Submitted};
use crate::slurm::model::{JobId, JobState, Reason};

/// What a journal says of a job: its state, why, and which run of it.
type Said = (JobState, Reason, u32);

/// A Slurm cluster in a lab.
#[derive(Clone, Debug)]
pub(super) struct SlurmLab {
    pub(super) cluster: SlurmCluster,
    /// What other users do, the next first.
    coming: Vec<Submission>,
    /// The last that the journal was told of each job.
    said: BTreeMap<JobId, Said>,
    /// There is no Kubernetes beside it.
    pub(super) alone: bool,
}

/// Who runs a command, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub(super) uid: u32,
    pub(super) env: &'a BTreeMap<String, String>,
    pub(super) cwd: &'a str,
    pub(super) host: &'a str,
    pub(super) stdin: &'a str,
}

impl SlurmLab {
    /// Switches the cluster on, with its configuration in `/etc/slurm` of `files`.
    pub(super) fn new(
        spec: &SlurmSpec,
        epoch: Epoch,
        machines: &[hardware::Node],
        files: &mut Files,
    ) -> Result<Self, SpecError> {
        let texts = spec.texts(machines);
        let cluster = spec.cluster(&texts).map_err(SpecError::Slurm)?;
        let written = [
            ("/etc/slurm/slurm.conf", texts.slurm_conf),
            ("/etc/slurm/gres.conf", texts.gres_conf),
            ("/etc/slurm/topology.conf", texts.topology_conf),
        ];
        for (path, text) in written.into_iter().filter(|(_, text)| !text.is_empty()) {
            files
                .put(path, text, SimTime::ZERO)
                .map_err(|error| SpecError::File { path: path.to_owned(), why: error.to_string() })?;
        }
        for directory in ["/tmp", "/dev", "/var/spool/slurmd"] {
            files
                .create_dir_all(directory, SimTime::ZERO)
                .map_err(|error| SpecError::File { path: directory.to_owned(), why: error.to_string() })?;
        }
        let mut coming = spec.submissions.clone();
        coming.sort_by_key(|submission| submission.at);
        Ok(Self {
            cluster: SlurmCluster::new(cluster, epoch, SimTime::ZERO),
            coming,
            said: BTreeMap::new(),
            alone: spec.alone,
        })
    }

    /// When something happens next; `None` if no job waits or runs and nobody is going to submit one. What the controller
    /// does then (it looks after nodes that answer, and lets usage decay) is made up for at the next call.
    pub(super) fn next_wakeup(&self) -> Option<SimTime> {
        let controller = &self.cluster.controller;
        let coming = self.coming.first().map(|submission| SimTime::from_secs(submission.at));
        let busy = controller.jobs.pending().next().is_some()
            || controller.jobs.active().next().is_some()
            || !controller.reservations.is_empty();
        let cluster = if busy { self.cluster.next_wakeup() } else { None };
        [coming, cluster].into_iter().flatten().min()
    }

    /// Lets time pass up to `now`.
    pub(super) fn advance(&mut self, now: SimTime, files: &mut Files) {
        while let Some(at) =
            self.coming.first().map(|next| SimTime::from_secs(next.at)).filter(|at| *at <= now)
        {
            self.with_files(files, |cluster| cluster.advance(at));
            let next = self.coming.remove(0);
            let env = BTreeMap::from([("USER".to_owned(), next.user.clone())]);
            let uid = self.cluster.controller.users.by_name(&next.user).map_or(0, |user| user.uid);
            let caller = Caller { uid, env: &env, cwd: "/tmp", host: "login", stdin: "" };
            if let Some((name, args)) = next.run.split_first() {
                self.command(name, args, caller, files);
            }
        }
        self.with_files(files, |cluster| cluster.advance(now));
    }

    fn with_files<R>(&mut self, files: &mut Files, call: impl FnOnce(&mut SlurmCluster) -> R) -> R {
        std::mem::swap(&mut self.cluster.files, files);
        let answer = call(&mut self.cluster);
        std::mem::swap(&mut self.cluster.files, files);
        answer
    }

    /// Runs one of Slurm's commands; `None` if it has none of that name. What it starts is started at once.
    pub(super) fn command(
        &mut self,
        name: &str,
        args: &[String],
        caller: Caller<'_>,
        files: &mut Files,
    ) -> Option<(CommandOutput, Option<Submitted>)> {
        let read = |path: &str| {
            let bytes = files.read(&files::resolve(caller.cwd, path)).ok()?;
            Some(String::from_utf8_lossy(bytes).into_owned())
        };
        let session = Session {
            uid: caller.uid,
            gid: caller.uid,
            env: caller.env,
            cwd: caller.cwd,
            host: caller.host,
            sid: 1,
            stdin: caller.stdin,
            read_file: &read,
        };
        let controller = &mut self.cluster.controller;
        let mut submitted = None;
        let output = match name {
            "sbatch" => {
                let (output, taken) = commands::sbatch(controller, &session, args);
                submitted = taken;
                output
            }
            "scancel" => commands::scancel(controller, &session, args),
            "scontrol" => commands::scontrol(controller, &session, args),
            "squeue" => commands::squeue(controller, &session, args),
            "sinfo" => commands::sinfo(controller, &session, args),
            "sacct" => commands::sacct(controller, &session, args),
            "sprio" => commands::sprio(controller, &session, args),
            "sshare" => commands::sshare(controller, &session, args),
            "sdiag" => commands::sdiag(controller, &session, args),
            "sreport" => commands::sreport(controller, &session, args),
            "sacctmgr" => {
                let user = controller.users.by_uid(caller.uid).map_or("nobody", |user| user.name.as_str());
                let user = user.to_owned();
                let output = crate::slurm::accounting::sacctmgr::run(&mut controller.accounting, args, &user);
                controller.accounting_changed();
                output
            }
            _ => return None,
        };
        self.with_files(files, SlurmCluster::settle);
        Some((output, submitted))
    }

    /// What changed of jobs since this was last asked, for the journal.
    pub(super) fn changes(&mut self) -> Vec<Event> {
        let controller = &self.cluster.controller;
        let mut changes = Vec::new();
        for job in controller.jobs.iter() {
            let now: Said = (job.state, job.reason, job.run);
            if self.said.insert(job.id, now) == Some(now) {
                continue;
            }
            let nodes = if job.is_pending() { String::new() } else { controller.names_of(&job.nodes) };
            changes.push(Event::Job {
                job: job.display_id(),
                name: job.request.name.clone(),
                state: job.state.name().to_owned(),
                reason: job.reason.to_string(),
                nodes,
            });
        }
        changes
    }
}
