//! What the page knows, and nothing more than that: plain Rust, tested natively.
//!
//! The components draw a [`Model`]; the only things that change it are the
//! worker's messages ([`Model::receive`]) and a few choices of the learner that
//! the lab does not know of (which file is open, which pod is selected).

pub mod ansi;
pub mod buffers;
pub mod clock;
pub mod cluster;
pub mod complete;
pub mod highlight;
pub mod history;
pub mod lesson;
pub mod saved;
#[cfg(feature = "slurm")]
pub mod slurm;
pub mod why;

use std::collections::BTreeMap;
use std::rc::Rc;

use clusterlab::lab::view::{EventView, NodeView, PodView, WhyView};

use crate::protocol::{Chunk, Clock, Mark, Progress, PromptState, Response, Update};
use ansi::{LineKind, Screen};
use buffers::Buffers;

/// Nodes by name.
pub type Nodes = BTreeMap<String, Rc<NodeView>>;
/// Pods by namespace and name.
pub type Pods = BTreeMap<(String, String), Rc<PodView>>;
/// Events by namespace and name.
pub type Events = BTreeMap<String, Rc<EventView>>;

/// What the learner looks at closely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// A pod, by namespace and name.
    Pod(String, String),
    /// A node, by name.
    Node(String),
    /// A job of Slurm, as `squeue` shows it.
    #[cfg(feature = "slurm")]
    Job(String),
}

/// Everything that the page draws. Its parts are shared, so that a component whose part did not
/// change sees that at once.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Whether a lab is open.
    pub open: bool,
    /// The clock.
    pub clock: Clock,
    /// Machines.
    pub nodes: Rc<Nodes>,
    /// Pods.
    pub pods: Rc<Pods>,
    /// Events.
    pub events: Rc<Events>,
    /// The terminal.
    pub screen: Rc<Screen>,
    /// What the terminal waits for.
    pub prompt: Rc<PromptState>,
    /// Marks on the time line.
    pub marks: Rc<Vec<Mark>>,
    /// The files in the editor.
    pub buffers: Rc<Buffers>,
    /// How far the learner is.
    pub progress: Rc<Progress>,
    /// How far a long advance is, in thousandths.
    pub advancing: Option<u32>,
    /// What the learner looks at closely.
    pub selection: Option<Selection>,
    /// Why the selected pod is where it is.
    pub why: Option<Rc<WhyView>>,
    /// The Slurm cluster, if the lab has one.
    #[cfg(feature = "slurm")]
    pub slurm: Option<slurm::Slurm>,
    /// Both halves of a lab that has Kubernetes and Slurm.
    #[cfg(feature = "slurm")]
    pub comparison: Option<Rc<clusterlab::lab::slurm::compare::Comparison>>,
    /// Why the selected job is where it is.
    #[cfg(feature = "slurm")]
    pub job_why: Option<Rc<clusterlab::lab::slurm::view::JobWhy>>,
}

/// What the page has to do besides drawing, after a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell the learner that the saved lab could not be used.
    Refused(String),
    /// Tell the learner what could not be done.
    Failed(String),
    /// Keep this lab.
    Keep {
        /// Of which exercise.
        exercise: String,
        /// The seed that it was drawn with.
        seed: u64,
        /// Its JSON.
        lab: String,
    },
    /// Offer these words at the prompt.
    Offer {
        /// The line that was asked about.
        line: String,
        /// Where the word begins, in bytes.
        start: usize,
        /// The words.
        candidates: Vec<String>,
    },
    /// These steps have just been done, by their place in the exercise.
    StepsDone(Vec<usize>),
    /// The selected pod changed: ask again why it is where it is.
    AskWhy,
}

