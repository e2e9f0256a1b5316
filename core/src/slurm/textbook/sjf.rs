//! Shortest job first.

use super::Workload;
use super::ends::Ends;
use super::queue::{Order, Queue};

/// Starts the job with the smallest estimate when it fits; no other passes it.
pub(super) fn replay(workload: &Workload) -> Vec<i64> {
    let jobs = &workload.jobs;
    let mut queue = Queue::new(workload, Order::ShortestFirst);
    let positions = queue.positions().unwrap_or_default();
    let mut ends = Ends::default();
    let mut free = workload.processors;
    let mut starts = vec![0; jobs.len()];
    let mut arrived = 0;
    while let Some(now) = ends.next_event(jobs.get(arrived).map(|job| job.submit)) {
        while let Some(ended) = ends.pop(now) {
            free += jobs[ended].processors;
        }
        while let Some(job) = jobs.get(arrived).filter(|job| job.submit == now) {
            queue.insert(positions[arrived] as usize, job.estimate);
            arrived += 1;
        }
        while let Some(head) = queue.first() {
            let rank = queue.rank(head);
            let job = &jobs[rank];
            if job.processors > free {
                break;
            }
            queue.remove(head);
            free -= job.processors;
            ends.push(now + job.run, rank);
            starts[rank] = now;
        }
    }
    starts
}
