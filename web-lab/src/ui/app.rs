//! The page: it holds the [`Model`], hears the worker, and does what the learner asks.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast as _;
use web_sys::Worker;
use yew::prelude::*;

use super::bar::Bar;
use super::cluster::Cluster;
use super::dialogs::{Dialogs, Toast, Toasts};
use super::editor::Editor;
use super::header::Header;
use super::objects::Objects;
use super::task::Task;
use super::terminal::{Offer, Terminal};
use super::{Action, Dialog, Panel, Shared, Tab};
use crate::dom;
use crate::i18n::{Lang, Msg};
use crate::line::Line;
use crate::model::buffers::NameError;
use crate::model::clock::SPEEDS;
use crate::model::history::History;
use crate::model::lesson::{Lesson, Words};
use crate::model::saved::{Saved, SavedError};
use crate::model::{Effect, Model, Selection};
use crate::protocol::{FromWorker, PromptState, Request};

/// Milliseconds after the last change until the work is kept.
const KEEP_AFTER: u32 = 1200;
/// Milliseconds that a good message stays.
const TOAST_STAYS: u32 = 6000;

const KEY_LANG: &str = "clusterlab.lang";
const KEY_THEME: &str = "clusterlab.theme";
const KEY_SEED: &str = "clusterlab.seed";
const KEY_LAST: &str = "clusterlab.exercise";

fn key_of(exercise: &str) -> String {
    format!("clusterlab.lab.{exercise}")
}

/// What the page needs to begin.
#[derive(Properties, PartialEq)]
pub struct AppProps {
    /// The worker that runs the lab.
    pub worker: Worker,
}

/// What happens to the page.
pub enum AppMsg {
    /// The learner did something.
    Act(Action),
    /// The worker said something.
    Heard(Box<FromWorker>),
    /// The worker has died.
    Died(String),
    /// Keep the work now.
    Keep,
    /// A key that works everywhere.
    Key(KeyboardEvent),
}

/// What a saved lab is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Keep,
    Export,
    Share,
}

/// The page.
pub struct App {
    line: Line,
    /// Made once: to a component that got another one, everything would look changed.
    on: Callback<Action>,
    model: Model,
    exercises: Rc<Vec<(String, Words)>>,
    lesson: Rc<Lesson>,
    lang: Lang,
    dark: bool,
    embed: bool,
    seed: u64,
    speed: u32,
    /// The learner stopped the clock; else it goes as soon as a command needs it.
    held: bool,
    /// Lines that were typed and not answered yet.
    typed: BTreeSet<u64>,
    panel: Panel,
    tab: Tab,
    dialog: Option<Dialog>,
    name_error: Option<Msg>,
    toasts: Vec<Toast>,
    serial: u64,
    history: Shared<History>,
    offer: Option<Rc<Offer>>,
    purposes: BTreeMap<u64, Purpose>,
    keep_timer: Option<Timeout>,
    _listeners: Vec<EventListener>,
}

impl Component for App {
    type Message = AppMsg;
    type Properties = AppProps;

    fn create(ctx: &Context<Self>) -> Self {
        let lang = match dom::stored(KEY_LANG).or_else(|| dom::parameter("lang")) {
            Some(tag) => Lang::from_tag(&tag),
            None => Lang::from_tag(&dom::language()),
        };
        let dark = dom::stored(KEY_THEME).map_or_else(dom::prefers_dark, |theme| theme == "dark");
        let exercises = Rc::new(Lesson::titles());
        let mut app = Self {
            line: Line::new(ctx.props().worker.clone(), ctx.link()),
            on: ctx.link().callback(AppMsg::Act),
            model: Model::default(),
            exercises,
            lesson: Rc::default(),
            lang,
            dark,
            embed: dom::parameter("embed").is_some_and(|value| value != "0"),
            seed: seed(),
            speed: SPEEDS[1],
            held: false,
            typed: BTreeSet::new(),
            panel: Panel::Task,
            tab: Tab::Pods,
            dialog: None,
            name_error: None,
            toasts: Vec::new(),
            serial: 0,
            history: Shared::default(),
            offer: None,
            purposes: BTreeMap::new(),
            keep_timer: None,
            _listeners: listeners(ctx),
        };
        app.dress();
        app.begin(ctx);
        app
    }

