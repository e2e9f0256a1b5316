//! From a log to the jobs that are replayed.

use thiserror::Error;

use crate::slurm::swf::{Log, Record};

/// What a policy is given: a machine, and jobs in the order of their submission.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// Processors of the machine.
    pub processors: u32,
    /// The jobs; the place of one is its rank.
    pub jobs: Vec<Job>,
    /// The second of the log from which times count: when the first job was submitted.
    pub epoch: i64,
    /// What of the log is no job here.
    pub dropped: Dropped,
    /// What of the jobs was changed.
    pub adjusted: Adjusted,
    /// Rows that stand behind one that was submitted later. They were sorted; rows of one second keep their order.
    pub out_of_order: Rows,
}

/// Rows of a log that have something in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// How many.
    pub count: usize,
    /// Line of the first, from 1; none if there is none.
    pub first_line: Option<u32>,
}

impl Rows {
    fn add(&mut self, line: u32) {
        self.count += 1;
        self.first_line.get_or_insert(line);
    }
}

/// A job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its number in the log.
    pub number: i64,
    /// When it is submitted, in seconds from the first.
    pub submit: i64,
    /// How long it runs, in seconds; at least 1.
    pub run: i64,
    /// How long it may run, as the scheduler is told; at least `run`.
    pub estimate: i64,
    /// How many processors it asks for; from 1 to those of the machine.
    pub processors: u32,
}

/// Rows of a log that are not replayed. One that has several reasons counts under the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Not well formed: [`Log::faults`].
    pub unreadable: Rows,
    /// Asks for no processors, and got none.
    pub no_processors: Rows,
    /// Asks for more processors than there are.
    pub too_wide: Rows,
    /// Its run time is negative: not known.
    pub no_run_time: Rows,
    /// Its submit time is negative.
    pub no_submit_time: Rows,
    /// Stands behind the limit that was asked for.
    pub over_limit: Rows,
}

/// Jobs of which a field was changed. One may count several times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adjusted {
    /// No processors were asked for, so those that it got count.
    pub processors_missing: usize,
    /// No estimate, so the run time is the estimate.
    pub estimate_missing: usize,
    /// Ran for 0 seconds, taken as 1.
    pub run_raised: usize,
    /// Ran longer than its estimate, which was raised.
    pub estimate_raised: usize,
}

/// Why a log cannot be replayed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WorkloadError {
    /// The size of the machine is not known.
    #[error("the header has neither MaxProcs nor MaxNodes with a number above 0")]
    NoProcessors,
    /// Nothing is left to replay.
    #[error("none of the {rows} rows is a job: {dropped}")]
    NoJobs {
        /// Rows of the log.
        rows: usize,
        /// Why none is.
        dropped: Dropped,
    },
    /// More jobs than can be counted, or so long ones that times overflow.
    #[error("{jobs} jobs with estimates of {estimates} s together are more than can be replayed")]
    TooLarge {
        /// How many jobs.
        jobs: usize,
        /// The sum of their estimates.
        estimates: i128,
    },
}

impl Dropped {
    /// How many together.
    pub fn total(&self) -> usize {
        self.reasons().iter().map(|(rows, _)| rows.count).sum()
    }

    /// How many for each reason, in words.
    pub const fn reasons(&self) -> [(Rows, &'static str); 6] {
        [
            (self.unreadable, "not well formed"),
            (self.no_processors, "without processors"),
            (self.too_wide, "wider than the machine"),
            (self.no_run_time, "with a negative run time"),
            (self.no_submit_time, "with a negative submit time"),
            (self.over_limit, "over the limit"),
        ]
    }
}

impl Adjusted {
    /// How many for each change, in words.
    pub const fn changes(&self) -> [(usize, &'static str); 4] {
        [
            (self.processors_missing, "asked for no processors (those allocated count)"),
            (self.estimate_missing, "without an estimate (the run time counts)"),
            (self.run_raised, "ran for 0 s (1 s counts)"),
            (self.estimate_raised, "ran over the estimate (the run time counts)"),
        ]
    }
}

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        list(f, self.reasons().iter().map(|(rows, what)| (rows.count, *what)))
    }
}

