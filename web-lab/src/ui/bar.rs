//! The clock: play, step, speed, and a line to drag back to any moment.
//!
//! The line is an `<input type="range">`: it is dragged, moved by the arrow keys
//! and read out as any other. Looking back shows the cluster as it was; the lab
//! itself stays where it is until the learner decides to continue from there.

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::{Action, class};
use crate::i18n::{Lang, Msg};
use crate::model::clock::{SPEEDS, Scale, elapsed, span};
use crate::protocol::{Clock, Mark, MarkKind, Request};
use clusterlab::sim::SimTime;

/// Marks closer than this share of the line are drawn as one.
const MERGE_PERCENT: f64 = 0.4;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub clock: Clock,
    pub speed: u32,
    pub marks: Rc<Vec<Mark>>,
    /// How far a long advance is, in thousandths.
    pub advancing: Option<u32>,
    pub on: Callback<Action>,
}

#[component]
pub fn Bar(props: &Props) -> Html {
    let (lang, clock) = (props.lang, &props.clock);
    let playing = clock.speed.is_some();
    let scale = Scale::for_present(clock.present, 8);
    let on = |action: Action| props.on.reform(move |_: MouseEvent| action.clone());
    let ask = |request: Request| on(Action::Ask(request));
    let speed = props.on.reform(|event: Event| {
        let value = event.target_dyn_into::<HtmlSelectElement>().map(|s| s.value()).unwrap_or_default();
        Action::Speed(value.parse().unwrap_or(1))
    });
    // While dragging, only the place where the hand rests is asked for.
    let wait = use_mut_ref(|| None::<Timeout>);
    let drag = {
        let (on, present) = (props.on.clone(), clock.present);
        Callback::from(move |event: InputEvent| {
            let value =
                event.target_dyn_into::<HtmlInputElement>().map(|i| i.value_as_number()).unwrap_or_default();
            let at = SimTime::from_millis(value.max(0.0) as u64);
            let on = on.clone();
            let request = if at >= present { Request::Return } else { Request::Look { at } };
            *wait.borrow_mut() = Some(Timeout::new(30, move || on.emit(Action::Ask(request))));
        })
    };
    let next = match clock.next {
        Some(at) if at > clock.shown => {
            lang.fill(Msg::NextEventIn, &[&span((at - clock.shown).as_nanos() as u64)])
        }
        _ => lang.text(Msg::NextEventNone).to_owned(),
    };
    let millis = |t: SimTime| (t.as_nanos() / 1_000_000).to_string();
    html! {
        <footer class={class(&["bar", if clock.looking_back() { "past" } else { "" }])} aria-label={lang.text(Msg::Clock)}>
            if clock.looking_back() {
                <div class="pastnote" role="status" id="past">
                    <span>{lang.fill(Msg::LookingBack, &[&elapsed(clock.shown)])}</span>
                    <button id="return" class="primary" onclick={ask(Request::Return)}>{lang.text(Msg::BackToPresent)}</button>
                    <button id="continue-here" onclick={ask(Request::ContinueHere)}>{lang.text(Msg::ContinueHere)}</button>
                </div>
            }
            <div class="controls">
                if let Some(permille) = props.advancing {
                    <button id="play" class="primary" onclick={ask(Request::Pause)}>{lang.text(Msg::Cancel)}</button>
                    <progress max="1000" value={permille.to_string()} aria-label={lang.text(Msg::Advancing)}></progress>
                } else {
                    <button id="play" class="primary round" data-playing={playing.to_string()} disabled={clock.looking_back()} onclick={on(Action::PlayPause)}
                        title={lang.text(if playing { Msg::Pause } else { Msg::Play })} aria-label={lang.text(if playing { Msg::Pause } else { Msg::Play })}>
                        { if playing { pause_icon() } else { play_icon() } }
                    </button>
                }
                <button id="step" disabled={clock.looking_back()} onclick={ask(Request::Advance { nanos: 1_000_000_000 })} title={lang.text(Msg::StepTitle)}>{lang.text(Msg::Step)}</button>
                <button id="next-event" disabled={clock.looking_back() || clock.next.is_none()} onclick={ask(Request::NextEvent)} title={next.clone()}>{lang.text(Msg::NextEvent)}</button>
                <label class="speed"><span class="hidden">{lang.text(Msg::Speed)}</span>
                    <select id="speed" onchange={speed} title={lang.text(Msg::Speed)}>
                        { for SPEEDS.iter().map(|n| html! { <option value={n.to_string()} selected={*n == props.speed}>{format!("{n}×")}</option> }) }
                    </select>
                </label>
                <output id="clock" data-millis={millis(clock.shown)} title={lang.text(Msg::ClockTitle)}>{elapsed(clock.shown)}</output>
            </div>
            <div class="timeline">
                <Marks {lang} marks={props.marks.clone()} scale={scale.clone()} on={props.on.clone()} />
                <div class="track" aria-hidden="true">
                    <span class="lived" style={format!("width:{:.3}%", scale.percent(clock.present))}></span>
                    if let Some(next) = clock.next.filter(|next| *next <= scale.end && *next > clock.present) {
                        <span class="next" style={format!("left:{:.3}%", scale.percent(next))}></span>
                    }
                </div>
                <input type="range" id="timeline" min="0" max={millis(scale.end)} step="100" value={millis(clock.shown)} oninput={drag}
                    aria-label={lang.text(Msg::Timeline)} aria-valuetext={elapsed(clock.shown)} />
                <div class="ticks" aria-hidden="true">
                    { for scale.ticks.iter().map(|t| html! { <span style={format!("left:{:.3}%", scale.percent(*t))}>{span(t.as_nanos())}</span> }) }
                </div>
            </div>
        </footer>
    }
}

