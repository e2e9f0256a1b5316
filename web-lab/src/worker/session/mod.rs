//! One learner's lab in the worker: what the page asks is done here, and what
//! changed is said.

mod update;

use std::collections::VecDeque;
use std::time::Duration;

use clusterlab::kube::decode::{Dialect, decode};
use clusterlab::kube::manifest;
use clusterlab::lab::view::{LabView, WhyView};
use clusterlab::lab::{Input, Lab, Prompt, SavedLab};
use clusterlab::sim::SimTime;
use clusterlab_exercises::{self as exercises, Exercise, Folder, Grader};
use serde::{Deserialize, Serialize};

use crate::protocol::{Problem, Progress, Request, Response};
use crate::worker::files::Texts;
use crate::worker::read::Reader;

/// "Next event" looks no further than this.
const FURTHEST: Duration = Duration::from_secs(24 * 3600);
/// Time stands still by itself after this long without anything to see.
const REST_AFTER: Duration = Duration::from_secs(120);
/// The picture is looked at again after this many ticks even if nothing was journalled:
/// temperatures and utilisation move by themselves.
const LOOK_EVERY: u32 = 10;

/// The worker's side of the page: empty until an exercise is opened.
#[derive(Default)]
pub struct Session {
    open: Option<Open>,
}

/// A lab and what was reached in it, as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Kept {
    lab: SavedLab,
    #[serde(default)]
    progress: exercises::Progress,
}

struct Open {
    exercise: String,
    seed: u64,
    grader: Grader,
    lab: Lab,
    /// A copy that looks at the past.
    past: Option<Lab>,
    playing: Option<u32>,
    /// When the learner last let time pass.
    played: SimTime,
    goal: Option<Goal>,
    /// Pasted lines that wait for the prompt.
    queue: VecDeque<String>,
    sent: Sent,
    ticks: u32,
}

/// A long advance.
#[derive(Clone, Copy)]
struct Goal {
    from: SimTime,
    to: SimTime,
    /// Stop as soon as something is worth a look.
    first_news: bool,
}

/// What the page knows.
#[derive(Default)]
struct Sent {
    fresh: bool,
    reader: Reader,
    view: LabView,
    texts: Texts,
    progress: Progress,
    #[cfg(feature = "slurm")]
    slurm: Option<Box<clusterlab::lab::slurm::view::SlurmView>>,
    #[cfg(feature = "slurm")]
    comparison: Option<Box<clusterlab::lab::slurm::compare::Comparison>>,
}

fn failed(message: impl Into<String>) -> Vec<Response> {
    vec![Response::Failed { message: message.into() }]
}

impl Session {
    /// Whether time passes: whether [`tick`](Self::tick) is wanted.
    pub fn moves(&self) -> bool {
        self.open
            .as_ref()
            .is_some_and(|open| open.past.is_none() && (open.playing.is_some() || open.goal.is_some()))
    }

    /// Whether a long advance is under way.
    pub fn is_advancing(&self) -> bool {
        self.open.as_ref().is_some_and(|open| open.goal.is_some())
    }

    /// Lets time pass: `elapsed` of the visitor's, for as long as `more` allows. Answers what changed.
    pub fn tick(&mut self, elapsed: Duration, more: &mut dyn FnMut() -> bool) -> Vec<Response> {
        if !self.moves() {
            return Vec::new();
        }
        self.open.as_mut().map_or_else(Vec::new, |open| open.tick(elapsed, more))
    }

    /// Does what the page asks. The first answer is the one to the question.
    pub fn handle(&mut self, request: Request) -> Vec<Response> {
        match request {
            Request::Open { exercise, files, seed, saved } => {
                self.begin(&Folder { name: exercise, files }, seed, saved.as_deref())
            }
            Request::Diagnose { path, revision, text } => {
                let problems = manifest::diagnose(&text).into_iter().map(|problem| Problem {
                    line: problem.line,
                    column: problem.column,
                    message: problem.message,
                    hint: problem.hint,
                });
                vec![Response::Diagnostics { path, revision, problems: problems.collect() }]
            }
            request => match &mut self.open {
                Some(open) => open.handle(request),
                None => failed("no exercise is open"),
            },
        }
    }

