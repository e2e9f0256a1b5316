//! First come, first served.

use super::Workload;
use super::ends::Ends;

/// Starts the jobs in order, each when it fits.
pub(super) fn replay(workload: &Workload) -> Vec<i64> {
    let jobs = &workload.jobs;
    let mut ends = Ends::default();
    let mut free = workload.processors;
    let mut now = 0;
    let mut starts = Vec::with_capacity(jobs.len());
    for (rank, job) in jobs.iter().enumerate() {
        now = now.max(job.submit);
        while let Some(ended) = ends.pop(now) {
            free += jobs[ended].processors;
        }
        // It is not wider than the machine, so enough have ended when all have.
        while free < job.processors
            && let Some(end) = ends.next()
        {
            now = end;
            while let Some(ended) = ends.pop(now) {
                free += jobs[ended].processors;
            }
        }
        free -= job.processors;
        ends.push(now + job.run, rank);
        starts.push(now);
    }
    starts
}
