//! What a process sees of its machine.

use super::SlurmCluster;
use super::machines::Place;
use super::procs::ProcId;
use super::programs::Program;
use crate::process::container::ContainerHost;
use crate::process::files::Files;
use crate::process::{Call, Host, Io, Signal, Step};
use crate::sim::{Epoch, SimTime};
use crate::slurm::containers::View;

/// The world of a process, lent for a call.
pub(crate) struct JobHost<'a> {
    pub(crate) cluster: &'a mut SlurmCluster,
    pub(crate) now: SimTime,
    /// The process itself.
    pub(crate) me: ProcId,
    pub(crate) uid: u32,
    /// The node's name, and what `hostname` prints there.
    pub(crate) node: String,
    pub(crate) hostname: String,
    /// The files of its container.
    pub(crate) view: Option<Files>,
    pub(crate) place: &'a Place,
}

impl<'a> JobHost<'a> {
    /// The container that it runs in.
    pub(crate) fn inside(&self) -> Option<&'a View> {
        self.place.inside.as_ref()
    }

    /// The driver and the programs of the image, where the machine is known: a program of the machine itself sees its
    /// devices, one in a container those that the hook of Enroot brought in.
    pub(super) fn with_machine<R>(&mut self, work: impl FnOnce(&mut ContainerHost<'_>) -> R) -> Option<R> {
        let image = match &self.place.inside {
            None => self.cluster.machines.system()?,
            Some(view) => self.cluster.enroot.root(&self.node, &view.root_path)?.squash.image.clone()?,
        };
        let listed: Vec<usize>;
        let gpus = match &self.place.inside {
            None => &*self.place.gpus,
            Some(view) => {
                listed = view.devices.of(&self.place.gpus);
                &listed
            }
        };
        let (job, mut memory) = self.cluster.take_memory(self.place, &self.node);
        let before = memory.oom_kills();
        let files = match &mut self.view {
            Some(files) => files,
            None => &mut self.cluster.files,
        };
        let answer = self.cluster.machines.of_mut(&self.node).map(|node| {
            work(&mut ContainerHost {
                now: self.now,
                epoch: self.cluster.epoch,
                hostname: &self.hostname,
                node,
                gpus,
                files,
                image: &image,
                memory: &mut memory,
                bare: self.place.inside.is_none(),
            })
        });
        if memory.oom_kills() > before {
            self.cluster.note_oom(self.place);
        }
        self.cluster.return_memory(job, &self.node, memory);
        answer
    }
}

/// A program beyond the standard utilities.
pub(crate) type JobProgram = Box<Program>;

impl Host for JobHost<'_> {
    type Program = JobProgram;

    fn now(&self) -> SimTime {
        self.now
    }

    fn epoch(&self) -> Epoch {
        self.cluster.epoch
    }

    fn hostname(&self) -> &str {
        &self.hostname
    }

    fn files(&mut self) -> &mut Files {
        match &mut self.view {
            Some(files) => files,
            None => &mut self.cluster.files,
        }
    }

    fn start(&mut self, call: &Call) -> Option<JobProgram> {
        Program::start(self, call).map(Box::new)
    }

    fn has_utility(&self, name: &str) -> bool {
        self.inside().is_none_or(|view| view.rootfs.has(name))
    }

    fn step(&mut self, program: &mut JobProgram, io: &mut Io<'_>) -> Step {
        program.step(self, io)
    }

    fn signal(&mut self, program: &mut JobProgram, signal: Signal) -> Option<u8> {
        program.signal(self, signal)
    }

    fn program_names(&self) -> Vec<String> {
        if self.inside().is_some() {
            return vec!["id".into()];
        }
        super::programs::NAMES.iter().map(|name| (*name).to_owned()).collect()
    }
}