    fn begin(&mut self, folder: &Folder, seed: u64, saved: Option<&str>) -> Vec<Response> {
        let found = match Exercise::from_folder(folder) {
            Ok(found) => found,
            Err(error) => return failed(error.to_string()),
        };
        let mut grader = match Grader::new(&found, seed) {
            Ok(grader) => grader,
            Err(error) => return failed(error.to_string()),
        };
        let mut refused = None;
        let restored = saved.and_then(|text| match restore(text, &grader) {
            Ok((lab, progress)) => {
                grader.restore(progress);
                Some(lab)
            }
            Err(why) => {
                refused = Some(why);
                None
            }
        });
        let lab = match restored.map_or_else(|| grader.start_lab(), Ok) {
            Ok(lab) => lab,
            Err(error) => return failed(error.to_string()),
        };
        let mut open = Open {
            exercise: folder.name.clone(),
            seed,
            grader,
            lab,
            past: None,
            playing: None,
            played: SimTime::ZERO,
            goal: None,
            queue: VecDeque::new(),
            sent: Sent { fresh: true, ..Sent::default() },
            ticks: 0,
        };
        let update = open.update();
        self.open = Some(open);
        vec![Response::Opened { exercise: folder.name.clone(), seed, refused }, update]
    }
}

fn restore(text: &str, grader: &Grader) -> Result<(Lab, exercises::Progress), String> {
    // By the decoder of the lab's own files: a second one for the same types would be twice as much to download.
    let tree: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let kept = decode::<Kept>(&tree, Dialect::Plain);
    if let Some(problem) = kept.problems.first() {
        return Err(format!("{}: {}", problem.path, problem.kind));
    }
    let kept = kept.value.ok_or("nothing is in it")?;
    // A lab of this exercise begins as this exercise does.
    let spec = grader.lab_spec().map_err(|error| error.to_string())?;
    if kept.lab.spec != spec {
        return Err("the exercise has changed since".to_owned());
    }
    let lab = Lab::restore(&kept.lab).map_err(|error| error.to_string())?;
    Ok((lab, kept.progress))
}

impl Open {
    fn handle(&mut self, request: Request) -> Vec<Response> {
        match request {
            Request::Type { line, queued } => {
                if self.past.is_none() {
                    if queued && self.lab.prompt() == Prompt::Busy || !self.queue.is_empty() {
                        self.queue.push_back(line);
                    } else {
                        self.lab.type_line(&line);
                    }
                }
            }
            Request::Interrupt => {
                self.queue.clear();
                self.goal = None;
                if self.past.is_none() {
                    self.lab.interrupt();
                }
            }
            Request::EndOfFile if self.past.is_none() => self.lab.end_of_file(),
            Request::Complete { line, cursor } => {
                let found = self.lab.complete(&line, cursor);
                return vec![Response::Completion { line, start: found.start, candidates: found.candidates }];
            }
            Request::Play { speed } => {
                if self.past.take().is_some() {
                    self.sent.fresh = true;
                }
                self.playing = Some(speed.max(1));
                self.played = self.lab.now();
            }
            Request::Pause => {
                self.playing = None;
                self.goal = None;
            }
            Request::Advance { nanos } => self.advance(Duration::from_nanos(nanos), false),
            Request::NextEvent => self.advance(FURTHEST, true),
            Request::Look { at } => self.look(at),
            Request::Return => self.look(SimTime::MAX),
            Request::ContinueHere => {
                if let Some(mut past) = self.past.take() {
                    past.forget_future();
                    self.lab = past;
                    self.sent.fresh = true;
                }
            }
            Request::Undo => {
                if self.past.take().is_some() {
                    self.sent.fresh = true;
                }
                return if self.undo() { vec![self.update()] } else { Vec::new() };
            }
            Request::Reset => match self.grader.start_lab() {
                Ok(lab) => {
                    self.lab = lab;
                    self.past = None;
                    self.playing = None;
                    self.goal = None;
                    self.queue.clear();
                    self.grader.restore(exercises::Progress::default());
                    self.sent = Sent { fresh: true, ..Sent::default() };
                }
                Err(error) => return failed(error.to_string()),
            },
            Request::Files { writes } => self.write(writes),
            Request::Predict { question, choice } => {
                if let Err(error) = self.grader.predict(&self.lab, &question, &choice) {
                    return failed(error.to_string());
                }
            }
            Request::ReadHint { hint, level } => self.grader.hint_read(&hint, level),
            Request::Why { namespace, pod } => {
                let lab = self.past.as_ref().unwrap_or(&self.lab);
                return vec![Response::Why(WhyView::of(lab, &namespace, &pod))];
            }
            #[cfg(feature = "slurm")]
            Request::WhyJob { id } => {
                let lab = self.past.as_ref().unwrap_or(&self.lab);
                return vec![Response::WhyJob(lab.why_job(&id).map(Box::new))];
            }
            Request::Save => return vec![self.save()],
            Request::EndOfFile | Request::Open { .. } | Request::Diagnose { .. } => return Vec::new(),
        }
        vec![self.update()]
    }

    fn save(&self) -> Response {
        let kept = Kept { lab: self.lab.save(), progress: self.grader.progress().clone() };
        match serde_json::to_string(&kept) {
            Ok(lab) => Response::Saved { exercise: self.exercise.clone(), seed: self.seed, lab },
            Err(error) => Response::Failed { message: error.to_string() },
        }
    }

