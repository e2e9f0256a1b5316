//! The dialogs: keys, beginning again, a name for a file; and short messages in the corner.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::{Action, Dialog};
use crate::dom;
use crate::i18n::{Lang, Msg};

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub open: Option<Dialog>,
    /// What is wrong with the name that was given.
    pub name_error: Option<Msg>,
    pub on: Callback<Action>,
}

#[component]
pub fn Dialogs(props: &Props) -> Html {
    let lang = props.lang;
    use_effect_with(props.open, |open| dom::show_dialog("dialog", open.is_some()));
    let close = props.on.reform(|_: MouseEvent| Action::Dialog(None));
    // Escape closes a modal dialog by itself; the page has to know.
    let closed = props.on.reform(|_: Event| Action::Dialog(None));
    let name = use_node_ref();
    let create = {
        let (on, name) = (props.on.clone(), name.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if let Some(name) = name.cast::<HtmlInputElement>() {
                on.emit(Action::NewFile(name.value()));
            }
        })
    };
    let content = match props.open {
        None => Html::default(),
        Some(Dialog::Help) => html! {
            <>
                <h2>{lang.text(Msg::HelpTitle)}</h2>
                <table class="keys"><tbody>
                    { for KEYS.iter().map(|(keys, msg)| html! { <tr><td>{ for keys.iter().map(|key| html! { <kbd>{*key}</kbd> }) }</td><td>{lang.text(*msg)}</td></tr> }) }
                </tbody></table>
                <div class="buttons"><button class="primary" onclick={close}>{lang.text(Msg::Close)}</button></div>
            </>
        },
        Some(Dialog::Reset) => html! {
            <>
                <h2>{lang.text(Msg::ResetTitle)}</h2>
                <p>{lang.text(Msg::ResetQuestion)}</p>
                <div class="buttons">
                    <button onclick={close}>{lang.text(Msg::Cancel)}</button>
                    <button class="primary" id="confirm-reset" onclick={props.on.reform(|_: MouseEvent| Action::Reset)}>{lang.text(Msg::Reset)}</button>
                </div>
            </>
        },
        Some(Dialog::NewFile) => html! {
            <form onsubmit={create}>
                <h2>{lang.text(Msg::NewFile)}</h2>
                <label>{lang.text(Msg::FileName)}<input ref={name} id="file-name" required=true placeholder="pod.yaml" autocomplete="off" spellcheck="false" aria-describedby="file-name-error" /></label>
                <p id="file-name-error" class="bad" role="alert">{ props.name_error.map(|msg| lang.text(msg)) }</p>
                <div class="buttons">
                    <button type="button" onclick={close}>{lang.text(Msg::Cancel)}</button>
                    <button class="primary">{lang.text(Msg::Create)}</button>
                </div>
            </form>
        },
    };
    html! { <dialog id="dialog" onclose={closed}>{content}</dialog> }
}

const KEYS: &[(&[&str], Msg)] = &[
    (&["F6"], Msg::KeyNextPanel),
    (&["Alt", "P"], Msg::KeyPlay),
    (&["Alt", "N"], Msg::KeyNextEvent),
    (&["Alt", "S"], Msg::KeyStep),
    (&["Tab"], Msg::KeyTab),
    (&["Esc", "Tab"], Msg::KeyEscapeTab),
    (&["↑", "↓"], Msg::KeyHistory),
    (&["Ctrl", "C"], Msg::KeyInterrupt),
    (&["Ctrl", "L"], Msg::KeyClear),
    (&["?"], Msg::KeyHelp),
];

/// A short message in the corner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// Grows with each message.
    pub id: u64,
    /// What it says.
    pub text: String,
    /// Something went wrong: it stays until it is closed.
    pub bad: bool,
}

#[derive(Properties, PartialEq)]
pub struct ToastsProps {
    pub lang: Lang,
    pub toasts: Vec<Toast>,
    pub on: Callback<Action>,
}

#[component]
pub fn Toasts(props: &ToastsProps) -> Html {
    html! {
        <div class="toasts" role="status" id="messages">
            { for props.toasts.iter().map(|toast| {
                let id = toast.id;
                html! { <div key={id} class={if toast.bad { "toast bad" } else { "toast" }}>
                    <span>{&toast.text}</span>
                    <button class="quiet" aria-label={props.lang.text(Msg::Close)} onclick={props.on.reform(move |_: MouseEvent| Action::Dismiss(id))}>{"×"}</button>
                </div> }
            }) }
        </div>
    }
}
