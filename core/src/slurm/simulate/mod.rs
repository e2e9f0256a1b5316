//! A simulator of faults: random workloads and random faults from a seed, invariants after every event.
//!
//! In the manner of deterministic simulation testing: the controller is a state machine in virtual time, so that a seed
//! that fails replays to the same event. Faults are lost and returning nodes, drains, reboots, a controller that is away or
//! restarted, new configurations, time limits, preemption, suspension, requeues, cancellations and changed partitions.

mod invariants;
mod workload;

pub use invariants::Violation;

use std::time::Duration;

use super::controller::{Controller, NodeChange, RebootRequest};
use super::model::{JobBase, JobId};
use super::runner::Runner;
use crate::sim::{Rng, Seed, SimTime};

/// How much happens in one simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Jobs that are submitted.
    pub jobs: u32,
    /// Faults that are injected.
    pub faults: u32,
    /// Virtual time within which both happen.
    pub span: Duration,
}

impl Default for Scale {
    fn default() -> Self {
        Self { jobs: 60, faults: 25, span: Duration::from_secs(1800) }
    }
}

/// What a simulation went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Survived {
    /// Events after which the invariants were checked.
    pub events: u64,
    /// Faults that were injected.
    pub faults: u64,
    /// Jobs that were taken in.
    pub jobs: u64,
    /// Runs of jobs that ended, requeued ones each time.
    pub runs: u64,
}

/// What happens from outside.
#[derive(Clone, Copy, Debug)]
enum Outside {
    Submit,
    NodeLost,
    NodeBack,
    Drain,
    Resume,
    Cancel,
    Requeue,
    Hold,
    Release,
    Suspend,
    ResumeJob,
    Restart,
    ControllerAway,
    ControllerBack,
    Reboot,
    Reconfigure,
    PartitionDown,
    PartitionUp,
}

/// Runs one simulation.
///
/// # Errors
///
/// The invariant that broke, at which event and instant; the same seed breaks it again.
///
/// ```
/// use clusterlab::slurm::simulate::{Scale, run};
/// let survived = run(7, Scale::default()).unwrap();
/// assert!(survived.events > 100);
/// ```
pub fn run(seed: u64, scale: Scale) -> Result<Survived, Violation> {
    let mut dice = Seed::new(seed).rng("slurm/simulate");
    let mut controller =
        Controller::new(workload::cluster(&mut dice), 1_767_225_600_000_000_000, SimTime::ZERO);
    let mut runner = Runner::default();
    let mut survived = Survived::default();
    let mut watch = invariants::Watch::default();
    let mut agenda: Vec<(SimTime, Outside)> = Vec::new();
    let span = scale.span.as_millis() as u64;
    for _ in 0..scale.jobs {
        agenda.push((SimTime::from_millis(below(&mut dice, span)), Outside::Submit));
    }
    for _ in 0..scale.faults {
        let at = below(&mut dice, span);
        let (fault, repair) = match below(&mut dice, 12) {
            0 | 1 => (Outside::NodeLost, Some(Outside::NodeBack)),
            2 => (Outside::Drain, Some(Outside::Resume)),
            3 => (Outside::Cancel, None),
            4 => (Outside::Requeue, None),
            5 => (Outside::Hold, Some(Outside::Release)),
            6 => (Outside::Suspend, Some(Outside::ResumeJob)),
            7 => (Outside::Restart, None),
            8 => (Outside::ControllerAway, Some(Outside::ControllerBack)),
            9 => (Outside::Reboot, None),
            10 => (Outside::Reconfigure, None),
            _ => (Outside::PartitionDown, Some(Outside::PartitionUp)),
        };
        agenda.push((SimTime::from_millis(at), fault));
        if let Some(repair) = repair {
            let later = at + 1000 + below(&mut dice, 300_000);
            agenda.push((SimTime::from_millis(later), repair));
        }
    }
    agenda.sort_by_key(|(at, _)| *at);
    let mut outside = agenda.into_iter().peekable();
    // All is over when nothing comes from outside any more and every job that can run has run.
    let horizon = SimTime::from_millis(span) + Duration::from_secs(4 * 3600);
    let mut now = SimTime::ZERO;
    loop {
        let next = [
            outside.peek().map(|(at, _)| *at),
            controller.next_wakeup(),
            // Nodes cannot tell anything while nobody listens.
            runner.next_wakeup().filter(|_| controller.answers()),
        ]
        .into_iter()
        .flatten()
        .min();
        let Some(at) = next.filter(|at| *at <= horizon) else { break };
        now = now.max(at);
        if outside.peek().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, what)) = outside.next() {
                controller.advance(now);
                apply(&mut controller, &mut runner, &mut dice, what, &mut survived);
            }
        } else {
            runner.step(&mut controller, now);
            controller.advance(now);
        }
        runner.step(&mut controller, now);
        survived.events += 1;
        watch.check(&controller).map_err(|what| Violation { seed, event: survived.events, at: now, what })?;
        if outside.peek().is_none()
            && controller.jobs.active().next().is_none()
            && controller.jobs.pending().next().is_none()
        {
            break;
        }
    }
    survived.runs = controller.history.len() as u64;
    watch.at_end(&controller).map_err(|what| Violation { seed, event: survived.events, at: now, what })?;
    Ok(survived)
}

fn below(dice: &mut Rng, n: u64) -> u64 {
    if n == 0 { 0 } else { dice.below(n) }
}

