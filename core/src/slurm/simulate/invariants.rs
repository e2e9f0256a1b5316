//! What must hold after every event.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::sim::SimTime;
use crate::slurm::controller::Controller;
use crate::slurm::model::{Bits, Job, JobBase, JobId};

/// An invariant that broke.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("seed {seed}, event {event}, at {at}: {what}")]
pub struct Violation {
    /// The seed; it breaks the invariant again.
    pub seed: u64,
    /// After which event.
    pub event: u64,
    /// When.
    pub at: SimTime,
    /// What is wrong.
    pub what: String,
}

/// Remembers what the next state may be compared with.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    states: BTreeMap<JobId, (JobBase, bool, u32)>,
    seen: BTreeSet<JobId>,
    closed: usize,
}

impl Watch {
    /// Checks everything that can be said of one state, and of the step to it.
    pub(super) fn check(&mut self, controller: &Controller) -> Result<(), String> {
        nothing_is_given_twice(controller)?;
        sums_are_right(controller)?;
        tables_agree(controller)?;
        self.steps_are_slurms(controller)?;
        self.accounting_matches(controller)
    }

    /// Checks what must hold when all is over: no job was lost.
    pub(super) fn at_end(&self, controller: &Controller) -> Result<(), String> {
        for id in &self.seen {
            let waits = controller
                .jobs
                .get(*id)
                .is_some_and(|job| !job.state.is_finished() || job.state.is_completing());
            let recorded = controller.history.iter().any(|job| job.id == *id);
            if !waits && !recorded {
                return Err(format!("job {id} is lost: it neither waits nor has a record"));
            }
        }
        Ok(())
    }

    /// States change only along the edges of Slurm's state machine.
    fn steps_are_slurms(&mut self, controller: &Controller) -> Result<(), String> {
        let mut now = BTreeMap::new();
        for job in controller.jobs.iter() {
            self.seen.insert(job.id);
            let state = (job.state.base, job.state.is_completing(), job.run);
            if let Some(before) = self.states.get(&job.id)
                && !may_follow(*before, state)
            {
                return Err(format!("job {}: {:?} was followed by {:?}", job.id, before, state));
            }
            now.insert(job.id, state);
        }
        self.states = now;
        Ok(())
    }

    /// Each record of accounting is of a run that took the time between its start and its end.
    fn accounting_matches(&mut self, controller: &Controller) -> Result<(), String> {
        for job in &controller.history[self.closed.min(controller.history.len())..] {
            if job.end < job.start || (job.start != 0 && job.start < job.submit) {
                return Err(format!(
                    "job {}: submitted {}, started {}, ended {}",
                    job.id, job.submit, job.start, job.end
                ));
            }
            let twice = controller
                .history
                .iter()
                .filter(|other| other.id == job.id && other.restarts == job.restarts)
                .count();
            if twice > 1 {
                return Err(format!("job {}: restart {} is recorded {twice} times", job.id, job.restarts));
            }
        }
        self.closed = controller.history.len();
        Ok(())
    }
}

fn may_follow(before: (JobBase, bool, u32), after: (JobBase, bool, u32)) -> bool {
    use JobBase::{Pending, Running, Suspended};
    let finished = |base: JobBase| !matches!(base, Pending | Running | Suspended);
    if after.2 < before.2 {
        return false;
    }
    if before == after {
        return true;
    }
    match (before.0, after.0) {
        // Started; ended without a start; several steps may lie between two looks.
        (Pending, _) => true,
        (Running | Suspended, Running | Suspended) => true,
        (Running | Suspended, Pending) => true,
        (Running | Suspended, base) => finished(base),
        // Back to the queue, or started again after it was.
        (base, Pending | Running) if finished(base) => before.1 || after.2 >= before.2,
        (base, Suspended) if finished(base) => after.2 > before.2,
        // Once finished the state is final; only the cleanup ends.
        (a, b) => a == b || after.2 > before.2,
    }
}

/// No core, device, byte or licence is given to two jobs, save cores that a partition or suspension lets them share.
fn nothing_is_given_twice(controller: &Controller) -> Result<(), String> {
    let mut cores: BTreeMap<(usize, u8), Bits> = BTreeMap::new();
    let mut devices: BTreeMap<(usize, u8), Bits> = BTreeMap::new();
    let mut memory: BTreeMap<usize, u64> = BTreeMap::new();
    for job in controller.jobs.active() {
        for share in held(job) {
            let node = &controller.nodes[share.node];
            let taken = cores.entry((share.node, share.row)).or_default();
            if taken.overlaps(&share.cores) {
                return Err(format!(
                    "job {}: cores {} of {} are given twice",
                    job.id, share.cores, node.name
                ));
            }
            taken.union(&share.cores);
            *memory.entry(share.node).or_default() += share.memory;
            for grant in &share.gres {
                let taken = devices.entry((share.node, grant.kind)).or_default();
                let shared = controller.names.is_shared(grant.kind);
                if !shared && taken.overlaps(&grant.devices) && share.row == 0 {
                    return Err(format!(
                        "job {}: devices {} of {} are given twice",
                        job.id, grant.devices, node.name
                    ));
                }
                taken.union(&grant.devices);
            }
        }
    }
    if controller.params.select.memory && !controller.params.gang {
        for (node, given) in memory {
            if given > controller.nodes[node].memory {
                return Err(format!(
                    "{}: {given} MiB of {} are given",
                    controller.nodes[node].name, controller.nodes[node].memory
                ));
            }
        }
    }
    for license in &controller.licenses {
        if license.used > license.total {
            return Err(format!("licence {}: {} of {} are given", license.name, license.used, license.total));
        }
    }
    Ok(())
}

/// What a job still holds: a node is given back when it is clean.
fn held(job: &Job) -> impl Iterator<Item = &crate::slurm::model::NodeShare> {
    let completing = job.state.is_completing();
    job.shares_of_nodes.iter().filter(move |share| !completing || job.completing_nodes.has(share.node))
}

/// The usage of every node is the sum of what its jobs hold.
fn sums_are_right(controller: &Controller) -> Result<(), String> {
    let mut running = vec![0_u32; controller.nodes.len()];
    let mut memory = vec![0_u64; controller.nodes.len()];
    for job in controller.jobs.active() {
        for share in held(job) {
            running[share.node] += 1;
            memory[share.node] += share.memory;
        }
    }
    for (at, usage) in controller.usage.iter().enumerate() {
        if usage.running != running[at] || usage.memory != memory[at] {
            return Err(format!(
                "{}: {} jobs with {} MiB are counted, {} with {} are there",
                controller.nodes[at].name, usage.running, usage.memory, running[at], memory[at]
            ));
        }
    }
    Ok(())
}

/// Every job is in the table that its state says.
fn tables_agree(controller: &Controller) -> Result<(), String> {
    for job in controller.jobs.pending() {
        if job.state.base != JobBase::Pending {
            return Err(format!("job {} is in the queue as {}", job.id, job.state.name()));
        }
    }
    for job in controller.jobs.active() {
        if job.state.base == JobBase::Pending || (job.state.is_finished() && !job.state.is_completing()) {
            return Err(format!("job {} has an allocation as {}", job.id, job.state.name()));
        }
    }
    let listed = controller.jobs.pending().count() + controller.jobs.active().count();
    let open =
        controller.jobs.iter().filter(|job| !job.state.is_finished() || job.state.is_completing()).count();
    if listed == open { Ok(()) } else { Err(format!("{open} jobs are open, {listed} are in a table")) }
}
