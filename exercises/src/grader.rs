//! The grader: which steps are done, what stands in the way, how economical it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use cel::{Context, Env};
use clusterlab::lab::{Lab, LabSpec, Prompt, SpecError};
use clusterlab::sim::{Digest, SimTime};
use serde::{Deserialize, Serialize};

use crate::check::{CheckError, Expression, Uses, World};
use crate::meter::{CommandMeter, GpuMeter};
use crate::{Exercise, Problem};

/// Grades one learner's work on one exercise.
///
/// It only ever looks at the lab: call [`evaluate`](Self::evaluate) whenever
/// the lab has moved. A step that was done once stays done.
///
/// ```
/// use clusterlab_exercises::{Exercise, Grader};
///
/// let exercise = Exercise::find("first-gpu-pod")?.expect("it is compiled in");
/// let mut grader = Grader::new(&exercise, 1)?;
/// let mut lab = grader.start_lab()?;
/// lab.run("kubectl apply -f pod.yaml; sleep 60");
/// let report = grader.evaluate(&lab);
/// // The file as it is asks for no GPU.
/// assert_eq!(report.mistakes, ["no-gpu"]);
/// assert_eq!(report.current.as_deref(), Some("run"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Grader {
    exercise: Exercise,
    env: Arc<Env>,
    steps: Vec<StepChecks>,
    mistakes: Vec<Expression>,
    answers: Vec<Expression>,
    uses: Uses,
    progress: Progress,
    gpus: GpuMeter,
    commands: CommandMeter,
    /// The state that the last report is of.
    seen: Option<(Digest, SimTime)>,
    report: Report,
}

#[derive(Clone)]
struct StepChecks {
    check: Expression,
    present: Option<Expression>,
    /// The conditions of the hints; `None` always holds.
    hints: Vec<Option<Expression>>,
}

/// What a learner has reached: everything that a page keeps between two visits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Progress {
    /// Steps that are done, and when they were.
    pub done: BTreeMap<String, SimTime>,
    /// Mistakes that were made.
    pub mistakes: BTreeSet<String>,
    /// Hints that were read, and how far (1 to 3).
    pub hints: BTreeMap<String, u8>,
    /// Predictions that were made.
    pub guesses: BTreeMap<String, Guess>,
}

/// An answer to a [`Prediction`](crate::Prediction).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guess {
    /// What the learner said.
    pub answer: String,
    /// What happened on a copy of the lab.
    pub actual: String,
    /// Whether the two agree.
    pub right: bool,
}

/// Why a prediction could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PredictionError {
    /// The exercise has no prediction of that id.
    #[error("no prediction has the id \"{0}\"")]
    Unknown(String),
    /// What should have happened did not.
    #[error("prediction \"{id}\": the copy of the lab gave no answer: {why}")]
    NoAnswer {
        /// Which prediction.
        id: String,
        /// What went wrong.
        why: String,
    },
}

/// How a learner's work stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// Each step, in order.
    pub steps: Vec<StepReport>,
    /// The step to work on: the first that is not done and can be.
    pub current: Option<String>,
    /// The hint that fits the present state, for the current step.
    pub hint: Option<String>,
    /// Mistakes that are there to be seen now.
    pub mistakes: Vec<String>,
    /// Whether every step is done.
    pub finished: bool,
    /// How economical it was.
    pub score: Score,
    /// Expressions of the exercise that could not be evaluated: its author's mistakes.
    pub problems: Vec<String>,
}

/// How one step stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepReport {
    /// Which.
    pub id: String,
    /// When it was done; absent if it is not.
    pub done: Option<SimTime>,
    /// Whether the steps that it needs are done.
    pub open: bool,
    /// The present state in a few words, to stand beside the step's goal.
    pub present: Option<String>,
}

/// How economical it was. Less is better, but for the predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Score {
    /// Commands that were run.
    pub commands: u32,
    /// Seconds of virtual time until the last step was done, or until now.
    pub seconds: f64,
    /// GPU-seconds that pods held.
    pub gpu_seconds: f64,
    /// GPU-seconds that pods held while none of their containers ran.
    pub idle_gpu_seconds: f64,
    /// Hints that were read.
    pub hints: u32,
    /// Different mistakes that were made.
    pub mistakes: u32,
    /// Predictions that came true, and all that were made.
    pub predictions: (u32, u32),
}

