//! The averages by which policies are compared.

use super::Workload;

/// The bound of the bounded slowdown, in seconds: a shorter job counts as one of this length.
const BOUND: i64 = 10;

/// What a schedule is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Mean seconds from submission to start.
    pub mean_wait: f64,
    /// The longest of these.
    pub max_wait: i64,
    /// Mean of max(1, (wait + run) / max(run, 10 s)): how many times longer than alone a job took, short ones not counted too much
    /// (Feitelson and Rudolph 1998).
    pub mean_bounded_slowdown: f64,
    /// Processor seconds of jobs, of all that there are from the first submission to the last end; from 0 to 1.
    pub utilization: f64,
    /// Seconds from the first submission to the last end.
    pub makespan: i64,
}

impl Metrics {
    /// Those of the jobs that start at `starts`, by rank.
    pub fn new(workload: &Workload, starts: &[i64]) -> Self {
        let (mut waits, mut max_wait, mut slowdowns, mut work, mut last) = (0_i128, 0, 0.0, 0_i128, 0);
        for (job, start) in workload.jobs.iter().zip(starts) {
            let wait = start - job.submit;
            waits += i128::from(wait);
            max_wait = max_wait.max(wait);
            slowdowns += ((wait + job.run) as f64 / job.run.max(BOUND) as f64).max(1.0);
            work += i128::from(job.run) * i128::from(job.processors);
            last = last.max(start + job.run);
        }
        let count = workload.jobs.len().max(1) as f64;
        let makespan = last - workload.jobs.first().map_or(0, |job| job.submit);
        let capacity = f64::from(workload.processors) * makespan as f64;
        Self {
            mean_wait: waits as f64 / count,
            max_wait,
            mean_bounded_slowdown: slowdowns / count,
            utilization: if capacity > 0.0 { work as f64 / capacity } else { 0.0 },
            makespan,
        }
    }
}
