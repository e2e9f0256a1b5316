//! `clusterlab check`: for those who write exercises.

use anyhow::bail;
use clap::Args;
use serde::Serialize;

use crate::{input, output};

/// Try an exercise out: the start passes no step, the solution all, each wrong script its hint
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  nothing is wrong with it
  1  something is
  2  it cannot be read at all

With --json, one object per problem: {\"file\": ..., \"line\": ..., \"column\": ..., \"field\": ..., \"message\": ...}")]
pub struct Check {
    /// A folder that holds an exercise, or the id of one of the course's
    exercise: String,
    /// Try it for so many learners
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

/// A problem, as `--json` prints it.
#[derive(Serialize)]
struct Found<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    field: &'a str,
    message: &'a str,
}

impl Check {
    /// Tries the exercise out.
    pub fn run(self) -> anyhow::Result<u8> {
        if self.seeds == 0 {
            bail!("--seeds must be at least 1");
        }
        let exercise = input::exercise(&self.exercise)?;
        let mut good = true;
        for seed in 1..=self.seeds {
            for problem in exercise.verify(seed) {
                good = false;
                if self.json {
                    output::json_line(&Found {
                        file: &problem.file,
                        line: problem.place.map(|(line, _)| line),
                        column: problem.place.map(|(_, column)| column),
                        field: &problem.field,
                        message: &problem.message,
                    })?;
                } else {
                    output::text(&format!("{problem}\n"))?;
                }
            }
        }
        if good && !self.json {
            output::text(&format!(
                "{}: {} steps, {} wrong scripts, {} learners: good\n",
                exercise.id,
                exercise.steps.len(),
                exercise.wrong.len(),
                self.seeds
            ))?;
        }
        Ok(u8::from(!good))
    }
}
