//! `clusterlab exercises`: what there is to learn.

use std::fmt::Write as _;

use clap::Args;
use clusterlab_exercises::Exercise;
use serde::Serialize;

use crate::input::Language;
use crate::output;

/// List the exercises of the course
#[derive(Debug, Args)]
pub struct Exercises {
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    language: Language,
}

/// An exercise, as `--json` prints it.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    title: &'a str,
    objective: &'a str,
    minutes: u32,
    steps: usize,
}

impl Exercises {
    /// Lists them.
    pub fn run(self) -> anyhow::Result<u8> {
        let lang = self.language.get();
        let mut text = String::new();
        for exercise in Exercise::all()? {
            let listed = Listed {
                id: &exercise.id,
                title: exercise.title.get(lang),
                objective: exercise.objective.get(lang),
                minutes: exercise.minutes,
                steps: exercise.steps.len(),
            };
            if self.json {
                output::json_line(&listed)?;
            } else {
                let Listed { id, title, objective, minutes, .. } = listed;
                let _ = writeln!(text, "{id}  {title} ({minutes} min)\n    {objective}");
            }
        }
        output::text(&text)?;
        Ok(0)
    }
}
