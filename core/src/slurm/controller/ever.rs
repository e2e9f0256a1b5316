//! Whether a job could run at all, if nobody else was there.
//!
//! It is asked at every submission, and at every pass of the first job that finds no room. Jobs that are alike get one
//! answer, which holds until nodes or partitions are changed.

use std::collections::BTreeMap;

use super::Controller;
use crate::slurm::model::{Bits, Job, JobId, Memory, PartIdx};
use crate::slurm::select::Machines;

/// What the answer depends on, of a job that names no nodes, features, generic resources, switches or reservation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alike {
    partition: PartIdx,
    nodes: [u32; 3],
    /// CPUs, tasks, CPUs per task, least and most CPUs on each node.
    cpus: (u32, u32, u32, u32, Option<u32>),
    tasks_per: [Option<u32>; 3],
    /// Threads per core, sockets per node, cores per socket.
    shape: (Option<u32>, u32, u32),
    /// Memory per CPU, or per node.
    memory: Option<(bool, u64)>,
    /// Whole nodes, for the user alone, next to each other, spread out.
    how: [bool; 4],
    rows: u8,
}

/// The answers so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Known(BTreeMap<Alike, bool>);

impl Controller {
    /// Forgets which jobs could ever run: nodes or partitions are others now.
    pub(super) fn forget_what_fits(&mut self) {
        self.fits.0.clear();
        self.usage.nodes_changed(&self.nodes);
        self.unused.nodes_changed(&self.nodes);
    }

    fn alike(&self, job: &Job, partition: PartIdx) -> Option<Alike> {
        let ask = self.ask(job, partition);
        let plain = ask.gres.is_empty()
            && ask.required.is_empty()
            && ask.switches == 0
            && job.excluded_nodes.is_empty()
            && job.reservation.is_none()
            && job.request.constraint.is_none();
        plain.then(|| Alike {
            partition,
            nodes: [ask.min_nodes, ask.want_nodes, ask.max_nodes],
            cpus: (ask.min_cpus, ask.ntasks, ask.cpus_per_task, ask.pn_min_cpus, ask.max_cpus_per_node),
            tasks_per: [ask.ntasks_per_node, ask.ntasks_per_socket, ask.ntasks_per_core],
            shape: (ask.threads_per_core, ask.sockets_per_node, ask.cores_per_socket),
            memory: ask.memory.map(|memory| match memory {
                Memory::PerCpu(each) => (true, each),
                Memory::PerNode(each) => (false, each),
            }),
            how: [ask.whole, ask.user_exclusive, ask.contiguous, ask.spread],
            rows: ask.rows,
        })
    }

    /// Whether the job could ever run in the partition: on its nodes when nobody else is there.
    pub(super) fn could_ever_run(&mut self, id: JobId, partition: PartIdx) -> bool {
        let Some(job) = self.jobs.get(id) else { return false };
        let alike = self.alike(job, partition);
        if let Some(known) = alike.as_ref().and_then(|alike| self.fits.0.get(alike)) {
            return *known;
        }
        let part = &self.partitions[partition];
        let mut nodes: Bits = part.nodes.clone();
        nodes.subtract(&job.excluded_nodes);
        let own = job.reservation.and_then(|id| self.reservations.iter().find(|other| other.id == id));
        if let Some(own) = own.filter(|own| own.is_active(self.time())) {
            nodes.intersect(&own.nodes);
        }
        let machines = Machines { usage: &self.unused, ..self.machines() };
        let fits = self.find_in(&machines, job, partition, &nodes).is_some();
        if let Some(alike) = alike {
            self.fits.0.insert(alike, fits);
        }
        fits
    }
}
