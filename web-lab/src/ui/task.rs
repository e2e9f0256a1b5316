//! The exercise: its text, its steps, hints, and the question before the clock moves.
//!
//! There is no check button: a step shows as done the moment the cluster is in
//! the state it asks for.

use std::rc::Rc;

use clusterlab_exercises::markdown;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::{Action, class};
use crate::i18n::{Lang, Msg};
use crate::model::clock::span;
use crate::model::lesson::{Lesson, LessonStep, Question};
use crate::protocol::{Answer, Progress, StepState};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub lesson: Rc<Lesson>,
    pub progress: Rc<Progress>,
    pub on: Callback<Action>,
}

#[component]
pub fn Task(props: &Props) -> Html {
    let (lang, lesson, progress) = (props.lang, &props.lesson, &props.progress);
    let state = |id: &str| progress.steps.iter().find(|state| state.id == id).cloned().unwrap_or_default();
    let current = progress.current.as_deref();
    let done = lesson.steps.iter().filter(|step| state(&step.id).done).count();
    let steps = lesson.steps.iter().enumerate().map(|(at, step)| {
        let active = current == Some(step.id.as_str());
        html! {
            <Step key={step.id.clone()} {lang} number={at + 1} step={step.clone()} state={state(&step.id)} {active}>
                if active { { hints(props) } }
            </Step>
        }
    });
    let mistakes = progress.mistakes.iter().filter_map(|id| Some((id, lesson.mistakes.get(id)?)));
    let asked = progress.asked.as_ref().and_then(|id| Some((id, lesson.questions.get(id)?)));
    let answers =
        progress.answers.iter().filter_map(|answer| Some((answer, lesson.questions.get(&answer.question)?)));
    html! {
        <div class="task scroll">
            <h2 id="task-title" class="title1">{lesson.title.get(lang)}</h2>
            <p class="objective">{lesson.objective.get(lang)}</p>
            <p class="meta">
                <span>{lang.fill(Msg::AboutMinutes, &[&lesson.minutes.to_string()])}</span>
                <span data-testid="score">{lang.fill(Msg::Commands, &[&progress.score.commands.to_string()])}</span>
                if progress.score.idle_gpu_seconds > 0 {
                    <span>{lang.fill(Msg::IdleGpuTime, &[&span(progress.score.idle_gpu_seconds * 1_000_000_000)])}</span>
                }
                if progress.score.seconds > 0 {
                    <span>{lang.fill(Msg::TimeTaken, &[&span(progress.score.seconds * 1_000_000_000)])}</span>
                }
                if progress.score.hints > 0 {
                    <span>{lang.fill(Msg::HintsRead, &[&progress.score.hints.to_string()])}</span>
                }
            </p>
            <div class="progressbar" role="progressbar" aria-label={lang.text(Msg::StepsDone)} aria-valuemin="0"
                aria-valuemax={lesson.steps.len().to_string()} aria-valuenow={done.to_string()}>
                { for lesson.steps.iter().map(|step| html! { <span class={if state(&step.id).done { "on" } else { "" }}></span> }) }
            </div>
            { prose(lesson.intro.get(lang)) }
            if let Some((id, question)) = asked {
                <Ask key={id.clone()} {lang} id={id.clone()} question={question.clone()} on={props.on.clone()} />
            }
            <div role="status" class="mistakes">
                { for mistakes.map(|(id, words)| html! {
                    <div class="box warn" data-mistake={id.clone()}><h3>{lang.text(Msg::WrongTurn)}</h3>{ prose(words.get(lang)) }</div>
                }) }
            </div>
            <ol class="steps">{ for steps }</ol>
            { for answers.map(|(answer, question)| answered(lang, answer, question)) }
            if done == lesson.steps.len() && done > 0 {
                <div class="box good" role="status" id="finished"><h3>{lang.text(Msg::AllDone)}</h3>{ prose(lesson.end.get(lang)) }</div>
            }
        </div>
    }
}

/// Text of the exercise crate's own renderer, which lets no HTML through but its own.
pub fn prose(html: &str) -> Html {
    let inner = Html::from_html_unchecked(AttrValue::from(html.to_owned()));
    html! { <div class="prose">{inner}</div> }
}

/// The same inside a line.
fn inline(html: &str) -> Html {
    Html::from_html_unchecked(AttrValue::from(format!("<span>{html}</span>")))
}

