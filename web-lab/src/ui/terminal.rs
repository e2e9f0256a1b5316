//! The terminal: a log of what was typed and printed, and a line to type on.
//!
//! The line is a plain `<input>`, so that Korean is composed, text is pasted and
//! undone, and a phone brings up its keyboard as everywhere else. Tab completes
//! when something stands on the line, and moves on when nothing does; Escape
//! gives the next Tab back to the browser.

use std::rc::Rc;

use wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, HtmlInputElement};
use yew::prelude::*;

use super::{Action, Shared};
use crate::dom;
use crate::i18n::{Lang, Msg};
use crate::model::ansi::{Line, LineKind, Screen};
use crate::model::complete::complete;
use crate::model::history::History;
use crate::protocol::{PromptState, Request};

/// Words for the prompt, as the worker offered them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Grows with each offer.
    pub serial: u64,
    /// The line that was asked about.
    pub line: String,
    /// Where the word begins.
    pub start: usize,
    /// The words.
    pub candidates: Vec<String>,
}

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub screen: Rc<Screen>,
    pub prompt: Rc<PromptState>,
    pub history: Shared<History>,
    pub offer: Option<Rc<Offer>>,
    /// The learner looks at the past, where nothing can be typed.
    pub past: bool,
    /// A question comes before time goes on.
    pub asked: bool,
    /// Time stands still.
    pub still: bool,
    pub on: Callback<Action>,
}

#[derive(Properties, PartialEq)]
struct LineProps {
    line: Rc<Line>,
}

#[component]
fn LogLine(props: &LineProps) -> Html {
    let kind = match props.line.kind {
        // A drawn table must not be folded; it is scrolled instead.
        LineKind::Output
            if props.line.spans.first().is_some_and(|(_, text)| text.starts_with(['|', '+'])) =>
        {
            "line output ruled"
        }
        LineKind::Output => "line output",
        LineKind::Input => "line typed",
        LineKind::Note => "line note",
    };
    let spans = props.line.spans.iter().map(|(style, text)| {
        let classes = style.classes();
        if classes.is_empty() {
            html! { {text} }
        } else {
            html! { <span class={classes}>{text}</span> }
        }
    });
    // Blocks are copied as lines; an empty one only if there is something in it.
    html! { <div class={kind}>{ for spans }if props.line.spans.is_empty() { {"\n"} }</div> }
}

