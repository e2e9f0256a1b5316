//! What an invocation sees of the world while it is stepped.

use super::config::KubeConfig;
use super::print::Now;
use crate::kube::api::{ApiServer, Status};
use crate::process::files::Files;
use crate::sim::{Epoch, SimTime};

/// The world, lent for one step.
pub struct Context<'a> {
    /// The cluster.
    pub api: &'a mut ApiServer,
    /// The learner's files.
    pub files: &'a mut Files,
    /// Absolute path of the working directory.
    pub cwd: &'a str,
    /// The contexts and the current namespace.
    pub config: &'a mut KubeConfig,
    /// The present instant.
    pub now: SimTime,
    /// What the calendar shows at instant zero.
    pub epoch: Epoch,
    /// Where containers' output is.
    pub logs: &'a dyn LogSource,
}

impl Context<'_> {
    /// The present, as printers see it.
    pub fn clock(&self) -> Now {
        Now::new(self.epoch, self.now)
    }
}

/// One line of a container's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// When its last byte was written.
    pub at: SimTime,
    /// Its text, with the newline unless the container has not ended the line yet.
    pub text: &'a str,
}

/// What there is of a container's log.
#[derive(Clone, Debug, Default)]
pub struct LogSlice<'a> {
    /// The number of the first of [`entries`](Self::entries): older lines were dropped or not asked for.
    pub first: usize,
    /// The lines, oldest first.
    pub entries: Vec<LogEntry<'a>>,
    /// The container has ended: nothing will be added.
    pub ended: bool,
}

/// Reads the logs of containers, as the API server does from a node's kubelet.
pub trait LogSource {
    /// The log of a container from line number `from` on, of the instance before the present one if `previous`.
    ///
    /// # Errors
    ///
    /// `BadRequest`: `container "x" in pod "y" is waiting to start: ContainerCreating`,
    /// `previous terminated container "x" in pod "y" not found`, …
    fn read(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        from: usize,
    ) -> Result<LogSlice<'_>, Status>;
}

/// A world without kubelets: no container has written anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLogs;

impl LogSource for NoLogs {
    fn read(&self, _: &str, _: &str, _: &str, _: bool, _: usize) -> Result<LogSlice<'_>, Status> {
        Ok(LogSlice { ended: true, ..LogSlice::default() })
    }
}
