//! A log of a real machine through the whole engine: controller, main loop, backfill, selection of cores.
//!
//! The machine has nodes of 16 processors (and a smaller one for the rest); a job asks for tasks, which may be spread
//! over nodes as cores are free, so that processors count as in the log. Priorities are those of `priority/basic`:
//! first come, first served. Limits are the log's estimates, in whole minutes as Slurm has them.

use std::time::Duration;

use super::controller::{ClusterSpec, Controller, Users};
use super::model::{JobId, JobRequest, Memory};
use super::runner::{Runner, Script};
use super::textbook::Workload;
use crate::sim::SimTime;

/// Processors of a node.
const PER_NODE: u32 = 16;

/// How a log is scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `SchedulerParameters`.
    pub parameters: String,
}

impl Default for Settings {
    /// Slurm's own parameters.
    fn default() -> Self {
        Self { parameters: String::new() }
    }
}

fn cluster(processors: u32, settings: &Settings) -> ClusterSpec {
    let full = processors / PER_NODE;
    let rest = processors % PER_NODE;
    let mut lines = vec![
        "ClusterName=log".to_owned(),
        "SelectType=select/cons_tres".to_owned(),
        "SelectTypeParameters=CR_Core".to_owned(),
        "SchedulerType=sched/backfill".to_owned(),
        "PriorityType=priority/basic".to_owned(),
        "MaxJobCount=1000000".to_owned(),
        "SlurmdTimeout=0".to_owned(),
    ];
    if !settings.parameters.is_empty() {
        lines.push(format!("SchedulerParameters={}", settings.parameters));
    }
    if full > 0 {
        lines.push(format!("NodeName=n[1-{full}] CPUs={PER_NODE} RealMemory=1"));
    }
    if rest > 0 {
        lines.push(format!("NodeName=rest CPUs={rest} RealMemory=1"));
    }
    lines.push("PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE".to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    ClusterSpec::from_lines(&lines, &[], &[], Users::named(&["user"]))
        // The lines are made above; only numbers differ.
        .unwrap_or_else(|error| unreachable!("the configuration of a log's machine: {error}"))
}

/// When each job starts, in seconds from the first submission, by rank. Jobs that were refused start at −1.
pub fn replay(workload: &Workload, settings: &Settings) -> Vec<i64> {
    let epoch: i64 = 1_000_000_000;
    let mut controller =
        Controller::new(cluster(workload.processors, settings), epoch * 1_000_000_000, SimTime::ZERO);
    let mut runner = Runner::default();
    let mut starts = vec![-1; workload.jobs.len()];
    // A second after the controller: its threads stand.
    let zero = 1;
    let mut rank_of: Vec<(JobId, usize)> = Vec::with_capacity(workload.jobs.len());
    let mut next = 0;
    loop {
        let arrival = workload.jobs.get(next).map(|job| SimTime::from_secs((job.submit + zero) as u64));
        if arrival.is_none()
            && controller.jobs.pending().next().is_none()
            && controller.jobs.active().next().is_none()
        {
            break;
        }
        let Some(at) = [arrival, controller.next_wakeup(), runner.next_wakeup()].into_iter().flatten().min()
        else {
            break;
        };
        runner.step(&mut controller, at);
        controller.advance(at);
        while let Some(job) =
            workload.jobs.get(next).filter(|job| SimTime::from_secs((job.submit + zero) as u64) <= at)
        {
            let request = JobRequest {
                name: "job".into(),
                uid: 1001,
                gid: 1001,
                batch: true,
                ntasks: Some(job.processors),
                memory: Some(Memory::PerNode(0)),
                time_limit: Some(Some(u32::try_from((job.estimate + 59) / 60).unwrap_or(u32::MAX))),
                requeue: Some(false),
                ..JobRequest::default()
            };
            if let Ok(submission) = controller.submit(request) {
                let length = Duration::from_secs(u64::try_from(job.run).unwrap_or(1));
                runner.learn(submission.job, Script { length, code: 0, stubborn: false });
                rank_of.push((submission.job, next));
            }
            next += 1;
        }
        for action in controller.peek_actions() {
            if let super::controller::Action::Launch { job, .. } = action
                && let Ok(found) = rank_of.binary_search_by_key(job, |(id, _)| *id)
            {
                starts[rank_of[found].1] =
                    controller.jobs.get(*job).map_or(-1, |job| job.start - epoch - zero);
            }
        }
        runner.step(&mut controller, at);
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slurm::swf::Log;

    #[test]
    fn a_short_job_passes_a_wide_one_that_waits() {
        // number submit wait run procs … procs asked, time asked
        let log = Log::read(
            b"; MaxProcs: 32\n1 0 -1 600 24 -1 -1 24 600 -1 1 1 1 1 1 1 -1 -1\n2 10 -1 600 32 -1 -1 32 600 -1 1 1 1 1 1 1 -1 -1\n3 20 -1 60 8 -1 -1 8 120 -1 1 1 1 1 1 1 -1 -1\n",
        );
        let workload = Workload::new(&log, None, None).unwrap();
        let starts = replay(&workload, &Settings::default());
        assert!(starts[0] <= 3 && (600..=690).contains(&starts[1]), "{starts:?}");
        assert!((20..=60).contains(&starts[2]), "backfill runs every 30 s: {starts:?}");
    }
}