impl std::fmt::Display for Adjusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        list(f, self.changes().into_iter())
    }
}

fn list<'a>(
    f: &mut std::fmt::Formatter<'_>,
    counts: impl Iterator<Item = (usize, &'a str)>,
) -> std::fmt::Result {
    let mut first = true;
    for (count, what) in counts.filter(|(count, _)| *count > 0) {
        let comma = if first { "" } else { ", " };
        write!(f, "{comma}{count} {what}")?;
        first = false;
    }
    if first { f.write_str("none") } else { Ok(()) }
}

impl Workload {
    /// The jobs of a log, on a machine of `processors` (else as large as the header says), the first `limit` of them.
    ///
    /// # Errors
    ///
    /// When the size of the machine is not known, when no job is left, and when their times do not fit 64 bits.
    pub fn new(log: &Log, processors: Option<u32>, limit: Option<usize>) -> Result<Self, WorkloadError> {
        let processors = processors
            .or_else(|| log.header.processors())
            .filter(|processors| *processors > 0)
            .ok_or(WorkloadError::NoProcessors)?;
        let first_line = log.faults.first().map(|fault| fault.line);
        let unreadable = Rows { count: log.faults.len(), first_line };
        let mut dropped = Dropped { unreadable, ..Dropped::default() };
        let (mut out_of_order, mut latest) = (Rows::default(), i64::MIN);
        let mut kept: Vec<(Job, &Record)> = Vec::with_capacity(log.records.len());
        for record in &log.records {
            let Some(job) = job(record, processors, &mut dropped) else { continue };
            if job.submit < latest {
                out_of_order.add(record.line);
            }
            latest = latest.max(job.submit);
            kept.push((job, record));
        }
        if out_of_order.count > 0 {
            kept.sort_by_key(|(job, _)| job.submit);
        }
        if let Some(limit) = limit.filter(|limit| *limit < kept.len()) {
            let first_line = kept.get(limit).map(|(_, record)| record.line);
            dropped.over_limit = Rows { count: kept.len() - limit, first_line };
            kept.truncate(limit);
        }
        let Some(epoch) = kept.first().map(|(job, _)| job.submit) else {
            return Err(WorkloadError::NoJobs { rows: log.records.len() + log.faults.len(), dropped });
        };
        let mut adjusted = Adjusted::default();
        let mut jobs = Vec::with_capacity(kept.len());
        for (mut job, record) in kept {
            adjusted.count(record);
            job.submit -= epoch;
            jobs.push(job);
        }
        // No job starts later than when all before it have run one after the other.
        let estimates: i128 = jobs.iter().map(|job| i128::from(job.estimate)).sum();
        let last = jobs.last().map_or(0, |job| i128::from(job.submit));
        if u32::try_from(jobs.len()).is_err() || last + estimates > i128::from(i64::MAX / 2) {
            return Err(WorkloadError::TooLarge { jobs: jobs.len(), estimates });
        }
        Ok(Self { processors, jobs, epoch, dropped, adjusted, out_of_order })
    }
}

fn job(record: &Record, processors: u32, dropped: &mut Dropped) -> Option<Job> {
    let asked = record.requested_processors;
    let asked = if asked > 0 { asked } else { record.allocated_processors };
    let reason = if asked <= 0 {
        &mut dropped.no_processors
    } else if asked > i64::from(processors) {
        &mut dropped.too_wide
    } else if record.run_time < 0 {
        &mut dropped.no_run_time
    } else if record.submit_time < 0 {
        &mut dropped.no_submit_time
    } else {
        let run = record.run_time.max(1);
        // Without an estimate it is 0 or -1, and so the run time.
        let estimate = record.requested_time.max(run);
        return Some(Job {
            number: record.job,
            submit: record.submit_time,
            run,
            estimate,
            // Within 1 and `processors`, as was asked above.
            processors: asked as u32,
        });
    };
    reason.add(record.line);
    None
}

