//! What is opened, and how the work is kept.

use clusterlab_exercises::Folder;
use gloo::timers::callback::Timeout;
use yew::prelude::*;

use std::rc::Rc;

use super::{App, AppMsg, KEEP_AFTER, KEY_LAST, Opening, Purpose, key_of};
use crate::dom;
use crate::i18n::Msg;
use crate::model::history::History;
use crate::model::lesson::Lesson;
use crate::model::saved::{Saved, SavedError};
use crate::protocol::Request;

impl App {
    /// What the first visit shows: a link's lab, the exercise that the address names, or the last one.
    pub(super) fn begin(&mut self, ctx: &Context<Self>) {
        let linked = Saved::from_link(&dom::fragment());
        let wanted = match &linked {
            Some(Ok(saved)) => Some(saved.exercise.clone()),
            _ => dom::parameter("exercise").or_else(|| dom::stored(KEY_LAST)),
        };
        let known = |id: &String| self.exercises.iter().any(|(known, _)| known == id);
        let exercise = wanted
            .filter(known)
            .or_else(|| self.exercises.first().map(|(id, _)| id.clone()))
            .unwrap_or_default();
        match linked {
            Some(Ok(saved)) => self.open_saved(ctx, &saved),
            Some(Err(error)) => {
                let text = error.text(self.lang);
                self.toast(ctx, text, true);
                self.open(ctx, &exercise);
            }
            None => self.open(ctx, &exercise),
        }
    }

    /// Opens an exercise, with the work that is kept of it.
    pub(super) fn open(&mut self, ctx: &Context<Self>, exercise: &str) {
        if Lesson::is_elsewhere(exercise) {
            return dom::go_to_exercise(Lesson::PAGE, exercise);
        }
        match dom::stored(&key_of(exercise)).map(|text| Saved::parse(&text)) {
            Some(Ok(saved)) if saved.exercise == exercise => self.open_saved(ctx, &saved),
            None => self.open_with(ctx, exercise, self.seed, None),
            Some(other) => {
                let error = other.err().unwrap_or(SavedError::NotALab);
                let text = self.lang.fill(Msg::StartedAfresh, &[&error.text(self.lang)]);
                self.toast(ctx, text, true);
                dom::forget(&key_of(exercise));
                self.open_with(ctx, exercise, self.seed, None);
            }
        }
    }

    pub(super) fn open_saved(&mut self, ctx: &Context<Self>, saved: &Saved) {
        if !self.exercises.iter().any(|(id, _)| *id == saved.exercise) {
            let text = self.lang.fill(Msg::UnknownExercise, &[&saved.exercise]);
            return self.toast(ctx, text, true);
        }
        if Lesson::is_elsewhere(&saved.exercise) {
            dom::store(&key_of(&saved.exercise), &saved.to_json());
            return dom::go_to_exercise(Lesson::PAGE, &saved.exercise);
        }
        let mut history = History::default();
        saved.history.iter().for_each(|line| history.push(line));
        *self.history.0.borrow_mut() = history;
        self.open_with(ctx, &saved.exercise, saved.seed, Some(saved.lab.to_string()));
    }

    /// Gets the exercise's files; [`Self::opened`] goes on when they are there.
    pub(super) fn open_with(
        &mut self,
        ctx: &Context<Self>,
        exercise: &str,
        seed: u64,
        saved: Option<String>,
    ) {
        self.seed = seed;
        self.model.open = false;
        self.held = false;
        dom::store(KEY_LAST, exercise);
        self.opening = Some(Opening { exercise: exercise.to_owned(), saved });
        let link = ctx.link().clone();
        let id = exercise.to_owned();
        crate::line::fetch_exercise(exercise, move |files| link.send_message(AppMsg::Fetched(id, files)));
    }

    /// The files are there, or cannot be had.
    pub(super) fn opened(&mut self, ctx: &Context<Self>, exercise: String, files: Result<String, String>) {
        // Meanwhile another one may have been asked for.
        let Some(Opening { saved, .. }) = self.opening.take_if(|opening| opening.exercise == exercise) else {
            return;
        };
        let files = files.and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        let lesson = files.and_then(|files| {
            let folder = Folder { name: exercise, files };
            let lesson = Lesson::load(&folder, self.seed).map_err(|error| error.to_string())?;
            Ok((lesson, folder))
        });
        match lesson {
            Ok((lesson, Folder { name: exercise, files })) => {
                self.lesson = Rc::new(lesson);
                self.dress();
                self.line.ask(Request::Open { exercise, files, seed: self.seed, saved });
            }
            Err(why) => {
                let text = self.lang.fill(Msg::ExerciseNotLoaded, &[&why]);
                self.toast(ctx, text, true);
            }
        }
    }

    pub(super) fn save(&mut self, purpose: Purpose) {
        if self.model.open {
            self.flush();
            let id = self.line.ask(Request::Save);
            self.purposes.insert(id, purpose);
        }
    }

    pub(super) fn saved(&mut self, ctx: &Context<Self>, purpose: Purpose, saved: &Saved) {
        match purpose {
            Purpose::Keep => {
                dom::store(&key_of(&saved.exercise), &saved.to_json());
            }
            Purpose::Export => {
                dom::download(&format!("{}.clusterlab.json", saved.exercise), &saved.to_json());
            }
            Purpose::Share => {
                let text = match (saved.to_link(), dom::address()) {
                    (Some(fragment), Some(address)) => {
                        let link = format!("{address}#{fragment}");
                        dom::replace_address(&link);
                        dom::copy(&link);
                        self.lang.text(Msg::LinkCopied)
                    }
                    _ => self.lang.text(Msg::LinkTooLong),
                };
                self.toast(ctx, text.to_owned(), false);
            }
        }
    }

    pub(super) fn timer(ctx: &Context<Self>, millis: u32) -> Timeout {
        let link = ctx.link().clone();
        Timeout::new(millis, move || link.send_message(AppMsg::Keep))
    }

    pub(super) fn keep_soon(&mut self, ctx: &Context<Self>) {
        self.keep_timer = Some(Self::timer(ctx, KEEP_AFTER));
    }
}