impl Model {
    /// Takes a message of the worker.
    pub fn receive(&mut self, response: Response) -> Vec<Effect> {
        match response {
            Response::Opened { refused, .. } => {
                self.open = true;
                self.advancing = None;
                self.selection = None;
                self.why = None;
                #[cfg(feature = "slurm")]
                {
                    self.slurm = None;
                    self.comparison = None;
                    self.job_why = None;
                }
                Rc::make_mut(&mut self.buffers).clear();
                self.progress = Rc::default();
                refused.map(Effect::Refused).into_iter().collect()
            }
            Response::Update(update) => self.update(*update),
            Response::Progress { permille } => {
                self.advancing = Some(permille);
                Vec::new()
            }
            Response::Completion { line, start, candidates } => {
                vec![Effect::Offer { line, start, candidates }]
            }
            Response::Diagnostics { path, revision, problems } => {
                Rc::make_mut(&mut self.buffers).diagnosed(&path, revision, problems);
                Vec::new()
            }
            Response::Why(why) => {
                let wanted = |why: &WhyView| {
                    self.selection == Some(Selection::Pod(why.namespace.clone(), why.pod.clone()))
                };
                self.why = why.filter(wanted).map(Rc::new);
                Vec::new()
            }
            #[cfg(feature = "slurm")]
            Response::WhyJob(why) => {
                let wanted = |why: &clusterlab::lab::slurm::view::JobWhy| {
                    let id = Selection::Job(why.job.id.clone());
                    let number = Selection::Job(why.job.job_id.to_string());
                    self.selection.as_ref().is_some_and(|selected| *selected == id || *selected == number)
                };
                self.job_why = why.map(|why| *why).filter(wanted).map(Rc::new);
                Vec::new()
            }
            Response::Saved { exercise, seed, lab } => vec![Effect::Keep { exercise, seed, lab }],
            Response::Failed { message } => vec![Effect::Failed(message)],
        }
    }

    fn update(&mut self, update: Update) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.advancing = None;
        if update.fresh {
            self.nodes = Rc::default();
            self.pods = Rc::default();
            self.events = Rc::default();
            self.marks = Rc::default();
            Rc::make_mut(&mut self.screen).clear();
        }
        if self.clock != update.clock {
            self.clock = update.clock;
        }
        if !update.nodes.is_empty() {
            update.nodes.apply(Rc::make_mut(&mut self.nodes));
        }
        if !update.pods.is_empty() {
            let selected = match &self.selection {
                Some(Selection::Pod(namespace, name)) => Some((namespace.clone(), name.clone())),
                _ => None,
            };
            let before = selected.as_ref().and_then(|key| self.pods.get(key)).cloned();
            update.pods.apply(Rc::make_mut(&mut self.pods));
            if selected.as_ref().is_some_and(|key| self.pods.get(key) != before.as_ref()) {
                effects.push(Effect::AskWhy);
            }
        }
        #[cfg(feature = "slurm")]
        if let Some(both) = update.comparison {
            self.comparison = Some(Rc::new(*both));
        }
        #[cfg(feature = "slurm")]
        if let Some(view) = update.slurm {
            self.slurm = Some(Rc::new(*view));
            if matches!(self.selection, Some(Selection::Job(_))) {
                effects.push(Effect::AskWhy);
            }
        }
        if !update.events.is_empty() {
            update.events.apply(Rc::make_mut(&mut self.events));
        }
        if !update.output.is_empty() {
            let screen = Rc::make_mut(&mut self.screen);
            for chunk in update.output {
                match chunk {
                    Chunk::Input(line) => screen.add(LineKind::Input, &line),
                    Chunk::Reply(line) => screen.reply(&line),
                    Chunk::Output(text) => screen.feed(&text),
                    Chunk::Omitted => screen.add(LineKind::Note, "…"),
                }
            }
        }
        if *self.prompt != update.prompt {
            self.prompt = Rc::new(update.prompt);
        }
        if !update.marks.is_empty() {
            Rc::make_mut(&mut self.marks).extend(update.marks);
        }
        if !update.files.is_empty() {
            let buffers = Rc::make_mut(&mut self.buffers);
            for (path, text) in update.files {
                buffers.from_lab(path, text);
            }
        }
        if let Some(progress) = update.progress {
            // Looking back shows old states; only the present can tick a step off.
            let done = newly_done(&self.progress, &progress);
            if !done.is_empty() && !self.progress.steps.is_empty() && !update.fresh {
                effects.push(Effect::StepsDone(done));
            }
            self.progress = Rc::new(progress);
        }
        effects
    }
}

