//! What the page and the worker say to each other.
//!
//! Each message is one buffer of bytes, in [postcard](https://postcard.jamesmunns.com)'s format: values in the order of
//! their declaration, without names. Both sides are the same module, so that they always agree on it. The page numbers what
//! it asks; an answer that belongs to a question carries its number, and what the worker says of itself (time has passed,
//! something was printed) carries none. The page never waits: any number of questions may be under way.

use std::collections::BTreeMap;

use clusterlab::lab::view::{EventView, NodeView, PodView, WhyView};
use clusterlab::sim::SimTime;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::delta::Delta;

/// A message as bytes.
///
/// # Errors
///
/// None in practice: every message is plain data whose length is known.
pub fn write(message: &impl Serialize) -> postcard::Result<Vec<u8>> {
    postcard::to_allocvec(message)
}

/// A message from its bytes.
///
/// # Errors
///
/// The bytes are no such message.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> postcard::Result<T> {
    postcard::from_bytes(bytes)
}

/// What the page asks, with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToWorker {
    /// The number of the question.
    pub id: u64,
    /// What is asked.
    pub request: Request,
}

/// What the worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromWorker {
    /// The question that it answers.
    pub id: Option<u64>,
    /// What is said.
    pub response: Response,
}

/// A question of the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Start this exercise; with `saved`, go on where that lab was.
    Open {
        /// Its id.
        exercise: String,
        /// Its files, by path.
        files: BTreeMap<String, String>,
        /// The learner's seed, from which an exercise draws its numbers.
        seed: u64,
        /// A saved lab, as JSON.
        saved: Option<String>,
    },
    /// A line was entered at the terminal.
    Type {
        /// Without its newline.
        line: String,
        /// One of several that were pasted: it waits for the prompt instead of being the input of
        /// the program that runs.
        queued: bool,
    },
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line.
    EndOfFile,
    /// What could stand at the cursor?
    Complete {
        /// The line as it stands.
        line: String,
        /// Where the cursor is, in bytes.
        cursor: usize,
    },
    /// Let time pass, that many simulated seconds per second.
    Play {
        /// How fast.
        speed: u32,
    },
    /// Let time stand still; also ends a long advance early.
    Pause,
    /// Let that much time pass at once.
    Advance {
        /// How much, in nanoseconds.
        nanos: u64,
    },
    /// Go to the next instant at which something happens.
    NextEvent,
    /// Show the cluster as it was at that instant; the lab itself stays where it is.
    Look {
        /// When.
        at: SimTime,
    },
    /// Show the present again.
    Return,
    /// Make the instant that is shown the present: what came after is forgotten.
    ContinueHere,
    /// Take the last command back.
    Undo,
    /// Begin the exercise again.
    Reset,
    /// Files that the learner edited; `None` deletes.
    Files {
        /// Path and text.
        writes: Vec<(String, Option<String>)>,
    },
    /// What is wrong with this manifest?
    Diagnose {
        /// Which file.
        path: String,
        /// Which state of it.
        revision: u64,
        /// Its text.
        text: String,
    },
    /// What the learner says will happen.
    Predict {
        /// The question's id.
        question: String,
        /// The choice's id.
        choice: String,
    },
    /// The learner reads a hint.
    ReadHint {
        /// Its id.
        hint: String,
        /// How many of its parts, 1 to 3.
        level: u8,
    },
    /// Why is this pod where it is?
    Why {
        /// Its namespace.
        namespace: String,
        /// Its name.
        pod: String,
    },
    /// Why is this job of Slurm where it is?
    #[cfg(feature = "slurm")]
    WhyJob {
        /// As `squeue` shows it: `7`, `7_3`.
        id: String,
    },
    /// The whole lab, to keep.
    Save,
}

/// What the worker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Response {
    /// The exercise is open; an [`Update`] with everything follows.
    Opened {
        /// Its id.
        exercise: String,
        /// The seed that was used.
        seed: u64,
        /// Why the saved lab could not be used, if one was given and it could not.
        refused: Option<String>,
    },
    /// Something is different now.
    Update(Box<Update>),
    /// A long advance is under way.
    Progress {
        /// How far, 0 to 1000.
        permille: u32,
    },
    /// What could stand at the cursor.
    Completion {
        /// The line that was asked about.
        line: String,
        /// Where the word begins, in bytes.
        start: usize,
        /// The words.
        candidates: Vec<String>,
    },
    /// What is wrong with a manifest.
    Diagnostics {
        /// Which file.
        path: String,
        /// Which state of it.
        revision: u64,
        /// What, in the order of the text.
        problems: Vec<Problem>,
    },
    /// Why that pod is where it is.
    Why(Option<WhyView>),
    /// Why that job is where it is.
    #[cfg(feature = "slurm")]
    WhyJob(Option<Box<clusterlab::lab::slurm::view::JobWhy>>),
    /// The whole lab and what was reached in it, as JSON.
    Saved {
        /// Of which exercise: the page may have gone on to another.
        exercise: String,
        /// The seed that it was drawn with.
        seed: u64,
        /// For [`Request::Open`].
        lab: String,
    },
    /// It could not be done.
    Failed {
        /// Why, for people.
        message: String,
    },
}

