//! The rows of a log.

use super::number::{LARGEST, integer, real};
use super::{Fault, FaultKind, Header};

/// The names of the 18 fields of a row, in order.
pub const FIELDS: [&str; 18] = [
    "job number",
    "submit time",
    "wait time",
    "run time",
    "allocated processors",
    "average CPU time",
    "used memory",
    "requested processors",
    "requested time",
    "requested memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding job",
    "think time",
];

/// A log that was read: nothing of its rows is lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Log {
    /// What its header says.
    pub header: Header,
    /// The rows that are well formed, in the order of the file.
    pub records: Vec<Record>,
    /// The others.
    pub faults: Vec<Fault>,
}

/// A row. Times are seconds; whatever is not known is -1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Line of the file, from 1.
    pub line: u32,
    /// Field 1: number of the job.
    pub job: i64,
    /// Field 2: when it was submitted, from the start of the log.
    pub submit_time: i64,
    /// Field 3: how long it waited then.
    pub wait_time: i64,
    /// Field 4: how long it ran.
    pub run_time: i64,
    /// Field 5: how many processors it got.
    pub allocated_processors: i64,
    /// Field 6: CPU time used, averaged over its processors.
    pub average_cpu_time: f64,
    /// Field 7: memory used per processor, in KiB.
    pub used_memory: f64,
    /// Field 8: how many processors it asked for.
    pub requested_processors: i64,
    /// Field 9: how long it might run, as its user said.
    pub requested_time: i64,
    /// Field 10: memory asked for per processor, in KiB.
    pub requested_memory: f64,
    /// Field 11: 1 completed, 0 failed, 5 cancelled, 2 to 4 parts of a job with checkpoints.
    pub status: i64,
    /// Field 12: number of the user.
    pub user: i64,
    /// Field 13: number of the group.
    pub group: i64,
    /// Field 14: number of the program.
    pub executable: i64,
    /// Field 15: number of the queue.
    pub queue: i64,
    /// Field 16: number of the partition.
    pub partition: i64,
    /// Field 17: the job that must end before this one is submitted.
    pub preceding_job: i64,
    /// Field 18: seconds from that end to this submission.
    pub think_time: i64,
}

impl Log {
    /// Reads a log. A row that is not well formed becomes a [`Fault`]; empty lines are passed over.
    pub fn read(bytes: &[u8]) -> Self {
        let mut log = Self::default();
        // Rows of the archive's logs have about 90 bytes.
        log.records.reserve(bytes.len() / 90);
        for (line, row) in (1_u32..).zip(bytes.split(|byte| *byte == b'\n')) {
            let row = row.trim_ascii();
            match row {
                [] => {}
                [b';', comment @ ..] => log.header.comment(comment),
                _ => match record(line, row) {
                    Ok(record) => log.records.push(record),
                    Err(kind) => log.faults.push(Fault { line, kind }),
                },
            }
        }
        log
    }
}

fn record(line: u32, row: &[u8]) -> Result<Record, FaultKind> {
    let mut fields: [&[u8]; FIELDS.len()] = [&[]; FIELDS.len()];
    let mut found = 0;
    for field in row.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()) {
        if let Some(place) = fields.get_mut(found) {
            *place = field;
        }
        found += 1;
    }
    if found != FIELDS.len() {
        return Err(FaultKind::Fields { found });
    }
    let not = |field: usize, expected| {
        let text = String::from_utf8_lossy(fields[field]).chars().take(40).collect();
        FaultKind::NotANumber { field, text, expected }
    };
    let int = |field: usize| integer(fields[field]).ok_or_else(|| not(field, "an integer within ±10^12"));
    let float = |field: usize| real(fields[field]).ok_or_else(|| not(field, "a number"));
    Ok(Record {
        line,
        job: int(0)?,
        submit_time: int(1)?,
        wait_time: int(2)?,
        run_time: int(3)?,
        allocated_processors: int(4)?,
        average_cpu_time: float(5)?,
        used_memory: float(6)?,
        requested_processors: int(7)?,
        requested_time: int(8)?,
        requested_memory: float(9)?,
        status: int(10)?,
        user: int(11)?,
        group: int(12)?,
        executable: int(13)?,
        queue: int(14)?,
        partition: int(15)?,
        preceding_job: int(16)?,
        think_time: int(17)?,
    })
}

// The message above says so.
const _: () = assert!(LARGEST == 10_i64.pow(12));

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: &str = "1 0 5 3600 16 99.5 -1 16 7200 -1 1 3 1 -1 1 -1 -1 -1";

    #[test]
    fn a_row_that_is_not_well_formed_is_told_by_its_line_and_no_other_row_is_lost() {
        let check = |row: &str, expect: &str| {
            let log = Log::read(format!("; MaxProcs: 4\n\n{ROW}\n{row}\r\n{ROW}").as_bytes());
            let faults: Vec<_> = log.faults.iter().map(ToString::to_string).collect();
            assert_eq!(faults, [expect]);
            assert_eq!(log.records.iter().map(|record| record.line).collect::<Vec<_>>(), [3, 5]);
        };
        check("1 0 5", "line 4: 3 fields, expected 18");
        check("x", "line 4: 1 field, expected 18");
        check(&format!("{ROW} -1"), "line 4: 19 fields, expected 18");
        check(
            &ROW.replace("3600", "1h"),
            "line 4: field 4 (run time): \"1h\" is not an integer within ±10^12",
        );
        check(&ROW.replace("99.5", "much"), "line 4: field 6 (average CPU time): \"much\" is not a number");
    }

    #[test]
    fn blanks_and_tabs_separate_fields() {
        let log = Log::read(format!("  {}\t\r\n", ROW.replace(' ', " \t ")).as_bytes());
        assert_eq!(log.faults, []);
        let record = log.records[0];
        assert_eq!((record.job, record.run_time, record.average_cpu_time), (1, 3600, 99.5));
        assert_eq!((record.requested_processors, record.requested_time), (16, 7200));
    }

    proptest! {
        #[test]
        fn every_row_of_any_bytes_is_a_record_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let log = Log::read(&bytes);
            let rows = bytes
                .split(|byte| *byte == b'\n')
                .map(<[u8]>::trim_ascii)
                .filter(|row| !row.is_empty() && row[0] != b';');
            prop_assert_eq!(log.records.len() + log.faults.len(), rows.count());
        }
    }
}