impl Grader {
    /// A grader for the learner with that seed.
    ///
    /// # Errors
    ///
    /// An expression that is wrong with this learner's values only; loading the
    /// exercise has found all others.
    pub fn new(exercise: &Exercise, seed: u64) -> Result<Self, Problem> {
        let exercise = exercise.for_learner(seed);
        let mut uses = Uses::default();
        let mut parse = |text: &str, field: String| match Expression::parse(text) {
            Ok(expression) => {
                uses.add(expression.uses());
                Ok(expression)
            }
            Err(error) => Err(Problem { field, ..Problem::new(crate::exercise::YAML, error.to_string()) }),
        };
        let mut steps = Vec::new();
        for step in &exercise.steps {
            let parse_hint =
                |when: &String, parse: &mut dyn FnMut(&str, String) -> Result<Expression, Problem>| {
                    parse(when, format!("hints of step \"{}\"", step.id))
                };
            let check = parse(&step.check, format!("check of step \"{}\"", step.id))?;
            let present = step.present.as_ref();
            let present =
                present.map(|text| parse(text, format!("present of step \"{}\"", step.id))).transpose()?;
            let hints = step
                .hints
                .iter()
                .map(|hint| hint.when.as_ref().map(|when| parse_hint(when, &mut parse)).transpose());
            steps.push(StepChecks { check, present, hints: hints.collect::<Result<_, _>>()? });
        }
        let mistakes = exercise.mistakes.iter();
        let mistakes =
            mistakes.map(|m| parse(&m.when, format!("mistake \"{}\"", m.id))).collect::<Result<_, _>>()?;
        let answers = exercise.predictions.iter();
        let answers = answers
            .map(|p| parse(&p.answer, format!("answer of prediction \"{}\"", p.id)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            exercise,
            env: Arc::new(Env::stdlib()),
            steps,
            mistakes,
            answers,
            uses,
            progress: Progress::default(),
            gpus: GpuMeter::default(),
            commands: CommandMeter::default(),
            seen: None,
            report: Report::default(),
        })
    }

    /// The exercise as this learner has it.
    pub const fn exercise(&self) -> &Exercise {
        &self.exercise
    }

    /// What the learner has reached.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Goes on from what was reached before.
    pub fn restore(&mut self, progress: Progress) {
        self.progress = progress;
        self.seen = None;
    }

    /// The spec of the lab that the learner begins with.
    ///
    /// # Errors
    ///
    /// As [`LabSpec::from_yaml`]; loading the exercise has tried it.
    pub fn lab_spec(&self) -> Result<LabSpec, SpecError> {
        let mut spec = LabSpec::from_yaml(&self.exercise.lab)?;
        spec.files.extend(self.exercise.files.clone());
        Ok(spec)
    }

    /// The lab that the learner begins with.
    ///
    /// # Errors
    ///
    /// A spec that makes no cluster.
    pub fn start_lab(&self) -> Result<Lab, SpecError> {
        Lab::new(self.lab_spec()?)
    }

    /// Looks at the lab: what is done, what stands in the way.
    pub fn evaluate(&mut self, lab: &Lab) -> &Report {
        let state = (lab.digest(), lab.now());
        if self.seen != Some(state) {
            // The journal tells of every object and file; logs and the clock move without it.
            let same = self.seen.is_some_and(|(digest, _)| digest == state.0);
            self.seen = Some(state);
            self.gpus.follow(lab.api(), lab.now());
            if !same || self.uses.moves() {
                let world = Arc::new(World::of(lab, &self.uses));
                match world.context(&self.env) {
                    Ok(context) => self.judge(lab.now(), &context),
                    Err(error) => self.report.problems = vec![error.to_string()],
                }
            }
            self.score(lab);
        }
        &self.report
    }