#[component]
pub fn Terminal(props: &Props) -> Html {
    let input = use_node_ref();
    let log = use_node_ref();
    let at_end = use_mut_ref(|| true);
    let escaped = use_mut_ref(|| false);
    let choices = use_state(Vec::<String>::new);
    let lang = props.lang;

    {
        let (log, at_end) = (log.clone(), at_end.clone());
        use_effect_with((props.screen.clone(), props.prompt.clone()), move |_| {
            if let Some(log) = log.cast::<HtmlElement>()
                && *at_end.borrow()
            {
                log.set_scroll_top(log.scroll_height());
            }
        });
    }
    {
        let (input, choices) = (input.clone(), choices.clone());
        use_effect_with(props.offer.clone(), move |offer| {
            let (Some(offer), Some(input)) = (offer, input.cast::<HtmlInputElement>()) else { return };
            let line = input.value();
            let cursor = cursor(&input);
            // An answer about a line that has been edited since is of no use.
            if line != offer.line {
                return;
            }
            if let Some(done) = complete(&line, offer.start, cursor, &offer.candidates) {
                let at = utf16(&done.line, done.cursor);
                input.set_value(&done.line);
                let _ = input.set_selection_range(at, at);
                choices.set(done.choices);
            } else {
                choices.set(Vec::new());
            }
        });
    }

    let enter = {
        let (on, input, history, choices) =
            (props.on.clone(), input.clone(), props.history.clone(), choices.clone());
        let (at_end, past) = (at_end.clone(), props.past);
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if past {
                return;
            }
            if let Some(input) = input.cast::<HtmlInputElement>() {
                let line = input.value();
                input.set_value("");
                history.0.borrow_mut().push(&line);
                *at_end.borrow_mut() = true;
                choices.set(Vec::new());
                on.emit(Action::Type(line));
            }
        })
    };

    let keys = {
        let (on, input, history, choices) =
            (props.on.clone(), input.clone(), props.history.clone(), choices.clone());
        let escaped = escaped.clone();
        Callback::from(move |event: KeyboardEvent| {
            // Keys that belong to the input method (Korean, Japanese, …) are not ours.
            if event.is_composing() || event.key_code() == 229 {
                return;
            }
            let Some(input) = input.cast::<HtmlInputElement>() else { return };
            let was_escaped = std::mem::replace(&mut *escaped.borrow_mut(), event.key() == "Escape");
            let control = event.ctrl_key() && !event.alt_key() && !event.meta_key();
            let show = |line: Option<String>| {
                if let Some(line) = line {
                    let end = utf16(&line, line.len());
                    input.set_value(&line);
                    let _ = input.set_selection_range(end, end);
                }
            };
            let erase = |from: u32, to: u32| {
                if from < to {
                    let _ = input.set_selection_range(from, to);
                    dom::delete_selection();
                }
            };
            let line = input.value();
            let end = utf16(&line, line.len());
            let at = input.selection_start().ok().flatten().unwrap_or(end);
            let mut ours = true;
            match event.key().as_str() {
                "ArrowUp" => show(history.0.borrow_mut().older(&line)),
                "ArrowDown" => show(history.0.borrow_mut().newer(&line)),
                "Tab" if !event.shift_key() && !was_escaped && !line.is_empty() => {
                    on.emit(Action::Ask(Request::Complete { line: line.clone(), cursor: cursor(&input) }));
                }
                "Escape" => {
                    choices.set(Vec::new());
                    ours = false;
                }
                "c" if control
                    && !dom::has_selection()
                    && input.selection_end().ok().flatten() == Some(at) =>
                {
                    input.set_value("");
                    history.0.borrow_mut().edited();
                    on.emit(Action::Ask(Request::Interrupt));
                }
                "d" if control && line.is_empty() => on.emit(Action::Ask(Request::EndOfFile)),
                "l" if control => on.emit(Action::ClearTerminal),
                "u" if control => erase(0, at),
                "k" if control => erase(at, end),
                "w" if control => erase(word_start(&line, at), at),
                "a" if control => {
                    let _ = input.set_selection_range(0, 0);
                }
                "e" if control => {
                    let _ = input.set_selection_range(end, end);
                }
                _ => ours = false,
            }
            if ours {
                event.prevent_default();
            }
        })
    };

    let typed = {
        let history = props.history.clone();
        let choices = choices.clone();
        Callback::from(move |_: InputEvent| {
            history.0.borrow_mut().edited();
            if !choices.is_empty() {
                choices.set(Vec::new());
            }
        })
    };

    // Several lines are several commands, as in any terminal; the last, if it has no newline, waits on the line.
    let paste = {
        let (on, input, history) = (props.on.clone(), input.clone(), props.history.clone());
        let past = props.past;
        Callback::from(move |event: Event| {
            let text = pasted(&event);
            if past || !text.contains('\n') {
                return;
            }
            event.prevent_default();
            let Some(input) = input.cast::<HtmlInputElement>() else { return };
            let text = input.value() + &text.replace("\r\n", "\n");
            let (lines, rest) = text.rsplit_once('\n').unwrap_or(("", &text));
            let lines: Vec<String> = lines.split('\n').map(str::to_owned).collect();
            for line in &lines {
                history.0.borrow_mut().push(line);
            }
            on.emit(Action::Paste(lines));
            input.set_value(rest);
        })
    };

    let follow = {
        let (log, at_end) = (log.clone(), at_end.clone());
        Callback::from(move |_: Event| {
            if let Some(log) = log.cast::<HtmlElement>() {
                *at_end.borrow_mut() = log.scroll_top() + log.client_height() + 24 >= log.scroll_height();
            }
        })
    };
    let click = {
        let input = input.clone();
        Callback::from(move |_: MouseEvent| {
            if !dom::has_selection()
                && let Some(input) = input.cast::<HtmlElement>()
            {
                let _ = input.focus();
            }
        })
    };

    let (prompt, busy) = match &*props.prompt {
        PromptState::Ready(prompt) | PromptState::Continuation(prompt) => (prompt.clone(), false),
        // A program's own prompt: what it printed last, if that ended no line.
        PromptState::Busy => (props.screen.open().unwrap_or_default(), true),
    };
    let note = match (props.past, busy, props.still) {
        (true, ..) => Some(Msg::TerminalPast),
        (_, _, true) if props.asked => Some(Msg::TerminalAsked),
        (_, true, true) => Some(Msg::TerminalStill),
        (_, true, false) => Some(Msg::TerminalBusy),
        _ => None,
    };
    let mut lines = props.screen.lines();
    if busy && !prompt.is_empty() {
        lines.pop();
    }
    html! {
        <div class="terminal" onclick={click}>
            <div class="log" id="terminal-log" role="log" aria-label={lang.text(Msg::TerminalLog)} tabindex="0" ref={log} onscroll={follow}>
                { for lines.into_iter().map(|line| { let key = line.id; html! { <LogLine {key} {line} /> } }) }
                if !choices.is_empty() {
                    <div class="choices" role="status" data-testid="completions">{ for choices.iter().map(|word| html! { <span>{word}</span> }) }</div>
                }
                <form class={if busy { "ask busy" } else { "ask" }} onsubmit={enter}>
                    <label for="terminal-input" data-testid="prompt">{prompt}<span class="hidden">{lang.text(Msg::TerminalInput)}</span></label>
                    <input id="terminal-input" ref={input} onkeydown={keys} oninput={typed} onpaste={paste} disabled={props.past}
                        autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" enterkeyhint="send" aria-describedby="terminal-note" />
                </form>
            </div>
            <p id="terminal-note" class="note" role="status">{ note.map(|note| lang.text(note)) }</p>
        </div>
    }
}

/// The cursor of an input, in bytes of its value.
fn cursor(input: &HtmlInputElement) -> usize {
    let line = input.value();
    let units = input.selection_start().ok().flatten().unwrap_or(u32::MAX) as usize;
    let mut seen = 0;
    for (at, c) in line.char_indices() {
        if seen >= units {
            return at;
        }
        seen += c.len_utf16();
    }
    line.len()
}

/// A place in bytes as the browser counts it: in UTF-16 units.
fn utf16(line: &str, byte: usize) -> u32 {
    line.get(..byte).unwrap_or(line).encode_utf16().count() as u32
}

/// Where the word before a place begins; both in UTF-16 units.
fn word_start(line: &str, at: u32) -> u32 {
    let units: Vec<u16> = line.encode_utf16().take(at as usize).collect();
    let before = String::from_utf16_lossy(&units);
    let trimmed = before.trim_end();
    let start = trimmed.rfind(char::is_whitespace).map_or(0, |space| space + 1);
    utf16(trimmed, start)
}

fn pasted(event: &Event) -> String {
    let event: &web_sys::ClipboardEvent = event.unchecked_ref();
    event.clipboard_data().and_then(|data| data.get_data("text").ok()).unwrap_or_default()
}
