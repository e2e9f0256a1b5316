//! The page: it holds the [`Model`], hears the worker, and does what the learner asks.

mod act;
mod keep;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use gloo::events::{EventListener, EventListenerOptions};
use gloo::timers::callback::Timeout;
use wasm_bindgen::JsCast as _;
use web_sys::Worker;
use yew::prelude::*;

use crate::dom;
use crate::i18n::{Lang, Msg};
use crate::line::Line;
use crate::model::clock::SPEEDS;
use crate::model::history::History;
use crate::model::lesson::{Lesson, Words};
use crate::model::saved::Saved;
use crate::model::{Effect, Model};
use crate::protocol::{FromWorker, PromptState};
use crate::ui::bar::Bar;
use crate::ui::cluster::Cluster;
use crate::ui::dialogs::{Dialogs, Toast, Toasts};
use crate::ui::editor::Editor;
use crate::ui::header::Header;
use crate::ui::objects::{self, Objects};
#[cfg(feature = "slurm")]
use crate::ui::slurm::Gantt;
use crate::ui::task::Task;
use crate::ui::terminal::{Offer, Terminal};
use crate::ui::{Action, Dialog, Panel, Shared, Tab};

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
    /// The files of an exercise are there, as JSON, or cannot be had.
    Fetched(String, Result<String, String>),
    /// Keep the work now.
    Keep,
    /// A key that works everywhere.
    Key(KeyboardEvent),
}

/// An exercise whose files were asked for.
struct Opening {
    exercise: String,
    /// A saved lab, as JSON.
    saved: Option<String>,
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
    /// Another page is gone to as soon as the work is kept: the exercise that is wanted there.
    leaving: Option<String>,
    opening: Option<Opening>,
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
            leaving: None,
            opening: None,
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
            AppMsg::Fetched(exercise, files) => {
                self.opened(ctx, exercise, files);
                true
            }
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
                        { self.picture() }
                    </section>
                    if !self.embed {
                        <section class="panel objects-panel" id="panel-objects" tabindex="-1" aria-label={lang.text(Msg::Objects)}>
                            { self.lists() }
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
    /// The picture of the cluster.
    fn picture(&self) -> Html {
        let (lang, model) = (self.lang, &self.model);
        let kubernetes = html! { <Cluster {lang} nodes={model.nodes.clone()} pods={model.pods.clone()} selection={model.selection.clone()} on={self.on.clone()} /> };
        #[cfg(feature = "slurm")]
        if let Some(view) = &model.slurm {
            let now = model.clock.shown.as_secs() as i64;
            let figures = model.comparison.as_ref().map(|both| both.of_slurm);
            let title = if figures.is_some() { Msg::UnderSlurm } else { Msg::Gantt };
            let beside = model.comparison.as_ref().map(|both| Rc::new(both.kubernetes.clone()));
            let gantt = html! { <Gantt {lang} id="gantt" {title} {figures} view={view.clone()} beside={beside.clone()} {now} selection={model.selection.clone()} on={self.on.clone()} /> };
            let (Some(both), Some(pods)) = (&model.comparison, beside) else { return gantt };
            return html! {
                <div class="two">
                    <Gantt {lang} id="pods-chart" title={Msg::UnderKubernetes} figures={Some(both.of_kubernetes)} view={pods} beside={Some(view.clone())} {now}
                        selection={model.selection.clone()} on={self.on.clone()} />
                    {gantt}
                </div>
            };
        }
        kubernetes
    }

    /// The lists, or the one thing that the learner looks at closely.
    fn lists(&self) -> Html {
        let (lang, model) = (self.lang, &self.model);
        html! { <Objects {lang} now={clusterlab::sim::SimTime::from_secs(model.clock.shown.as_secs())} nodes={model.nodes.clone()} pods={model.pods.clone()}
        events={model.events.clone()} selection={model.selection.clone()} why={model.why.clone()} tab={self.tab} more={self.more()} on={self.on.clone()} /> }
    }

    /// What the lists show of Slurm.
    #[cfg_attr(
        not(feature = "slurm"),
        allow(clippy::unused_self, reason = "there is nothing of Slurm to show")
    )]
    fn more(&self) -> objects::More {
        objects::More {
            #[cfg(feature = "slurm")]
            slurm: self.model.slurm.clone(),
            #[cfg(feature = "slurm")]
            job_why: self.model.job_why.clone(),
        }
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
                    if let Some(exercise) = self.leaving.take() {
                        dom::go_to_exercise(Lesson::PAGE, &exercise);
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