/// One thing that is wrong with a manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
}

/// A piece of what stands in the terminal. The terminal is the journal, read aloud: looking at
/// the past shows it as it was then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Chunk {
    /// The prompt and what was typed after it.
    Input(String),
    /// What was typed for the program that runs: it stands behind what that printed last, a prompt of its own.
    Reply(String),
    /// What a program printed, with escape sequences.
    Output(String),
    /// Older lines were left out.
    Omitted,
}

/// What the terminal waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromptState {
    /// A command; this is the prompt.
    Ready(String),
    /// The rest of a command; this is the prompt.
    Continuation(String),
    /// A program runs.
    Busy,
}

impl Default for PromptState {
    fn default() -> Self {
        Self::Ready("$ ".to_owned())
    }
}

/// A mark on the time line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Where.
    pub at: SimTime,
    /// What kind of thing happened.
    pub kind: MarkKind,
    /// What, in a few words.
    pub text: String,
}

/// What kind of thing a mark on the time line stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MarkKind {
    /// The learner typed something.
    Command,
    /// The cluster did something.
    Normal,
    /// Something went wrong.
    Warning,
}

/// The clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The instant that is shown.
    pub shown: SimTime,
    /// The present of the lab; later than `shown` while the learner looks back.
    pub present: SimTime,
    /// Simulated seconds per second, while time passes.
    pub speed: Option<u32>,
    /// When the next thing happens, as far as is known.
    pub next: Option<SimTime>,
}

impl Clock {
    /// Whether the learner looks at the past.
    pub fn looking_back(&self) -> bool {
        self.shown < self.present
    }
}

/// How far the learner is with the exercise. The page has the exercise's texts; only ids and
/// values of the moment travel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The steps in order.
    pub steps: Vec<StepState>,
    /// The step to work on.
    pub current: Option<String>,
    /// The hint for the present state, and how many of its parts were read.
    pub hint: Option<(String, u8)>,
    /// Wrong turns that the exercise has a word about.
    pub mistakes: Vec<String>,
    /// A question to answer before time goes on.
    pub asked: Option<String>,
    /// Questions that were answered.
    pub answers: Vec<Answer>,
    /// How economical it was.
    pub score: Score,
}

/// How far one step is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepState {
    /// Its id.
    pub id: String,
    /// Whether it is done.
    pub done: bool,
    /// The present state beside the goal, in a few words of Markdown.
    pub present: String,
}

/// How a prediction came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's id.
    pub question: String,
    /// What the learner said.
    pub said: String,
    /// What happened on a copy of the lab.
    pub actual: String,
    /// Whether the two agree.
    pub right: bool,
}

/// How economical it was; less is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Commands that were run.
    pub commands: u32,
    /// Simulated seconds until all was done, or until now.
    pub seconds: u64,
    /// GPU-seconds that pods held while no container of theirs ran.
    pub idle_gpu_seconds: u64,
    /// Hints that were read.
    pub hints: u32,
}

/// Everything that is different since the last update.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Update {
    /// Forget everything that was known before: a lab was opened, or time went back.
    pub fresh: bool,
    /// The clock.
    pub clock: Clock,
    /// Machines.
    pub nodes: Delta<NodeView>,
    /// Pods.
    pub pods: Delta<PodView>,
    /// Events.
    pub events: Delta<EventView>,
    /// The Slurm cluster, if it changed.
    #[cfg(feature = "slurm")]
    pub slurm: Option<Box<clusterlab::lab::slurm::view::SlurmView>>,
    /// Both halves of a lab that has Kubernetes and Slurm, if they changed.
    #[cfg(feature = "slurm")]
    pub comparison: Option<Box<clusterlab::lab::slurm::compare::Comparison>>,
    /// What was typed and printed.
    pub output: Vec<Chunk>,
    /// What the terminal waits for.
    pub prompt: PromptState,
    /// Marks of the time line that are new.
    pub marks: Vec<Mark>,
    /// Files that are new or changed, and those that are gone.
    pub files: Vec<(String, Option<String>)>,
    /// How far the learner is, if that changed.
    pub progress: Option<Progress>,
}