fn newly_done(before: &Progress, after: &Progress) -> Vec<usize> {
    let was = |id: &str| before.steps.iter().any(|step| step.id == id && step.done);
    after.steps.iter().enumerate().filter(|(_, step)| step.done && !was(&step.id)).map(|(at, _)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delta::Delta;
    use crate::protocol::StepState;

    fn pod(name: &str, phase: &str) -> PodView {
        PodView { namespace: "default".into(), name: name.into(), phase: phase.into(), ..PodView::default() }
    }

    fn update(pods: Vec<PodView>) -> Update {
        Update { pods: Delta { put: pods, gone: Vec::new() }, ..Update::default() }
    }

    #[test]
    fn parts_that_did_not_change_stay_the_very_same() {
        let mut model = Model::default();
        model.receive(Response::Update(Box::new(update(vec![pod("a", "Pending")]))));
        let (nodes, pods) = (model.nodes.clone(), model.pods.clone());
        model.receive(Response::Update(Box::new(update(vec![pod("a", "Running")]))));
        assert!(Rc::ptr_eq(&nodes, &model.nodes));
        assert!(!Rc::ptr_eq(&pods, &model.pods));
    }

    #[test]
    fn a_step_that_turns_green_is_told_once() {
        let mut model = Model::default();
        let with = |steps: &[(&str, bool)]| {
            let steps = steps
                .iter()
                .map(|(id, done)| StepState { id: (*id).to_owned(), done: *done, ..StepState::default() })
                .collect();
            Response::Update(Box::new(Update {
                progress: Some(Progress { steps, ..Progress::default() }),
                ..Update::default()
            }))
        };
        assert_eq!(model.receive(with(&[("a", false), ("b", false)])), []);
        assert_eq!(model.receive(with(&[("a", true), ("b", false)])), [Effect::StepsDone(vec![0])]);
        assert_eq!(model.receive(with(&[("a", true), ("b", false)])), []);
    }

    #[test]
    fn a_change_of_the_selected_pod_asks_why_again_and_a_late_answer_about_another_is_dropped() {
        let selection = Some(Selection::Pod("default".into(), "a".into()));
        let mut model = Model { selection, ..Model::default() };
        assert_eq!(model.receive(Response::Update(Box::new(update(vec![pod("b", "Pending")])))), []);
        let effects = model.receive(Response::Update(Box::new(update(vec![pod("a", "Pending")]))));
        assert_eq!(effects, [Effect::AskWhy]);
        let why = |pod: &str| WhyView { namespace: "default".into(), pod: pod.into(), attempts: Vec::new() };
        model.receive(Response::Why(Some(why("b"))));
        assert!(model.why.is_none());
        model.receive(Response::Why(Some(why("a"))));
        assert!(model.why.is_some());
    }

    #[test]
    fn going_back_shows_the_terminal_of_that_moment() {
        let mut model = Model::default();
        let said = |fresh, text: &str| {
            let output = vec![Chunk::Input(format!("$ {text}")), Chunk::Output(format!("{text}!\n"))];
            Response::Update(Box::new(Update { fresh, output, ..Update::default() }))
        };
        model.receive(said(true, "one"));
        model.receive(said(false, "two"));
        assert_eq!(model.screen.text(), "$ one\none!\n$ two\ntwo!\n");
        model.receive(said(true, "one"));
        assert_eq!(model.screen.text(), "$ one\none!\n");
    }
}
