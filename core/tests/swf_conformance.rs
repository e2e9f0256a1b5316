//! Logs of real machines: every job starts when an independent program says that it does.
//!
//! The logs are not in the repository (they are the Parallel Workloads Archive's). They are read from `swf/` in
//! `$CLUSTERLAB_DATA` (by default `../shared/oracle` beside the repository): `LOG.swf.gz` with a table of starts, `LOG_whole*.csv.gz`. Where
//! they are absent, the tests are ignored. Without optimisation the conservative policies replay the first 5,000 jobs of a log,
//! and averages of whole logs are ignored; `cargo test --release` compares everything, and so does
//! `clusterlab replay swf LOG --policy all --against TABLE`.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clusterlab::slurm::swf::Log;
use clusterlab::slurm::textbook::{Metrics, Policy, Workload, replay};
use libtest_mimic::{Arguments, Failed, Trial};

/// Jobs of a log that the conservative policies replay without optimisation.
const FEW: usize = 5000;

fn read(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut content = Vec::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut content).expect("compressed data");
    content
}

/// A table of comma-separated integers, by column.
struct Table {
    header: Vec<String>,
    rows: Vec<Vec<i64>>,
}

impl Table {
    fn read(path: &Path) -> Self {
        let text = String::from_utf8(read(path)).expect("text");
        let mut lines = text.lines();
        let header = lines.next().expect("a header").split(',').map(str::to_owned).collect();
        let number = |field: &str| field.parse().expect("an integer");
        let rows = lines.map(|line| line.split(',').map(number).collect()).collect();
        Self { header, rows }
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }
}

fn column(policy: Policy) -> String {
    format!("start_{}", policy.name().replace('-', "_"))
}

/// Every job is that of the table, and starts when the table says.
fn every_start_is_the_one_of_the_table(log: &Path, table: &Path, policy: Policy) -> Result<(), Failed> {
    let table = Table::read(table);
    let log = Log::read(&read(log));
    let mut workload = Workload::new(&log, None, None)?;
    if workload.jobs.len() != table.rows.len() {
        return Err(format!("{} jobs instead of {}", workload.jobs.len(), table.rows.len()).into());
    }
    let names = ["rank", "job", "submit", "procs", "run", "estimate"];
    let columns = names.map(|name| table.column(name).expect("the column"));
    for (rank, (job, row)) in workload.jobs.iter().zip(&table.rows).enumerate() {
        let ours = [rank as i64, job.number, job.submit, i64::from(job.processors), job.run, job.estimate];
        let theirs = columns.map(|column| row[column]);
        if ours != theirs {
            return Err(format!("{names:?} are {ours:?} instead of {theirs:?}").into());
        }
    }
    let start = table.column(&column(policy)).expect("the column");
    let conservative = matches!(policy, Policy::Conservative | Policy::MualemFeitelson);
    let mut until = i64::MAX;
    if cfg!(debug_assertions) && conservative && workload.jobs.len() > FEW {
        // Before the first of the others comes nothing is decided that knows of them.
        until = workload.jobs[FEW].submit;
        workload.jobs.truncate(FEW);
    }
    let starts = replay(&workload, policy);
    let different: Vec<_> = workload
        .jobs
        .iter()
        .zip(&starts)
        .zip(&table.rows)
        .filter(|((_, found), row)| **found != row[start] && row[start].min(**found) < until)
        .collect();
    match different.first() {
        None => Ok(()),
        Some(((job, found), row)) => Err(format!(
            "{} starts differ; the first is of job {}: {found} instead of {}",
            different.len(),
            job.number,
            row[start]
        )
        .into()),
    }
}

/// The averages of `metrics.csv` for the first jobs of a log.
fn the_averages_are_those_of_the_table(folder: &Path, row: &[&str]) -> Result<(), Failed> {
    let [log, _, processors, limit, policy, jobs, wait, max_wait, _, slowdown, _, makespan, utilization] =
        row.try_into().map_err(|_| "thirteen columns")?;
    let log = Log::read(&read(&folder.join(log)));
    let limit: usize = limit.parse()?;
    let workload = Workload::new(&log, None, (limit > 0).then_some(limit))?;
    let policy: Policy = policy.replace('_', "-").parse()?;
    let found = Metrics::new(&workload, &replay(&workload, policy));
    let exact = (workload.processors, workload.jobs.len(), found.max_wait, found.makespan);
    let expect = (processors.parse()?, jobs.parse()?, max_wait.parse()?, makespan.parse()?);
    if exact != expect {
        return Err(format!("{exact:?} instead of {expect:?}").into());
    }
    for (found, expect) in
        [(found.mean_wait, wait), (found.mean_bounded_slowdown, slowdown), (found.utilization, utilization)]
    {
        let expect: f64 = expect.parse()?;
        // Sums of floats in another order.
        if (found - expect).abs() > expect.abs() * 1e-9 {
            return Err(format!("{found} instead of {expect}").into());
        }
    }
    Ok(())
}

/// The tables of starts with their logs, by name.
fn tables(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut tables: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let log = name.ends_with(".csv.gz").then(|| name.split_once("_whole"))??.0;
            Some((folder.join(format!("{log}.swf.gz")), entry.path()))
        })
        .collect();
    tables.sort();
    tables
}

fn main() {
    let folder = std::env::var_os("CLUSTERLAB_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracle"), PathBuf::from)
        .join("swf");
    let mut trials = Vec::new();
    for (log, table) in tables(&folder) {
        let name = log.file_name().unwrap_or_default().to_string_lossy().replace(".swf.gz", "");
        let known = Table::read(&table);
        for policy in Policy::ALL.into_iter().filter(|policy| known.column(&column(*policy)).is_some()) {
            let (log, table) = (log.clone(), table.clone());
            let test = move || every_start_is_the_one_of_the_table(&log, &table, policy);
            trials.push(Trial::test(format!("starts::{name}::{policy}"), test));
        }
    }
    let metrics = fs::read_to_string(folder.join("metrics.csv")).unwrap_or_default();
    for line in metrics.lines().skip(1) {
        let row: Vec<String> = line.split(',').map(str::to_owned).collect();
        let name = format!("metrics::{}::{}::{}", row[0].replace(".swf.gz", ""), row[3], row[4]);
        let whole = row[3] == "0";
        let folder = folder.clone();
        let test = move || {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            the_averages_are_those_of_the_table(&folder, &row)
        };
        trials.push(Trial::test(name, test).with_ignored_flag(cfg!(debug_assertions) && whole));
    }
    if trials.is_empty() {
        let reason = format!("no logs in {}: set CLUSTERLAB_DATA", folder.display());
        trials.push(Trial::test("starts", || Err(reason.into())).with_ignored_flag(true));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