fn pick(dice: &mut Rng, ids: &[JobId]) -> Option<JobId> {
    if ids.is_empty() { None } else { ids.get(below(dice, ids.len() as u64) as usize).copied() }
}

fn apply(
    controller: &mut Controller,
    runner: &mut Runner,
    dice: &mut Rng,
    what: Outside,
    survived: &mut Survived,
) {
    let repairs = matches!(
        what,
        Outside::NodeBack
            | Outside::Resume
            | Outside::Release
            | Outside::ResumeJob
            | Outside::ControllerBack
            | Outside::PartitionUp
    );
    if !controller.answers() {
        // Commands find nobody; who repairs something starts the controller first.
        if !repairs {
            return;
        }
        controller.start_daemon(0);
    }
    let active: Vec<JobId> =
        controller.jobs.active().filter(|job| !job.state.is_finished()).map(|job| job.id).collect();
    let pending: Vec<JobId> = controller.jobs.pending().map(|job| job.id).collect();
    let node = below(dice, controller.nodes.len() as u64) as usize;
    let name = controller.nodes[node].name.clone();
    let part = below(dice, controller.partitions.len() as u64) as usize;
    if !repairs && !matches!(what, Outside::Submit) {
        survived.faults += 1;
    }
    // What is refused (a job that has ended meanwhile) changes nothing, which the invariants show.
    match what {
        Outside::Submit => {
            let (request, script) = workload::job(dice, controller);
            if let Ok(submission) = controller.submit(request) {
                runner.learn(submission.job, script);
                survived.jobs += 1;
            }
        }
        Outside::NodeLost => {
            let first: Vec<JobId> = controller
                .jobs
                .active()
                .filter(|job| job.nodes.min() == Some(node))
                .map(|job| job.id)
                .collect();
            runner.lose(first);
            controller.set_responding(node, false);
            let _ = controller.update_nodes(&[name], Some(NodeChange::Down), Some("lost"), 0);
        }
        Outside::NodeBack => {
            let lost: Vec<String> =
                controller.nodes.iter().filter(|node| !node.responds).map(|node| node.name.clone()).collect();
            for name in lost {
                if let Some(at) = controller.node(&name) {
                    controller.set_responding(at, true);
                }
                let _ = controller.update_nodes(&[name], Some(NodeChange::Resume), None, 0);
            }
        }
        Outside::Drain => {
            let _ = controller.update_nodes(&[name], Some(NodeChange::Drain), Some("fan"), 0);
        }
        Outside::Resume => {
            let names: Vec<String> =
                controller.nodes.iter().filter(|node| node.responds).map(|node| node.name.clone()).collect();
            let _ = controller.update_nodes(&names, Some(NodeChange::Resume), None, 0);
        }
        Outside::Cancel => {
            let among = if below(dice, 2) == 0 { &active } else { &pending };
            if let Some(id) = pick(dice, among) {
                let _ = controller.cancel(id, None, None, 0);
            }
        }
        Outside::Requeue => {
            if let Some(id) = pick(dice, &active) {
                let hold = below(dice, 4) == 0;
                let _ = controller.requeue(id, None, 0, hold);
            }
        }
        Outside::Hold => {
            if let Some(id) = pick(dice, &pending) {
                let _ = controller.hold(id, None, 0, false);
            }
        }
        Outside::Release => {
            let held: Vec<JobId> =
                controller.jobs.pending().filter(|job| job.priority == 0).map(|job| job.id).collect();
            for id in held {
                let _ = controller.release_hold(id, None, 0);
            }
        }
        Outside::Suspend => {
            if let Some(id) = pick(dice, &active) {
                let _ = controller.suspend_job(id, 0);
            }
        }
        Outside::ResumeJob => {
            let stopped: Vec<JobId> = controller
                .jobs
                .active()
                .filter(|job| job.state.base == JobBase::Suspended)
                .map(|job| job.id)
                .collect();
            for id in stopped {
                let _ = controller.resume_job(id, 0);
            }
        }
        Outside::Restart => controller.restart(),
        Outside::ControllerAway => controller.stop_daemon(0),
        Outside::ControllerBack => {}
        Outside::Reboot => {
            let request = RebootRequest { asap: below(dice, 2) == 0, ..RebootRequest::default() };
            let _ = controller.reboot_nodes(&[name], &request, 0);
        }
        Outside::Reconfigure => {
            let wait = (5 + below(dice, 60)).to_string();
            let config = controller.config.with_parameter("KillWait", &wait);
            let _ = controller.reconfigure(config, 0);
        }
        Outside::PartitionDown | Outside::PartitionUp => {
            let mut changed = controller.partitions[part].clone();
            changed.state = if matches!(what, Outside::PartitionDown) {
                super::model::PartitionState::Down
            } else {
                super::model::PartitionState::Up
            };
            if matches!(what, Outside::PartitionUp) {
                for at in 0..controller.partitions.len() {
                    let mut up = controller.partitions[at].clone();
                    up.state = super::model::PartitionState::Up;
                    controller.update_partition(at, up);
                }
            } else {
                controller.update_partition(part, changed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_invariant_breaks_whatever_fails() {
        // A few hundred natively; the interpreter of WebAssembly that runs the engine's tests is much slower.
        let seeds = if cfg!(target_family = "wasm") { 4 } else { 200 };
        for seed in 0..seeds {
            run(seed, Scale::default()).unwrap();
        }
    }

    #[test]
    fn a_seed_goes_through_the_same_events_each_time() {
        assert_eq!(run(3, Scale::default()), run(3, Scale::default()));
    }
}