fn hints(props: &Props) -> Html {
    let lang = props.lang;
    let found =
        props.progress.hint.as_ref().and_then(|(id, read)| Some((id, *read, props.lesson.hints.get(id)?)));
    let Some((id, read, parts)) = found else { return Html::default() };
    let shown = usize::from(read).min(parts.len());
    let more = {
        let (hint, level) = (id.clone(), read + 1);
        props.on.reform(move |_: MouseEvent| Action::ReadHint { hint: hint.clone(), level })
    };
    let label = if shown == 0 { Msg::Hint } else { Msg::NextHint };
    html! {
        <div class="hints" data-hint={id.clone()}>
            <div role="status">
                { for parts.iter().take(shown).map(|part| html! { <div class="hint">{ prose(part.get(lang)) }</div> }) }
            </div>
            if shown < parts.len() {
                <button id="hint" class="quiet" onclick={more}>{ lang.fill(label, &[&(shown + 1).to_string(), &parts.len().to_string()]) }</button>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct StepProps {
    lang: Lang,
    number: usize,
    step: LessonStep,
    state: StepState,
    active: bool,
    children: Html,
}

#[component]
fn Step(props: &StepProps) -> Html {
    let (lang, step, done) = (props.lang, &props.step, props.state.done);
    let opened = use_state(|| false);
    let open = props.active || *opened;
    let toggle = {
        let opened = opened.clone();
        Callback::from(move |_: MouseEvent| opened.set(!*opened))
    };
    let state = if done {
        Msg::StepDone
    } else if props.active {
        Msg::StepCurrent
    } else {
        Msg::StepLater
    };
    html! {
        <li id={format!("step-{}", props.number)} data-step={step.id.clone()} data-done={done.to_string()}
            class={class(&["step", if done { "done" } else { "" }, if props.active { "active" } else { "" }])}
            aria-current={props.active.then_some("step")}>
            <button class="stephead" onclick={toggle} aria-expanded={open.to_string()}>
                <span class="tick" aria-hidden="true">{ if done { "✓".to_owned() } else { props.number.to_string() } }</span>
                <span class="title">{step.title.get(lang)}</span>
                <span class="hidden">{lang.text(state)}</span>
            </button>
            if open {
                <div class="stepbody">
                    { prose(step.body.get(lang)) }
                    if let Some(goal) = &step.goal {
                        <dl class="goal">
                            <dt>{lang.text(Msg::Goal)}</dt><dd>{ inline(goal.get(lang)) }</dd>
                            if !props.state.present.is_empty() {
                                <dt>{lang.text(Msg::Now)}</dt><dd data-testid="present">{ inline(&markdown::inline(&props.state.present)) }</dd>
                            }
                        </dl>
                    }
                    { props.children.clone() }
                </div>
            }
        </li>
    }
}

#[derive(Properties, PartialEq)]
struct AskProps {
    lang: Lang,
    id: String,
    question: Question,
    on: Callback<Action>,
}

#[component]
fn Ask(props: &AskProps) -> Html {
    let (lang, question) = (props.lang, &props.question);
    let choice = use_state(String::new);
    let pick = {
        let choice = choice.clone();
        Callback::from(move |event: InputEvent| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                choice.set(input.value());
            }
        })
    };
    let send = {
        let (on, id, choice) = (props.on.clone(), props.id.clone(), choice.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if !choice.trim().is_empty() {
                on.emit(Action::Predict { question: id.clone(), choice: choice.trim().to_owned() });
            }
        })
    };
    html! {
        <form class="box ask-question" id="prediction" onsubmit={send}>
            <fieldset>
                <legend>{lang.text(Msg::PredictFirst)}</legend>
                { prose(question.text.get(lang)) }
                if question.choices.is_empty() {
                    <input type="text" oninput={pick} autocomplete="off" aria-label={lang.text(Msg::YourAnswer)} />
                } else {
                    { for question.choices.iter().map(|text| html! {
                        <label class="choice"><input type="radio" name="prediction" value={text.clone()} oninput={pick.clone()} />{text}</label>
                    }) }
                }
            </fieldset>
            <button class="primary" disabled={choice.trim().is_empty()}>{lang.text(Msg::Predict)}</button>
        </form>
    }
}

fn answered(lang: Lang, answer: &Answer, question: &Question) -> Html {
    let right = answer.right;
    html! {
        <div class={if right { "box good answer" } else { "box warn answer" }} data-question={answer.question.clone()} data-right={right.to_string()}>
            <h3>{lang.text(if right { Msg::PredictedRight } else { Msg::PredictedWrong })}</h3>
            { prose(question.text.get(lang)) }
            <p class="yousaid">{lang.fill(Msg::YouSaid, &[&answer.said, &answer.actual])}</p>
            { prose(question.explain.get(lang)) }
        </div>
    }
}