    fn advance(&mut self, span: Duration, first_news: bool) {
        if self.past.is_none() {
            let from = self.goal.map_or_else(|| self.lab.now(), |goal| goal.to);
            self.goal = Some(Goal { from: self.lab.now(), to: from + span, first_news });
        }
    }

    /// Shows the lab as it was at `at`. The copy knows the future, so that it can be moved both ways.
    fn look(&mut self, at: SimTime) {
        if at >= self.lab.now() {
            if self.past.take().is_some() {
                self.sent.fresh = true;
            }
            return;
        }
        self.playing = None;
        self.goal = None;
        let past = self.past.get_or_insert_with(|| self.lab.clone());
        if at < past.now() {
            past.rewind(at);
        } else {
            past.advance_to(at);
        }
        self.sent.fresh = true;
    }

    /// Takes back the last line that was typed. What was edited since stays as it is in the editor.
    fn undo(&mut self) -> bool {
        let typed = |input: &Input| !matches!(input, Input::WriteFile { .. });
        if !self.lab.inputs().iter().any(|entry| typed(&entry.event)) {
            return false;
        }
        self.queue.clear();
        self.goal = None;
        self.playing = None;
        let mut edits: Vec<(String, String)> = Vec::new();
        while let Some(last) = self.lab.inputs().last().map(|entry| entry.event.clone()) {
            if !self.lab.undo() {
                break;
            }
            match last {
                Input::WriteFile { path, text } => {
                    if !edits.iter().any(|(edited, _)| *edited == path) {
                        edits.push((path, text));
                    }
                }
                _ => break,
            }
        }
        for (path, text) in edits.into_iter().rev() {
            self.lab.write_file(&path, &text);
        }
        self.sent.fresh = true;
        true
    }

    fn write(&mut self, writes: Vec<(String, Option<String>)>) {
        for (path, text) in writes {
            match text {
                // The page shows this text already.
                Some(text) => {
                    self.lab.write_file(&path, &text);
                    self.sent.texts.insert(path, text);
                }
                None => self.lab.type_line(&format!("rm -- '{}'", path.replace('\'', "'\\''"))),
            }
        }
    }

    fn tick(&mut self, elapsed: Duration, more: &mut dyn FnMut() -> bool) -> Vec<Response> {
        self.ticks += 1;
        if let Some(goal) = self.goal {
            if self.run_to(goal, more) {
                self.goal = None;
            } else {
                self.feed();
                let whole = (goal.to - goal.from).as_nanos().max(1);
                let done = (self.lab.now() - goal.from).as_nanos();
                let permille = u32::try_from(done * 1000 / whole).unwrap_or(1000).min(1000);
                return vec![Response::Progress { permille }];
            }
        } else if let Some(speed) = self.playing {
            // What cannot be simulated in time is not caught up with: the clock goes slower instead.
            let to = self.lab.now() + elapsed.saturating_mul(speed);
            self.run_to(Goal { from: self.lab.now(), to, first_news: false }, more);
            if self.rests() {
                self.playing = None;
            }
        }
        self.feed();
        vec![self.update()]
    }

    /// Runs until the goal is reached, or as long as `more` allows; whether it was reached.
    fn run_to(&mut self, goal: Goal, more: &mut dyn FnMut() -> bool) -> bool {
        let mut news = self.sent.reader.clone();
        loop {
            match self.lab.next_event().filter(|next| *next <= goal.to) {
                Some(next) => self.lab.advance_to(next.max(self.lab.now())),
                None => {
                    // Nothing is going to happen: "next event" does not run the clock for a day.
                    if !goal.first_news {
                        self.lab.advance_to(goal.to);
                    }
                    return true;
                }
            }
            if goal.first_news {
                let (printed, marks) = news.read_on(&self.lab);
                if !printed.is_empty() || !marks.is_empty() {
                    return true;
                }
            }
            if !more() {
                return false;
            }
        }
    }

    /// Whether nothing has happened for a while and nothing is going to: then time stands still
    /// until the learner does something.
    fn rests(&self) -> bool {
        let last = self.lab.journal().entries().last().map_or(SimTime::ZERO, |entry| entry.at);
        self.lab.next_event().is_none()
            && self.lab.prompt() != Prompt::Busy
            && self.lab.now().since(last.max(self.played)) > REST_AFTER
    }

    /// Types pasted lines as the prompt comes free.
    fn feed(&mut self) {
        while self.lab.prompt() != Prompt::Busy
            && let Some(line) = self.queue.pop_front()
        {
            self.lab.type_line(&line);
        }
    }
}