fn play_icon() -> Html {
    html! { <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="M4 2.5v11l9-5.5z" fill="currentColor" /></svg> }
}

fn pause_icon() -> Html {
    html! { <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="M4 2.5h3v11H4zM9 2.5h3v11H9z" fill="currentColor" /></svg> }
}

#[derive(Properties, PartialEq)]
struct MarksProps {
    lang: Lang,
    marks: Rc<Vec<Mark>>,
    scale: Scale,
    on: Callback<Action>,
}

#[component]
fn Marks(props: &MarksProps) -> Html {
    let mut drawn: Vec<(f64, SimTime, MarkKind, Vec<&str>)> = Vec::new();
    for mark in props.marks.iter() {
        let percent = props.scale.percent(mark.at);
        match drawn.last_mut() {
            Some((last, _, kind, texts)) if percent - *last < MERGE_PERCENT => {
                if mark.kind == MarkKind::Warning || *kind == MarkKind::Normal {
                    *kind = mark.kind;
                }
                texts.push(&mark.text);
            }
            _ => drawn.push((percent, mark.at, mark.kind, vec![&mark.text])),
        }
    }
    let marks = drawn.into_iter().map(|(percent, at, kind, texts)| {
        let kind = match kind {
            MarkKind::Command => "mark command",
            MarkKind::Normal => "mark",
            MarkKind::Warning => "mark warning",
        };
        let more = texts.len().saturating_sub(4);
        let mut title =
            format!("{}\n{}", elapsed(at), texts.iter().take(4).copied().collect::<Vec<_>>().join("\n"));
        if more > 0 {
            title.push_str(&format!("\n+{more}"));
        }
        let look = props.on.reform(move |_: MouseEvent| Action::Ask(Request::Look { at }));
        html! { <span class={kind} {title} style={format!("left:{percent:.3}%")} onclick={look}></span> }
    });
    // For keyboard and screen reader the same moments are in the event list.
    html! { <div class="marks" aria-hidden="true">{ for marks }</div> }
}
