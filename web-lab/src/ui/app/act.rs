//! What the learner does.

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast as _;
use yew::prelude::*;

use super::{App, KEY_LANG, KEY_THEME, Purpose, key_of};
use crate::dom;
use crate::i18n::Msg;
use crate::model::Selection;
use crate::model::buffers::NameError;
use crate::model::history::History;
use crate::model::lesson::Lesson;
use crate::model::saved::{Saved, SavedError};
use crate::protocol::Request;
use crate::ui::{Action, Dialog, Panel};

impl App {
    pub(super) fn act(&mut self, ctx: &Context<Self>, action: Action) -> bool {
        match action {
            Action::Ask(request) => {
                match &request {
                    Request::Undo | Request::ContinueHere | Request::Advance { .. } | Request::NextEvent => {
                        self.flush();
                        self.keep_soon(ctx);
                    }
                    Request::Interrupt => self.keep_soon(ctx),
                    _ => {}
                }
                self.line.ask(request);
            }
            Action::Type(line) => {
                self.enter(ctx, vec![line], false);
                return false;
            }
            Action::Paste(lines) => {
                self.enter(ctx, lines, true);
                return false;
            }
            Action::ClearTerminal => Rc::make_mut(&mut self.model.screen).clear(),
            Action::Edit { path, text } => {
                Rc::make_mut(&mut self.model.buffers).edit(&path, text);
                self.keep_soon(ctx);
            }
            Action::OpenFile(path) => Rc::make_mut(&mut self.model.buffers).select(&path),
            Action::NewFile(path) => match Rc::make_mut(&mut self.model.buffers).create(&path) {
                Ok(()) => {
                    self.dialog = None;
                    self.name_error = None;
                }
                Err(NameError::Invalid) => self.name_error = Some(Msg::FileNameInvalid),
                Err(NameError::Taken) => self.name_error = Some(Msg::FileNameTaken),
            },
            Action::DeleteFile(path) => {
                Rc::make_mut(&mut self.model.buffers).remove(&path);
                self.line.ask(Request::Files { writes: vec![(path, None)] });
            }
            Action::Select(selection) => {
                self.model.why = None;
                #[cfg(feature = "slurm")]
                {
                    self.model.job_why = None;
                }
                if selection.is_some() && self.panel == Panel::Cluster {
                    self.panel = Panel::Objects;
                }
                self.model.selection = selection;
                self.ask_why();
            }
            Action::Panel(panel) => self.panel = panel,
            Action::Tab(tab) => self.tab = tab,
            Action::PlayPause => {
                self.held = self.model.clock.speed.is_some();
                if self.held {
                    self.line.ask(Request::Pause);
                    self.keep_soon(ctx);
                } else {
                    self.line.ask(Request::Play { speed: self.speed });
                }
            }
            Action::Speed(speed) => {
                self.speed = speed;
                if self.model.clock.speed.is_some() {
                    self.line.ask(Request::Play { speed });
                }
            }
            Action::Lang(lang) => {
                self.lang = lang;
                dom::store(KEY_LANG, lang.tag());
                self.dress();
            }
            Action::Dark(dark) => {
                self.dark = dark;
                dom::store(KEY_THEME, if dark { "dark" } else { "light" });
                self.dress();
            }
            Action::Dialog(dialog) => {
                if self.dialog == dialog {
                    return false;
                }
                self.dialog = dialog;
                self.name_error = None;
            }
            Action::Export => self.save(Purpose::Export),
            Action::Share => self.save(Purpose::Share),
            Action::Import(text) => {
                match text.ok_or(SavedError::NotALab).and_then(|text| Saved::parse(&text)) {
                    Ok(saved) => self.open_saved(ctx, &saved),
                    Err(error) => {
                        let text = error.text(self.lang);
                        self.toast(ctx, text, true);
                    }
                }
            }
            Action::Reset => {
                self.dialog = None;
                let exercise = self.lesson.id.clone();
                dom::forget(&key_of(&exercise));
                *self.history.0.borrow_mut() = History::default();
                self.open_with(ctx, &exercise, self.seed, None);
            }
            Action::Exercise(id) => {
                self.save(Purpose::Keep);
                if Lesson::is_elsewhere(&id) && self.model.open {
                    // Once the work is kept.
                    self.leaving = Some(id);
                } else {
                    self.open(ctx, &id);
                }
            }
            Action::ReadHint { hint, level } => {
                self.line.ask(Request::ReadHint { hint, level });
                self.keep_soon(ctx);
            }
            Action::Predict { question, choice } => {
                self.line.ask(Request::Predict { question, choice });
                self.let_go();
                self.keep_soon(ctx);
            }
            Action::Dismiss(id) => self.toasts.retain(|toast| toast.id != id),
        }
        true
    }

    /// Lets time pass, unless the learner stopped it.
    pub(super) fn let_go(&mut self) {
        if !self.held && self.model.clock.speed.is_none() && !self.model.clock.looking_back() {
            self.line.ask(Request::Play { speed: self.speed });
        }
    }

    /// Lines for the terminal. Files go first, so that a command reads what is on the screen; and
    /// time begins with the first command.
    pub(super) fn enter(&mut self, ctx: &Context<Self>, lines: Vec<String>, queued: bool) {
        self.flush();
        // A question is to be answered before time goes on.
        if self.model.progress.asked.is_none() {
            self.let_go();
        }
        for line in lines {
            let id = self.line.ask(Request::Type { line, queued });
            self.typed.insert(id);
        }
        self.keep_soon(ctx);
    }

    /// Sends what was edited to the lab.
    pub(super) fn flush(&mut self) {
        let writes = Rc::make_mut(&mut self.model.buffers).take_dirty();
        if !writes.is_empty() {
            self.line.ask(Request::Files { writes });
        }
    }

    pub(super) fn ask_why(&mut self) {
        if let Some(Selection::Pod(namespace, pod)) = self.model.selection.clone() {
            self.line.ask(Request::Why { namespace, pod });
        }
        #[cfg(feature = "slurm")]
        if let Some(Selection::Job(id)) = self.model.selection.clone() {
            self.line.ask(Request::WhyJob { id });
        }
    }

    pub(super) fn key(&mut self, ctx: &Context<Self>, event: &KeyboardEvent) -> bool {
        if event.is_composing() {
            return false;
        }
        let alt = event.alt_key() && !event.ctrl_key() && !event.meta_key();
        let typing = event
            .target()
            .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
            .is_some_and(|element| matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT"));
        let action = match (event.code().as_str(), event.key().as_str()) {
            ("KeyP", _) if alt => Action::PlayPause,
            ("KeyN", _) if alt => Action::Ask(Request::NextEvent),
            ("KeyS", _) if alt => Action::Ask(Request::Advance { nanos: 1_000_000_000 }),
            (_, "?") if !typing && self.dialog.is_none() => Action::Dialog(Some(Dialog::Help)),
            ("F6", _) => {
                event.prevent_default();
                let (at, count) =
                    (Panel::ALL.iter().position(|p| *p == self.panel).unwrap_or(0), Panel::ALL.len());
                let next = Panel::ALL[(at + if event.shift_key() { count - 1 } else { 1 }) % count];
                self.panel = next;
                // After the panel is shown: on a phone it was not there before.
                Timeout::new(0, move || dom::focus(next.focus_id())).forget();
                return true;
            }
            _ => return false,
        };
        event.prevent_default();
        self.act(ctx, action)
    }
}