    fn update(&mut self, ctx: &Context<Self>, msg: AppMsg) -> bool {
        match msg {
            AppMsg::Act(action) => self.act(ctx, action),
            AppMsg::Heard(heard) => self.hear(ctx, *heard),
            AppMsg::Keep => {
                self.keep_timer = None;
                self.save(Purpose::Keep);
                false
            }
            AppMsg::Died(why) => {
                let text = self.lang.fill(Msg::WorkerDied, &[&why]);
                self.toast(ctx, text, true);
                if self.line.restart(ctx.link()) {
                    let exercise = self.lesson.id.clone();
                    self.open(ctx, &exercise);
                }
                true
            }
            AppMsg::Key(event) => self.key(ctx, &event),
        }
    }

    fn view(&self, _: &Context<Self>) -> Html {
        let on = self.on.clone();
        let (lang, model) = (self.lang, &self.model);
        let panels = if self.embed {
            &[Panel::Task, Panel::Files, Panel::Terminal, Panel::Cluster][..]
        } else {
            &Panel::ALL[..]
        };
        html! {
            <div class={if self.embed { "lab embed" } else { "lab" }} data-panel={self.panel.name()} data-ready={model.open.to_string()}>
                <nav class="skips" aria-label={lang.text(Msg::SkipLinks)}>
                    { for panels.iter().map(|panel| html! { <a href={format!("#{}", panel.focus_id())}>{lang.text(panel_msg(*panel))}</a> }) }
                </nav>
                if !self.embed {
                    <Header {lang} dark={self.dark} exercise={self.lesson.id.clone()} exercises={self.exercises.clone()} on={on.clone()} />
                }
                <main class="bench">
                    <h1 class="hidden">{format!("ClusterLab: {}", self.lesson.title.get(lang))}</h1>
                    <section class="panel task-panel" id="panel-task" tabindex="-1" aria-label={lang.text(Msg::Exercise)}>
                        <Task {lang} lesson={self.lesson.clone()} progress={model.progress.clone()} on={on.clone()} />
                    </section>
                    <section class="panel files-panel" id="panel-files" aria-label={lang.text(Msg::Files)}>
                        <Editor {lang} buffers={model.buffers.clone()} on={on.clone()} />
                    </section>
                    <section class="panel terminal-panel" id="panel-terminal" aria-label={lang.text(Msg::Terminal)}>
                        <Terminal {lang} screen={model.screen.clone()} prompt={model.prompt.clone()} history={self.history.clone()} offer={self.offer.clone()}
                            past={model.clock.looking_back()} asked={model.progress.asked.is_some()} still={model.clock.speed.is_none() && model.advancing.is_none()} on={on.clone()} />
                    </section>
                    <section class="panel cluster-panel" id="panel-cluster" tabindex="-1" aria-label={lang.text(Msg::Cluster)}>
                        <Cluster {lang} nodes={model.nodes.clone()} pods={model.pods.clone()} selection={model.selection.clone()} on={on.clone()} />
                    </section>
                    if !self.embed {
                        <section class="panel objects-panel" id="panel-objects" tabindex="-1" aria-label={lang.text(Msg::Objects)}>
                            <Objects {lang} now={clusterlab::sim::SimTime::from_secs(model.clock.shown.as_secs())} nodes={model.nodes.clone()} pods={model.pods.clone()}
                                events={model.events.clone()} selection={model.selection.clone()} why={model.why.clone()} tab={self.tab} on={on.clone()} />
                        </section>
                    }
                </main>
                <Bar {lang} clock={model.clock} speed={self.speed} marks={model.marks.clone()} advancing={model.advancing} on={on.clone()} />
                <nav class="panels" aria-label={lang.text(Msg::Panels)}>
                    { for panels.iter().map(|panel| {
                        let panel = *panel;
                        html! { <button data-panel={panel.name()} aria-pressed={(self.panel == panel).to_string()}
                            onclick={on.reform(move |_: MouseEvent| Action::Panel(panel))}>{lang.text(panel_msg(panel))}</button> }
                    }) }
                </nav>
                <Toasts {lang} toasts={self.toasts.clone()} on={on.clone()} />
                <Dialogs {lang} open={self.dialog} name_error={self.name_error} {on} />
            </div>
        }
    }
}

