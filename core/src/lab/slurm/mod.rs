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

use std::collections::{BTreeMap, BTreeSet};

pub(super) use complete::complete;
pub(super) use program::SlurmCommand;
use spec::LEARNER;
pub use spec::{SlurmSpec, Submission};

use super::terminal::HOSTNAME;
use super::{Event, SpecError};
use crate::hardware;
use crate::process::files::Files;
use crate::process::images::Registry;
use crate::process::{Call, ExecError, Stream};
use crate::sim::{Epoch, SimTime};
use crate::slurm::cluster::{End, ProcId, SlurmCluster};
use crate::slurm::model::{JobId, JobState, Reason};

/// What a journal says of a job: its state, why, and which run of it.
type Said = (JobState, Reason, u32);

/// A Slurm cluster in a lab.
#[derive(Clone, Debug)]
pub(super) struct SlurmLab {
    pub(super) cluster: SlurmCluster,
    /// What other users do, the next first.
    coming: Vec<Submission>,
    /// Commands that run, the learner's and the others'.
    open: BTreeSet<ProcId>,
    /// Those of other users.
    others: BTreeSet<ProcId>,
    /// The last that the journal was told of each job.
    said: BTreeMap<JobId, Said>,
    /// There is no Kubernetes beside it.
    pub(super) alone: bool,
}

impl SlurmLab {
    /// Switches the cluster on, with its configuration in `/etc/slurm` of `files`.
    pub(super) fn new(
        spec: &SlurmSpec,
        epoch: Epoch,
        machines: &[hardware::Node],
        registry: &Registry,
        files: &mut Files,
    ) -> Result<Self, SpecError> {
        let texts = spec.texts(machines);
        let cluster = spec.cluster(&texts).map_err(SpecError::Slurm)?;
        let written = [
            ("/etc/slurm/slurm.conf", texts.slurm),
            ("/etc/slurm/gres.conf", texts.gres),
            ("/etc/slurm/cgroup.conf", texts.cgroup),
            ("/etc/slurm/topology.conf", texts.topology),
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
        let mut cluster = SlurmCluster::new(cluster, epoch, SimTime::ZERO);
        HOSTNAME.clone_into(&mut cluster.login);
        cluster.enroot.registry = registry.clone();
        // Machines of its own: what Kubernetes runs on the same is another run of the same hardware.
        cluster.set_machines(machines.to_vec());
        Ok(Self {
            cluster,
            coming,
            open: BTreeSet::new(),
            others: BTreeSet::new(),
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
            || !self.open.is_empty()
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
            let call = Call { argv: next.run, env, cwd: "/tmp".to_owned(), pid: 0 };
            // A command that is not there does nothing; the others' terminals are not shown.
            let _ = self.start(&call, uid, false, files).map(|id| self.others.insert(id));
        }
        self.with_files(files, |cluster| cluster.advance(now));
        let others = std::mem::take(&mut self.others);
        let (ended, others) = others.into_iter().partition(|id| self.cluster.end_of(*id).is_some());
        self.others = others;
        for id in BTreeSet::into_iter(ended) {
            self.cluster.forget(id);
            self.open.remove(&id);
        }
    }

    fn with_files<R>(&mut self, files: &mut Files, call: impl FnOnce(&mut SlurmCluster) -> R) -> R {
        std::mem::swap(&mut self.cluster.files, files);
        let answer = call(&mut self.cluster);
        std::mem::swap(&mut self.cluster.files, files);
        answer
    }

    /// Starts a command on the login node.
    fn start(
        &mut self,
        call: &Call,
        uid: u32,
        terminal: bool,
        files: &mut Files,
    ) -> Result<ProcId, ExecError> {
        let started = self.with_files(files, |cluster| {
            let id = cluster.start_command(call.clone(), uid, terminal);
            cluster.settle();
            id
        })?;
        self.open.insert(started);
        Ok(started)
    }

    /// Gives a command what was typed; answers what it wrote, and how it ended if it has.
    fn pass_on(
        &mut self,
        id: ProcId,
        stdin: &[u8],
        closed: bool,
        files: &mut Files,
    ) -> (Vec<(Stream, Vec<u8>)>, Option<End>) {
        let (output, end) = self.with_files(files, |cluster| {
            if !stdin.is_empty() {
                cluster.write_input(id, stdin);
            }
            if closed {
                cluster.close_input(id);
            }
            cluster.settle();
            (cluster.take_output(id), cluster.end_of(id))
        });
        if end.is_some() {
            self.cluster.forget(id);
            self.open.remove(&id);
        }
        (output, end)
    }

    /// Sends a command a signal.
    fn signal(&mut self, id: ProcId, signal: u8, files: &mut Files) {
        self.with_files(files, |cluster| cluster.signal_command(id, signal));
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
