//! Why a job is where it is: everything that the controller knows about it, put together as data.

use super::of::{Reader, holds, queue};
use super::view::{AheadView, DependencyView, HolderView, JobWhy};
use crate::lab::Lab;
use crate::slurm::controller::Controller;
use crate::slurm::model::{DependencyState, Job};

impl JobWhy {
    /// Why the job that `squeue` shows as `id` (`7`, `7_3`, `7_[4-9]`) is where it is; `None` if there is none, or the
    /// lab has no Slurm.
    pub fn of(lab: &Lab, id: &str) -> Option<Self> {
        let controller = &lab.slurm()?.controller;
        let job = controller
            .jobs
            .iter()
            .find(|job| job.display_id() == id || job.id.to_string() == id)
            .or_else(|| controller.history.iter().rev().find(|job| job.display_id() == id))?;
        let reader = Reader::new(controller);
        let mut why = Self { job: reader.job(job), ..Self::default() };
        if !job.is_pending() {
            return Some(why);
        }
        let shares_partition = |other: &Job| other.partitions.iter().any(|at| job.partitions.contains(at));
        why.ahead = queue(controller)
            .into_iter()
            .take_while(|other| other.id != job.id)
            .filter(|other| shares_partition(other))
            .map(|other| AheadView {
                job_id: other.id,
                id: other.display_id(),
                name: other.request.name.clone(),
                user_name: other.user.clone(),
                priority: other.priority,
                expected_start: reader.at(other.start),
            })
            .collect();
        let Some(part) = controller.partitions.get(job.partition) else { return Some(why) };
        let nodes = reader.nodes();
        why.nodes = part.nodes.iter().filter_map(|at| nodes.get(at).cloned()).collect();
        let mut holders: Vec<&Job> = controller
            .jobs
            .active()
            .filter(|other| holds(other) && other.nodes.overlaps(&part.nodes))
            .collect();
        // Those without a limit last.
        holders.sort_by_key(|other| (other.end == 0, other.end, other.id));
        why.holders = holders
            .into_iter()
            .map(|other| HolderView {
                job_id: other.id,
                id: other.display_id(),
                name: other.request.name.clone(),
                user_name: other.user.clone(),
                nodes: controller.names_of(&other.nodes),
                end: reader.at(other.end),
            })
            .collect();
        why.dependencies = job.dependency.iter().map(|part| dependency(controller, part)).collect();
        why.reservations = controller
            .reservations
            .iter()
            .filter(|one| Some(one.id) != job.reservation && one.nodes.overlaps(&part.nodes))
            .map(|one| reader.reservation(one))
            .collect();
        if let Some((start, nodes)) = controller.first_start(job.id) {
            why.alone_start = reader.at(start);
            why.alone_nodes = controller.names_of(&nodes);
        }
        Some(why)
    }
}

fn dependency(controller: &Controller, part: &crate::slurm::model::Dependency) -> DependencyView {
    let target = part.target.map(|target| target.job);
    let record = target.and_then(|id| {
        controller.jobs.get(id).or_else(|| controller.history.iter().rev().find(|job| job.id == id))
    });
    DependencyView {
        kind: part.kind.name().to_owned(),
        job_id: target,
        job_state: record.map(|job| job.state.name().to_owned()).unwrap_or_default(),
        state: match part.state {
            DependencyState::Unfulfilled => "unfulfilled",
            DependencyState::Fulfilled => "fulfilled",
            DependencyState::Failed => "failed",
        }
        .to_owned(),
    }
}
