//! What a script of a job sees of its node.

use crate::process::files::Files;
use crate::process::{Call, Host, Io, Signal, Step};
use crate::sim::{Epoch, SimTime};

/// The world of a script, lent for a call.
pub(super) struct JobHost<'a> {
    pub(super) now: SimTime,
    pub(super) epoch: Epoch,
    pub(super) node: &'a str,
    pub(super) files: &'a mut Files,
}

/// A program beyond the standard utilities.
#[derive(Clone, Debug)]
pub(super) enum JobProgram {}

impl Host for JobHost<'_> {
    type Program = JobProgram;

    fn now(&self) -> SimTime {
        self.now
    }

    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn hostname(&self) -> &str {
        self.node
    }

    fn files(&mut self) -> &mut Files {
        self.files
    }

    fn start(&mut self, _call: &Call) -> Option<JobProgram> {
        None
    }

    fn has_utility(&self, _name: &str) -> bool {
        true
    }

    fn step(&mut self, program: &mut JobProgram, _io: &mut Io<'_>) -> Step {
        match *program {}
    }

    fn signal(&mut self, program: &mut JobProgram, _signal: Signal) -> Option<u8> {
        match *program {}
    }

    fn program_names(&self) -> Vec<String> {
        Vec::new()
    }
}
