//! What the page is told: everything that is different since it was told last.

use clusterlab::lab::view::LabView;
use clusterlab::lab::{Lab, Prompt};

use super::{LOOK_EVERY, Open};
use crate::delta::Delta;
use crate::protocol::{Answer, Clock, Progress, PromptState, Response, Score, StepState, Update};
use crate::worker::files;
use crate::worker::read::Reader;

impl Open {
    /// What is different since the page was last told.
    pub(super) fn update(&mut self) -> Response {
        let fresh = std::mem::take(&mut self.sent.fresh);
        if fresh {
            self.sent.reader = Reader::default();
            self.sent.view = LabView::default();
            #[cfg(feature = "slurm")]
            {
                self.sent.slurm = None;
                self.sent.comparison = None;
            }
        }
        let shown = self.past.as_ref().unwrap_or(&self.lab);
        let changed = fresh || shown.journal().len() != self.sent.reader.read();
        let (output, marks) = self.sent.reader.read_on(shown);
        let mut update = Update {
            fresh,
            prompt: prompt(shown),
            output,
            // While the past is shown, the time line keeps the marks of what came after.
            marks: if fresh && self.past.is_some() { Reader::default().read_on(&self.lab).1 } else { marks },
            ..Update::default()
        };
        if changed || self.ticks.is_multiple_of(LOOK_EVERY) {
            let view = LabView::of(shown);
            update.nodes = Delta::between(&self.sent.view.nodes, &view.nodes);
            update.pods = Delta::between(&self.sent.view.pods, &view.pods);
            update.events = Delta::between(&self.sent.view.events, &view.events);
            self.sent.view = view;
            #[cfg(feature = "slurm")]
            {
                let view = clusterlab::lab::slurm::view::SlurmView::of(shown).map(Box::new);
                if view != self.sent.slurm {
                    update.slurm.clone_from(&view);
                    self.sent.slurm = view;
                }
                let both = clusterlab::lab::slurm::compare::Comparison::of(shown).map(Box::new);
                if both != self.sent.comparison {
                    update.comparison.clone_from(&both);
                    self.sent.comparison = both;
                }
            }
        }
        // Jobs write their files without a word in the journal.
        #[cfg(feature = "slurm")]
        let changed = changed || (shown.slurm().is_some() && self.ticks.is_multiple_of(LOOK_EVERY));
        if changed {
            let texts = files::of(shown);
            update.files = files::changes(&self.sent.texts, &texts);
            self.sent.texts = texts;
        }
        let progress = self.progress();
        // A question is to be answered before time goes on.
        if progress.asked.is_some() && progress.asked != self.sent.progress.asked {
            self.playing = None;
            self.goal = None;
        }
        if progress != self.sent.progress || fresh {
            self.sent.progress = progress.clone();
            update.progress = Some(progress);
        }
        let shown = self.past.as_ref().unwrap_or(&self.lab);
        update.clock = Clock {
            shown: shown.now(),
            present: self.lab.now(),
            speed: self.playing,
            next: self.lab.next_event(),
        };
        Response::Update(Box::new(update))
    }

    fn progress(&mut self) -> Progress {
        let report = self.grader.evaluate(&self.lab).clone();
        let kept = self.grader.progress();
        let asked = self
            .grader
            .exercise()
            .predictions
            .iter()
            .find(|p| Some(&p.step) == report.current.as_ref() && !kept.guesses.contains_key(&p.id));
        Progress {
            steps: report
                .steps
                .into_iter()
                .map(|step| StepState {
                    id: step.id,
                    done: step.done.is_some(),
                    present: step.present.unwrap_or_default(),
                })
                .collect(),
            current: report.current,
            hint: report.hint.map(|id| {
                let read = kept.hints.get(&id).copied().unwrap_or(0);
                (id, read)
            }),
            mistakes: report.mistakes,
            asked: asked.map(|prediction| prediction.id.clone()),
            answers: kept
                .guesses
                .iter()
                .map(|(question, guess)| Answer {
                    question: question.clone(),
                    said: guess.answer.clone(),
                    actual: guess.actual.clone(),
                    right: guess.right,
                })
                .collect(),
            score: Score {
                commands: report.score.commands,
                // It is of interest in the end; before, it would change with every second.
                seconds: if report.finished { report.score.seconds as u64 } else { 0 },
                idle_gpu_seconds: report.score.idle_gpu_seconds as u64,
                hints: report.score.hints,
            },
        }
    }
}

fn prompt(lab: &Lab) -> PromptState {
    match lab.prompt() {
        Prompt::Ready(text) => PromptState::Ready(text),
        Prompt::Continuation(text) => PromptState::Continuation(text),
        Prompt::Busy => PromptState::Busy,
    }
}