impl Adjusted {
    fn count(&mut self, record: &Record) {
        self.processors_missing += usize::from(record.requested_processors <= 0);
        self.estimate_missing += usize::from(record.requested_time <= 0);
        self.run_raised += usize::from(record.run_time == 0);
        self.estimate_raised +=
            usize::from(record.requested_time > 0 && record.run_time > record.requested_time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a log with job number, submit time, run time, allocated and requested processors, and estimate.
    fn log(rows: &[[i64; 6]]) -> Log {
        let mut text = "; MaxProcs: 8\n".to_owned();
        for [job, submit, run, allocated, asked, estimate] in rows {
            text +=
                &format!("{job} {submit} -1 {run} {allocated} -1 -1 {asked} {estimate}{}\n", " -1".repeat(9));
        }
        Log::read(text.as_bytes())
    }

    #[test]
    fn what_is_not_known_is_filled_in_as_the_archive_advises() {
        let check = |row: [i64; 6], expect: (i64, i64, u32)| {
            let workload = Workload::new(&log(&[row]), None, None).unwrap();
            let job = workload.jobs[0];
            assert_eq!((job.run, job.estimate, job.processors), expect, "{row:?}");
        };
        check([1, 5, 60, 2, 4, 100], (60, 100, 4));
        check([1, 5, 60, 2, -1, 100], (60, 100, 2));
        check([1, 5, 60, 2, 0, -1], (60, 60, 2));
        check([1, 5, 60, 2, 2, 50], (60, 60, 2));
        check([1, 5, 0, 2, 2, 0], (1, 1, 2));
    }

    #[test]
    fn every_row_that_is_dropped_is_counted_under_its_first_reason() {
        let mut log = log(&[
            [1, 0, 60, -1, -1, 100],
            [2, 0, -1, 0, 0, 100],
            [3, 0, -1, 9, 9, 100],
            [4, -7, -1, 2, 2, 100],
            [5, -7, 10, 2, 2, 100],
            [6, 9, 10, 2, 2, 100],
            [7, 9, 10, 2, 2, 100],
        ]);
        log.faults = Log::read(b"1 2 3").faults;
        let workload = Workload::new(&log, None, Some(1)).unwrap();
        assert_eq!(workload.jobs.iter().map(|job| job.number).collect::<Vec<_>>(), [6]);
        assert_eq!(workload.dropped.total(), 7);
        assert_eq!(
            workload.dropped.to_string(),
            "1 not well formed, 2 without processors, 1 wider than the machine, 1 with a negative run time, \
             1 with a negative submit time, 1 over the limit"
        );
        assert_eq!(workload.dropped.no_submit_time.first_line, Some(6));
    }

    #[test]
    fn rows_are_sorted_by_submit_time_and_keep_their_order_within_a_second() {
        let rows = [[1, 50, 1, 1, 1, 1], [2, 30, 1, 1, 1, 1], [3, 30, 1, 1, 1, 1], [4, 60, 1, 1, 1, 1]];
        let workload = Workload::new(&log(&rows), None, None).unwrap();
        let order: Vec<_> = workload.jobs.iter().map(|job| (job.number, job.submit)).collect();
        assert_eq!(order, [(2, 0), (3, 0), (1, 20), (4, 30)]);
        assert_eq!(workload.out_of_order, Rows { count: 2, first_line: Some(3) });
        assert_eq!(workload.epoch, 30);
    }

    #[test]
    fn a_log_that_cannot_be_replayed_says_why() {
        let error = Workload::new(&Log::read(b""), None, None).unwrap_err();
        assert_eq!(error, WorkloadError::NoProcessors);
        let error = Workload::new(&log(&[[1, 0, 1, 16, -1, 1]]), None, None).unwrap_err();
        assert_eq!(error.to_string(), "none of the 1 rows is a job: 1 wider than the machine");
        let mut long = log(&[[1, 0, 1, 1, 1, 1]; 3]);
        for record in &mut long.records {
            record.requested_time = i64::MAX / 4;
        }
        let error = Workload::new(&long, None, None).unwrap_err();
        let told = "3 jobs with estimates of 6917529027641081853 s together are more than can be replayed";
        assert_eq!(error.to_string(), told);
    }
}
