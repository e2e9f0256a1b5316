//! The bar at the top: which exercise, undo and the like, language and theme.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::{Action, Dialog};
use crate::dom;
use crate::i18n::{Lang, Msg};
use crate::model::lesson::Words;
use crate::protocol::Request;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub dark: bool,
    pub exercise: String,
    /// Id and title of every exercise.
    pub exercises: std::rc::Rc<Vec<(String, Words)>>,
    pub on: Callback<Action>,
}

#[component]
pub fn Header(props: &Props) -> Html {
    let lang = props.lang;
    let file = use_node_ref();
    let on = |action: Action| props.on.reform(move |_: MouseEvent| action.clone());
    let choose = props.on.reform(|event: Event| {
        Action::Exercise(
            event.target_dyn_into::<web_sys::HtmlSelectElement>().map(|s| s.value()).unwrap_or_default(),
        )
    });
    let browse = {
        let file = file.clone();
        Callback::from(move |_: MouseEvent| {
            if let Some(file) = file.cast::<HtmlInputElement>() {
                file.click();
            }
        })
    };
    let chosen = {
        let on = props.on.clone();
        Callback::from(move |event: Event| {
            let Some(input) = event.target_dyn_into::<HtmlInputElement>() else { return };
            if let Some(file) = input.files().and_then(|files| files.get(0)) {
                let on = on.clone();
                dom::read_file(&file, move |text| on.emit(Action::Import(text)));
            }
            // The same file may be chosen again.
            input.set_value("");
        })
    };
    html! {
        <header class="top">
            <span class="brand">{ sign() }{"ClusterLab"}</span>
            <label class="exercise"><span class="hidden">{lang.text(Msg::Exercise)}</span>
                <select id="exercise" onchange={choose}>
                    { for props.exercises.iter().map(|(id, title)| html! {
                        <option value={id.clone()} selected={*id == props.exercise}>{title.get(lang)}</option>
                    }) }
                </select>
            </label>
            <span class="grow"></span>
            <button id="undo" aria-label={lang.text(Msg::Undo)} onclick={on(Action::Ask(Request::Undo))} title={lang.text(Msg::UndoTitle)}><span aria-hidden="true">{"↶"}</span><span class="long">{" "}{lang.text(Msg::Undo)}</span></button>
            <details class="menu" id="menu">
                <summary>{lang.text(Msg::Menu)}</summary>
                <div class="menubox" onclick={|_: MouseEvent| dom::close_details("menu")}>
                    <button id="reset" onclick={on(Action::Dialog(Some(Dialog::Reset)))}>{lang.text(Msg::ResetTitle)}</button>
                    <button id="export" onclick={on(Action::Export)}>{lang.text(Msg::Export)}</button>
                    <button id="import" onclick={browse}>{lang.text(Msg::Import)}</button>
                    <button id="share" onclick={on(Action::Share)}>{lang.text(Msg::Share)}</button>
                    <a href={match lang { Lang::En => "book/", Lang::Ko => "book/ko/" }}>{lang.text(Msg::Book)}</a>
                </div>
            </details>
            <input type="file" id="import-file" class="hidden" tabindex="-1" aria-hidden="true" accept=".json,application/json" ref={file} onchange={chosen} />
            <button id="help" class="quiet" onclick={on(Action::Dialog(Some(Dialog::Help)))} title={lang.text(Msg::HelpTitle)} aria-label={lang.text(Msg::HelpTitle)}>{"?"}</button>
            <button id="lang-switch" class="quiet" onclick={on(Action::Lang(lang.other()))} lang={lang.other().tag()}><span class="long">{lang.other().name()}</span><span class="short">{lang.other().short()}</span></button>
            <button id="theme-switch" class="quiet" onclick={on(Action::Dark(!props.dark))} aria-pressed={props.dark.to_string()}
                title={lang.text(Msg::Dark)} aria-label={lang.text(Msg::Dark)}>{ if props.dark { "☾" } else { "☀" } }</button>
        </header>
    }
}

/// The sign of the lab: four machines, two of them at work.
fn sign() -> Html {
    html! {
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="#0f3d3a" />
            <path d="M8 6h5a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2H8a2 2 0 0 1-2-2V8a2 2 0 0 1 2-2zM19 17h5a2 2 0 0 1 2 2v5a2 2 0 0 1-2 2h-5a2 2 0 0 1-2-2v-5a2 2 0 0 1 2-2z" fill="#5eead4" />
            <path d="M19.5 6.8h4a1.6 1.6 0 0 1 1.7 1.7v4a1.6 1.6 0 0 1-1.7 1.7h-4a1.6 1.6 0 0 1-1.7-1.7v-4a1.6 1.6 0 0 1 1.7-1.7zM8.5 17.8h4a1.6 1.6 0 0 1 1.7 1.7v4a1.6 1.6 0 0 1-1.7 1.7h-4a1.6 1.6 0 0 1-1.7-1.7v-4a1.6 1.6 0 0 1 1.7-1.7z" fill="none" stroke="#5eead4" stroke-width="1.6" />
        </svg>
    }
}