impl App {
    /// What the first visit shows: a link's lab, the exercise that the address names, or the last one.
    fn begin(&mut self, ctx: &Context<Self>) {
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
    fn open(&mut self, ctx: &Context<Self>, exercise: &str) {
        match dom::stored(&key_of(exercise)).map(|text| Saved::parse(&text)) {
            Some(Ok(saved)) if saved.exercise == exercise => self.open_saved(ctx, &saved),
            None => self.open_with(exercise, self.seed, None),
            Some(other) => {
                let error = other.err().unwrap_or(SavedError::NotALab);
                let text = self.lang.fill(Msg::StartedAfresh, &[&error.text(self.lang)]);
                self.toast(ctx, text, true);
                dom::forget(&key_of(exercise));
                self.open_with(exercise, self.seed, None);
            }
        }
    }

    fn open_saved(&mut self, ctx: &Context<Self>, saved: &Saved) {
        if !self.exercises.iter().any(|(id, _)| *id == saved.exercise) {
            let text = self.lang.fill(Msg::UnknownExercise, &[&saved.exercise]);
            return self.toast(ctx, text, true);
        }
        let mut history = History::default();
        saved.history.iter().for_each(|line| history.push(line));
        *self.history.0.borrow_mut() = history;
        self.open_with(&saved.exercise, saved.seed, Some(saved.lab.to_string()));
    }

    fn open_with(&mut self, exercise: &str, seed: u64, saved: Option<String>) {
        self.lesson = Rc::new(Lesson::load(exercise, seed));
        self.seed = seed;
        self.model.open = false;
        self.held = false;
        dom::store(KEY_LAST, exercise);
        self.dress();
        self.line.ask(Request::Open { exercise: exercise.to_owned(), seed, saved });
    }

    fn act(&mut self, ctx: &Context<Self>, action: Action) -> bool {
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
                self.open_with(&exercise, self.seed, None);
            }
            Action::Exercise(id) => {
                self.save(Purpose::Keep);
                self.open(ctx, &id);
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

    fn hear(&mut self, ctx: &Context<Self>, heard: FromWorker) -> bool {
        let purpose = heard.id.and_then(|id| self.purposes.remove(&id));
        let typed = heard.id.is_some_and(|id| self.typed.remove(&id));
        let effects = self.model.receive(heard.response);
        if typed && *self.model.prompt == PromptState::Busy {
            // A command that waits (`sleep 60`) is a wish that time goes on.
            self.let_go();
        }
        for effect in effects {
            match effect {
                Effect::Refused(why) => {
                    let text = self.lang.fill(Msg::StartedAfresh, &[&why]);
                    self.toast(ctx, text, true);
                }
                Effect::Failed(why) => self.toast(ctx, why, true),
                Effect::Keep { exercise, seed, lab } => {
                    let history = self.history.0.borrow().lines().to_vec();
                    if let Ok(saved) = Saved::new(&exercise, seed, &lab, history) {
                        self.saved(ctx, purpose.unwrap_or(Purpose::Keep), &saved);
                    }
                }
                Effect::Offer { line, start, candidates } => {
                    self.serial += 1;
                    self.offer = Some(Rc::new(Offer { serial: self.serial, line, start, candidates }));
                }
                Effect::StepsDone(steps) => {
                    for at in steps {
                        if let Some(step) = self.lesson.steps.get(at) {
                            let text = self.lang.fill(Msg::StepReached, &[step.title.get(self.lang)]);
                            self.toast(ctx, text, false);
                        }
                    }
                    self.keep_soon(ctx);
                }
                Effect::AskWhy => self.ask_why(),
            }
        }
        if *self.model.prompt != PromptState::Busy
            && self.model.clock.speed.is_some()
            && self.keep_timer.is_none()
        {
            // While time passes the work changes by itself; it is kept now and then.
            self.keep_timer = Some(Self::timer(ctx, 10 * KEEP_AFTER));
        }
        true
    }

    /// Lets time pass, unless the learner stopped it.
    fn let_go(&mut self) {
        if !self.held && self.model.clock.speed.is_none() && !self.model.clock.looking_back() {
            self.line.ask(Request::Play { speed: self.speed });
        }
    }

    /// Lines for the terminal. Files go first, so that a command reads what is on the screen; and
    /// time begins with the first command.
    fn enter(&mut self, ctx: &Context<Self>, lines: Vec<String>, queued: bool) {
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
    fn flush(&mut self) {
        let writes = Rc::make_mut(&mut self.model.buffers).take_dirty();
        if !writes.is_empty() {
            self.line.ask(Request::Files { writes });
        }
    }

    fn ask_why(&mut self) {
        if let Some(Selection::Pod(namespace, pod)) = self.model.selection.clone() {
            self.line.ask(Request::Why { namespace, pod });
        }
    }

    fn save(&mut self, purpose: Purpose) {
        if self.model.open {
            self.flush();
            let id = self.line.ask(Request::Save);
            self.purposes.insert(id, purpose);
        }
    }

    fn saved(&mut self, ctx: &Context<Self>, purpose: Purpose, saved: &Saved) {
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

    fn timer(ctx: &Context<Self>, millis: u32) -> Timeout {
        let link = ctx.link().clone();
        Timeout::new(millis, move || link.send_message(AppMsg::Keep))
    }

    fn keep_soon(&mut self, ctx: &Context<Self>) {
        self.keep_timer = Some(Self::timer(ctx, KEEP_AFTER));
    }

    fn toast(&mut self, ctx: &Context<Self>, text: String, bad: bool) {
        self.serial += 1;
        let id = self.serial;
        self.toasts.push(Toast { id, text, bad });
        if self.toasts.len() > 4 {
            self.toasts.remove(0);
        }
        if !bad {
            let link = ctx.link().clone();
            Timeout::new(TOAST_STAYS, move || link.send_message(AppMsg::Act(Action::Dismiss(id)))).forget();
        }
    }

    /// Tells the browser the language, the theme and the title.
    fn dress(&self) {
        dom::set_root("lang", self.lang.tag());
        dom::set_root("data-theme", if self.dark { "dark" } else { "light" });
        let title = self.lesson.title.get(self.lang);
        dom::set_title(&if title.is_empty() {
            "ClusterLab".to_owned()
        } else {
            format!("{title} · ClusterLab")
        });
    }

    fn key(&mut self, ctx: &Context<Self>, event: &KeyboardEvent) -> bool {
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

fn panel_msg(panel: Panel) -> Msg {
    match panel {
        Panel::Task => Msg::Exercise,
        Panel::Files => Msg::Files,
        Panel::Terminal => Msg::Terminal,
        Panel::Cluster => Msg::Cluster,
        Panel::Objects => Msg::Objects,
    }
}

/// The learner's seed: made once, then always the same in this browser; `?seed=7` asks for another.
fn seed() -> u64 {
    if let Some(seed) = dom::parameter("seed").and_then(|seed| seed.parse().ok()) {
        return seed;
    }
    if let Some(seed) = dom::stored(KEY_SEED).and_then(|seed| seed.parse().ok()) {
        return seed;
    }
    let seed = (js_sys::Math::random() * 1e6) as u64;
    dom::store(KEY_SEED, &seed.to_string());
    seed
}

fn listeners(ctx: &Context<App>) -> Vec<EventListener> {
    let Some(window) = web_sys::window() else { return Vec::new() };
    let link = ctx.link().clone();
    let keys = EventListener::new_with_options(
        &window,
        "keydown",
        EventListenerOptions::enable_prevent_default(),
        move |event| {
            if let Some(event) = event.dyn_ref::<KeyboardEvent>() {
                link.send_message(AppMsg::Key(event.clone()));
            }
        },
    );
    let link = ctx.link().clone();
    let hidden = EventListener::new(&window, "pagehide", move |_| link.send_message(AppMsg::Keep));
    vec![keys, hidden]
}
