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
            let minutes = u32::try_from((job.estimate + 59) / 60).unwrap_or(u32::MAX);
            if let Ok(submission) = controller.submit(request(job.processors, minutes)) {
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

/// A machine of which all nodes are taken, for measuring what a queue costs the controller.
///
/// Each node has one job; their limits are spread over two days, so that backfill has as many ends to plan with.
#[derive(Clone, Debug)]
pub struct FullMachine {
    controller: Controller,
    now: SimTime,
    submitted: u32,
}

impl FullMachine {
    /// A machine of that many nodes (at most 100,000), each with a job.
    pub fn new(nodes: u32) -> Self {
        let nodes = nodes.clamp(1, 100_000);
        let spec = cluster(nodes * PER_NODE, &Settings::default());
        let controller = Controller::new(spec, 1_000_000_000_000_000_000, SimTime::ZERO);
        let mut machine = Self { controller, now: SimTime::from_secs(1), submitted: 0 };
        machine.controller.advance(machine.now);
        for node in 0..nodes {
            machine.submit_one(PER_NODE, 60 + node.wrapping_mul(7919) % 2820);
        }
        machine.pass(60);
        machine
    }

    /// Hands in jobs of 1 to 64 tasks and 10 minutes to two hours.
    pub fn submit(&mut self, jobs: u32) {
        for _ in 0..jobs {
            let draw = self.submitted.wrapping_mul(2_654_435_761) >> 8;
            self.submit_one(1 << (draw % 7), 10 + draw / 7 % 111);
        }
    }

    /// Lets that many seconds pass: in 30 there are a pass over the queue and a cycle of backfill.
    pub fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.controller.advance(self.now);
    }

    /// Jobs that wait.
    pub fn pending(&self) -> usize {
        self.controller.jobs.pending().count()
    }

    /// Jobs that run.
    pub fn running(&self) -> usize {
        self.controller.jobs.active().count()
    }

    fn submit_one(&mut self, tasks: u32, minutes: u32) {
        self.submitted += 1;
        // The jobs are made here: none is refused.
        let _ = self.controller.submit(request(tasks, minutes));
    }
}

fn request(tasks: u32, minutes: u32) -> JobRequest {
    JobRequest {
        name: "job".into(),
        uid: 1001,
        gid: 1001,
        batch: true,
        ntasks: Some(tasks),
        memory: Some(Memory::PerNode(0)),
        time_limit: Some(Some(minutes)),
        requeue: Some(false),
        ..JobRequest::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slurm::swf::Log;

    #[test]
    fn on_a_full_machine_all_that_is_handed_in_waits() {
        let mut machine = FullMachine::new(20);
        machine.submit(30);
        machine.pass(30);
        assert_eq!((machine.running(), machine.pending()), (20, 30));
    }

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
