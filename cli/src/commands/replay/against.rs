//! Starts computed elsewhere, compared job by job.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use clusterlab::slurm::textbook::{Policy, Workload};

use super::log;

/// A table of starts: comma-separated values with `rank` and `job`, and `start` or `start_POLICY`.
pub struct Reference {
    name: String,
    text: String,
}

/// What a comparison found.
pub struct Verdict {
    /// Jobs that were compared.
    pub compared: usize,
    /// Jobs that start at another time, are other jobs, or are missing on one side.
    pub different: usize,
    /// The first of these, in words.
    pub first: Option<String>,
}

impl Reference {
    /// Reads a table, compressed or not.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let text = String::from_utf8(log::bytes(path)?).map_err(|_| anyhow!("{name} is not text"))?;
        Ok(Self { name, text })
    }

    /// Compares every start of a policy; and the jobs themselves where the table has submit, procs, run and estimate. Jobs of
    /// the table behind the last one that was replayed are not compared under a limit.
    pub fn compare(
        &self,
        workload: &Workload,
        policy: Policy,
        starts: &[i64],
        limited: bool,
    ) -> anyhow::Result<Verdict> {
        let name = &self.name;
        let mut lines = self.text.lines();
        let header: Vec<_> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
        let column = |column: &str| header.iter().position(|name| *name == column);
        let wanted = format!("start_{}", policy.name().replace('-', "_"));
        let start = column(&wanted)
            .or_else(|| column("start"))
            .with_context(|| format!("{name}: no column {wanted} or start"))?;
        let known = ["rank", "job", "submit", "procs", "run", "estimate"].map(column);
        let mut verdict = Verdict { compared: 0, different: 0, first: None };
        for (rank, line) in lines.enumerate() {
            let fields: Vec<_> = line.split(',').map(str::trim).collect();
            let number = |column: usize| {
                let text = fields.get(column).copied().unwrap_or_default();
                text.parse::<i64>()
                    .map_err(|_| anyhow!("{name}: line {}: \"{text}\" is not an integer", rank + 2))
            };
            let Some((job, found)) = workload.jobs.get(rank).zip(starts.get(rank)) else {
                if limited {
                    break;
                }
                verdict.tell(format!("rank {rank}: a job that the log does not have"));
                continue;
            };
            verdict.compared += 1;
            let ours =
                [rank as i64, job.number, job.submit, i64::from(job.processors), job.run, job.estimate];
            let mut other = None;
            for (column, ours) in known.iter().zip(ours) {
                if let Some(column) = *column {
                    let theirs = number(column)?;
                    if theirs != ours {
                        other = other.or(Some(format!("{} {ours} instead of {theirs}", header[column])));
                    }
                }
            }
            let expected = number(start)?;
            if *found != expected {
                other = other.or(Some(format!("starts at {found} instead of {expected}")));
            }
            if let Some(other) = other {
                verdict.tell(format!("rank {rank}, job {}: {other}", job.number));
            }
        }
        let missing = workload.jobs.len() - verdict.compared;
        if verdict.compared == 0 {
            bail!("{name}: no row to compare with");
        }
        if missing > 0 {
            verdict.tell(format!("{missing} jobs have no row in {name}"));
            verdict.different += missing - 1;
        }
        Ok(verdict)
    }
}

impl Verdict {
    fn tell(&mut self, what: String) {
        self.different += 1;
        self.first.get_or_insert(what);
    }
}
