//! A schedule over time.

use super::Workload;

/// Means over one of equally long stretches of time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Its middle, in seconds from the first submission.
    pub time: f64,
    /// Jobs that wait.
    pub waiting: f64,
    /// Processors in use.
    pub busy: f64,
}

/// The schedule of jobs that start at `starts`, by rank, in `count` stretches from the first submission to the last end.
pub fn timeline(workload: &Workload, starts: &[i64], count: usize) -> Vec<Stretch> {
    let end = workload.jobs.iter().zip(starts).map(|(job, start)| start + job.run).max().unwrap_or(0);
    let length = (end as f64 / count.max(1) as f64).max(1.0);
    let mut waiting = Sum::new(count, length);
    let mut busy = Sum::new(count, length);
    for (job, start) in workload.jobs.iter().zip(starts) {
        waiting.add(job.submit, *start, 1.0);
        busy.add(*start, start + job.run, f64::from(job.processors));
    }
    let means = waiting.means().into_iter().zip(busy.means());
    means
        .enumerate()
        .map(|(at, (waiting, busy))| Stretch { time: (at as f64 + 0.5) * length, waiting, busy })
        .collect()
}

/// The integral of a step function over each stretch: what lies in part in a stretch, and the height of what covers it whole, as
/// differences to the stretch before.
struct Sum {
    length: f64,
    parts: Vec<f64>,
    rises: Vec<f64>,
}

impl Sum {
    fn new(count: usize, length: f64) -> Self {
        Self { length, parts: vec![0.0; count], rises: vec![0.0; count + 1] }
    }

    fn add(&mut self, from: i64, until: i64, height: f64) {
        let Some(last) = self.parts.len().checked_sub(1) else { return };
        let (from, until) = (from as f64 / self.length, until as f64 / self.length);
        let (first, end) = ((from as usize).min(last), (until as usize).min(last));
        if first == end {
            self.parts[first] += (until - from) * height;
            return;
        }
        self.parts[first] += (first as f64 + 1.0 - from) * height;
        self.parts[end] += (until - end as f64) * height;
        self.rises[first + 1] += height;
        self.rises[end] -= height;
    }

    fn means(&self) -> Vec<f64> {
        let mut height = 0.0;
        let parts = self.parts.iter().zip(&self.rises);
        parts
            .map(|(part, rise)| {
                height += rise;
                // What is added and taken off again leaves a little more or less than nothing.
                (part + height).max(0.0)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Job;
    use super::*;

    #[test]
    fn each_stretch_has_its_part_of_every_wait_and_every_run() {
        let job = |submit, run, processors| Job { number: 1, submit, run, estimate: run, processors };
        let workload =
            Workload { jobs: vec![job(0, 25, 2), job(5, 15, 4)], processors: 4, ..Workload::default() };
        let stretches = timeline(&workload, &[0, 25], 4);
        let means: Vec<_> =
            stretches.iter().map(|stretch| (stretch.time, stretch.waiting, stretch.busy)).collect();
        assert_eq!(means, [(5.0, 0.5, 2.0), (15.0, 1.0, 2.0), (25.0, 0.5, 3.0), (35.0, 0.0, 4.0)]);
        assert_eq!(timeline(&workload, &[0, 25], 0), []);
    }
}
