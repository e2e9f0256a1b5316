//! `clusterlab grade`: a script against an exercise.

use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use clusterlab::lab::Lab;
use clusterlab_exercises::{Exercise, Grader, Lang, Report, play};
use serde::Serialize;

use crate::input::Language;
use crate::{input, output};

/// Grade a script: which steps of an exercise does it do?
///
/// The script is typed into the terminal of the exercise's lab. What counts is the state that the
/// lab gets into, not the commands.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes:
  0  every step is done
  1  a step is not done
  2  the exercise or the script cannot be read

With --json, one object per line:
  {\"type\": \"step\", \"id\": \"run\", \"seconds\": 12.0}             a step was done, and when
  {\"type\": \"mistake\", \"id\": \"no-gpu\", \"seconds\": 3.0}          a mistake was made
  {\"type\": \"report\", \"exercise\": \"...\", \"seed\": 1, \"report\": {\"steps\": [...], \"score\": {...}, ...}}")]
pub struct Grade {
    /// Its id (see `clusterlab exercises`), or a folder that holds one
    exercise: String,
    /// The commands, a line each; - reads them from standard input
    #[arg(long, value_name = "FILE")]
    script: PathBuf,
    /// The learner's seed: draws the values that differ from learner to learner
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Show the commands and what they print
    #[arg(long, conflicts_with = "json")]
    transcript: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    language: Language,
}

/// Something that happened, as `--json` prints it.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Line<'a> {
    Step { id: &'a str, seconds: f64 },
    Mistake { id: &'a str, seconds: f64 },
    Report { exercise: &'a str, seed: u64, report: &'a Report },
}

impl Grade {
    /// Grades the script.
    pub fn run(self) -> anyhow::Result<u8> {
        let exercise = input::exercise(&self.exercise)?;
        let script = input::script(&self.script)?;
        let mut grader = Grader::new(&exercise, self.seed)?;
        let mut lab = grader.start_lab()?;

        let mut printed = Ok(());
        let mut told = Told::default();
        let moved = |lab: &Lab| {
            let report = grader.evaluate(lab);
            if self.json && printed.is_ok() {
                printed = told.news(report, lab);
            }
        };
        let mut shown = Ok(());
        play(&mut lab, &script, moved, |_, command, output| {
            if self.transcript {
                let text = format!("$ {command}\n{}", output.shown());
                shown = output::text(&text);
            }
            if shown.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        printed?;
        shown?;

        let report = grader.evaluate(&lab).clone();
        if self.json {
            output::json_line(&Line::Report { exercise: &exercise.id, seed: self.seed, report: &report })?;
        } else {
            output::text(&summary(grader.exercise(), self.seed, &report, self.language.get()))?;
        }
        Ok(u8::from(!report.finished))
    }
}

/// What was told already.
#[derive(Default)]
struct Told {
    steps: usize,
    mistakes: Vec<String>,
}

impl Told {
    fn news(&mut self, report: &Report, lab: &Lab) -> anyhow::Result<()> {
        let mut done: Vec<_> =
            report.steps.iter().filter_map(|step| Some((step.done?, step.id.as_str()))).collect();
        // In the order in which they were done; those of one instant in the order of the exercise.
        done.sort_by_key(|(at, _)| *at);
        for (at, id) in done.iter().skip(self.steps) {
            output::json_line(&Line::Step { id, seconds: at.as_secs_f64() })?;
        }
        self.steps = done.len();
        for id in &report.mistakes {
            if !self.mistakes.contains(id) {
                output::json_line(&Line::Mistake { id, seconds: lab.now().as_secs_f64() })?;
                self.mistakes.push(id.clone());
            }
        }
        Ok(())
    }
}

/// The report for people.
fn summary(exercise: &Exercise, seed: u64, report: &Report, lang: Lang) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} ({}), seed {seed}", exercise.title.get(lang), exercise.id);
    for step in &report.steps {
        let title = exercise.section(lang, &step.id).map_or("", |section| section.title.as_str());
        let state = match step.done {
            Some(at) => format!("done at {:>6.1} s", at.as_secs_f64()),
            None if step.open => "open         ".to_owned(),
            None => "not yet open ".to_owned(),
        };
        let _ = writeln!(text, "  {state:<17} {title}");
        if report.current.as_ref() == Some(&step.id)
            && let Some(hint) = report.hint.as_deref().and_then(|id| exercise.hint(id))
        {
            let _ = writeln!(text, "    hint: {}", hint.say.get(lang)[0].trim_end());
        }
    }
    for mistake in report.mistakes.iter().filter_map(|id| exercise.mistake(id)) {
        let _ = writeln!(text, "  mistake: {}", mistake.say.get(lang).trim_end());
    }
    for problem in &report.problems {
        let _ = writeln!(text, "  problem of the exercise: {problem}");
    }
    let score = &report.score;
    let done = report.steps.iter().filter(|step| step.done.is_some()).count();
    let _ = writeln!(
        text,
        "{done} of {} steps, {} commands, {:.1} s, {:.1} GPU-seconds held, {:.1} of them idle",
        report.steps.len(),
        score.commands,
        score.seconds,
        score.gpu_seconds,
        score.idle_gpu_seconds,
    );
    text
}