    fn judge(&mut self, now: SimTime, context: &Context<'_, '_>) {
        let mut problems = Vec::new();
        let mut holds = |expression: &Expression| holds(expression, context, &mut problems);
        let mut steps: Vec<StepReport> = Vec::new();
        let mut current = None;
        for (step, checks) in self.exercise.steps.iter().zip(&self.steps) {
            let open = step.needs.iter().all(|need| self.progress.done.contains_key(need));
            if open && !self.progress.done.contains_key(&step.id) && holds(&checks.check) {
                self.progress.done.insert(step.id.clone(), now);
            }
            let done = self.progress.done.get(&step.id).copied();
            if open && done.is_none() && current.is_none() {
                let hint = checks.hints.iter().position(|when| when.as_ref().is_none_or(&mut holds));
                current = Some((step.id.clone(), hint.map(|index| step.hints[index].id.clone())));
            }
            let present = checks.present.as_ref().and_then(|present| present.text(context).ok().flatten());
            steps.push(StepReport { id: step.id.clone(), done, open, present });
        }
        let mistakes: Vec<String> = self
            .exercise
            .mistakes
            .iter()
            .zip(&self.mistakes)
            .filter(|(_, when)| holds(when))
            .map(|(mistake, _)| mistake.id.clone())
            .collect();
        let finished = steps.iter().all(|step| step.done.is_some());
        if !finished {
            self.progress.mistakes.extend(mistakes.iter().cloned());
        }
        let (current, hint) = current.unzip();
        let score = self.report.score;
        self.report = Report { steps, current, hint: hint.flatten(), mistakes, finished, score, problems };
    }

    fn score(&mut self, lab: &Lab) {
        let end = if self.report.finished {
            self.progress.done.values().copied().max().unwrap_or_else(|| lab.now())
        } else {
            lab.now()
        };
        let entries = lab.journal().entries();
        // The journal is in the order of time.
        let until = entries.partition_point(|entry| entry.at <= end);
        let (held, idle) = self.gpus.gpu_seconds();
        let guesses = self.progress.guesses.values();
        self.report.score = Score {
            commands: self.commands.count(&entries[..until]),
            seconds: end.as_secs_f64(),
            gpu_seconds: held,
            idle_gpu_seconds: idle,
            hints: self.progress.hints.values().map(|level| u32::from(*level)).sum(),
            mistakes: self.progress.mistakes.len() as u32,
            predictions: (guesses.clone().filter(|guess| guess.right).count() as u32, guesses.count() as u32),
        };
    }

    /// Notes that the learner read a hint as far as `level` (1 to 3).
    pub fn hint_read(&mut self, id: &str, level: u8) {
        if self.exercise.hint(id).is_some() {
            let read = self.progress.hints.entry(id.to_owned()).or_default();
            *read = (*read).max(level.min(3));
            self.seen = None;
        }
    }

    /// Judges a prediction by playing it on a copy of `lab`. Only the first answer
    /// to a question counts; it is given back whenever it is asked again.
    ///
    /// # Errors
    ///
    /// [`PredictionError`]: an unknown id, or an exercise that is wrong.
    pub fn predict(&mut self, lab: &Lab, id: &str, answer: &str) -> Result<Guess, PredictionError> {
        if let Some(guess) = self.progress.guesses.get(id) {
            return Ok(guess.clone());
        }
        let actual = self.outcome(lab, id)?;
        let right = actual.trim().eq_ignore_ascii_case(answer.trim());
        let guess = Guess { answer: answer.trim().to_owned(), actual, right };
        self.progress.guesses.insert(id.to_owned(), guess.clone());
        self.seen = None;
        Ok(guess)
    }

    /// The right answer to a prediction, found on a copy of `lab`.
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn outcome(&self, lab: &Lab, id: &str) -> Result<String, PredictionError> {
        let found = self.exercise.predictions.iter().zip(&self.answers).find(|(p, _)| p.id == id);
        let (prediction, answer) = found.ok_or_else(|| PredictionError::Unknown(id.to_owned()))?;
        let mut copy = lab.clone();
        if copy.prompt() == Prompt::Busy {
            copy.interrupt();
        }
        for (path, text) in &prediction.files {
            copy.write_file(path, text);
        }
        let mut printed = String::new();
        for line in &prediction.run {
            printed.push_str(&copy.run(line).stderr);
        }
        copy.advance(Duration::from_secs(prediction.seconds));
        let no_answer =
            |why: String| PredictionError::NoAnswer { id: id.to_owned(), why: format!("{why} {printed}") };
        let context = Arc::new(World::of(&copy, answer.uses())).context(&self.env);
        context
            .and_then(|context| answer.text(&context))
            .map_err(|error| no_answer(error.to_string()))?
            .ok_or_else(|| no_answer("what it asks for is not there.".to_owned()))
    }
}

/// Whether an expression holds; one that cannot be evaluated does not.
fn holds(expression: &Expression, context: &Context<'_, '_>, problems: &mut Vec<String>) -> bool {
    expression.holds(context).unwrap_or_else(|error: CheckError| {
        problems.push(format!("{error} in: {}", expression.source()));
        false
    })
}
