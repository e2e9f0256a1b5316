//! The editor: a `<textarea>` over a layer that has the colours.
//!
//! Layer and textarea lie in one grid cell and have the same metrics; the text
//! of the textarea is transparent, its caret is not. The browser keeps undo,
//! input methods, selection and the screen reader's view. Tab indents; Escape
//! gives the next Tab back to the browser.

use std::rc::Rc;

use gloo::timers::callback::Timeout;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

use super::{Action, Dialog};
use crate::dom;
use crate::i18n::{Lang, Msg};
use crate::model::buffers::{Buffer, Buffers, is_yaml};
use crate::model::highlight::{self, Piece};
use crate::protocol::{Problem, Request};

/// Above this many bytes a text is shown without colours: a browser lays out megabytes of
/// coloured pieces for seconds.
const COLOUR_LIMIT: usize = 200_000;

/// Milliseconds without a key before the manifest reader is asked.
const DIAGNOSE_AFTER: u32 = 250;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub buffers: Rc<Buffers>,
    pub on: Callback<Action>,
}

#[component]
pub fn Editor(props: &Props) -> Html {
    let lang = props.lang;
    let open = props.buffers.open();
    let tabs = props.buffers.paths().map(|path| {
        let selected = props.buffers.open_path() == Some(path);
        let broken = props.buffers.get(path).is_some_and(|buffer| !buffer.problems.is_empty());
        let choose = {
            let path = path.to_owned();
            props.on.reform(move |_: MouseEvent| Action::OpenFile(path.clone()))
        };
        html! {
            <button key={path.to_owned()} role="tab" class="filetab" aria-selected={selected.to_string()} data-file={path.to_owned()} onclick={choose}>
                {path}
                if broken { <span class="badge bad" title={lang.text(Msg::FileHasProblems)}>{"!"}</span> }
            </button>
        }
    });
    html! {
        <div class="editorbox">
            <div class="filetabs">
                <div role="tablist" aria-label={lang.text(Msg::Files)} class="scrollx">{ for tabs }</div>
                <button class="quiet" id="new-file" title={lang.text(Msg::NewFile)} aria-label={lang.text(Msg::NewFile)}
                    onclick={props.on.reform(|_: MouseEvent| Action::Dialog(Some(Dialog::NewFile)))}>{"+"}</button>
            </div>
            if let Some((path, buffer)) = open {
                <File key={path.to_owned()} {lang} path={path.to_owned()} buffer={buffer.clone()} on={props.on.clone()} />
            } else {
                <p class="empty">{lang.text(Msg::NoFiles)}</p>
            }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct FileProps {
    lang: Lang,
    path: String,
    buffer: Buffer,
    on: Callback<Action>,
}

#[component]
fn File(props: &FileProps) -> Html {
    let area = use_node_ref();
    let escaped = use_mut_ref(|| false);
    let lang = props.lang;

    // The textarea has its own text; it is set only when the file changed elsewhere.
    {
        let area = area.clone();
        use_effect_with(props.buffer.text.clone(), move |text| {
            if let Some(area) = area.cast::<HtmlTextAreaElement>()
                && area.value() != *text
            {
                area.set_value(text);
            }
        });
    }
    {
        let (on, path) = (props.on.clone(), props.path.clone());
        let (revision, diagnosed, text) =
            (props.buffer.revision, props.buffer.diagnosed, props.buffer.text.clone());
        use_effect_with(revision, move |_| {
            let timer = (is_yaml(&path) && diagnosed != revision).then(|| {
                Timeout::new(DIAGNOSE_AFTER, move || {
                    on.emit(Action::Ask(Request::Diagnose { path, revision, text }));
                })
            });
            move || drop(timer)
        });
    }

    let edited = {
        let (on, path) = (props.on.clone(), props.path.clone());
        Callback::from(move |event: InputEvent| {
            if let Some(area) = event.target_dyn_into::<HtmlTextAreaElement>() {
                on.emit(Action::Edit { path: path.clone(), text: area.value() });
            }
        })
    };
    let keys = {
        let area = area.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.is_composing() || event.key_code() == 229 {
                return;
            }
            let was_escaped = std::mem::replace(&mut *escaped.borrow_mut(), event.key() == "Escape");
            let Some(area) = area.cast::<HtmlTextAreaElement>() else { return };
            let plain = !event.ctrl_key() && !event.alt_key() && !event.meta_key();
            match event.key().as_str() {
                "Tab" if plain && !was_escaped => {
                    event.prevent_default();
                    indent(&area, event.shift_key());
                }
                "Enter" if plain && !event.shift_key() => {
                    event.prevent_default();
                    dom::insert_text(&new_line(&before_cursor(&area)));
                }
                _ => {}
            }
        })
    };

    let big = props.buffer.text.len() > COLOUR_LIMIT;
    let lines = use_memo((props.buffer.text.clone(), props.path.clone(), big), |(text, path, big)| {
        match (big, is_yaml(path)) {
            (true, _) => Vec::new(),
            (_, true) => highlight::yaml(text).into_iter().map(Rc::new).collect::<Vec<_>>(),
            (_, false) => highlight::plain(text).into_iter().map(Rc::new).collect(),
        }
    });
    let problems = &props.buffer.problems;
    let layer = lines.iter().enumerate().map(|(at, pieces)| {
        let problem = problems.iter().find(|problem| problem.line == at + 1).cloned();
        html! { <CodeLine key={at} number={at + 1} pieces={pieces.clone()} {problem} /> }
    });
    html! {
        <>
            <div class="code scroll">
                if big {
                    <p class="note">{lang.text(Msg::FileTooBigForColours)}</p>
                }
                <div class={if big { "layers big" } else { "layers" }}>
                    <div class="layer" aria-hidden="true">{ for layer }</div>
                    <textarea id="editor" ref={area.clone()} oninput={edited} onkeydown={keys} wrap="off" spellcheck="false" autocomplete="off" autocapitalize="off"
                        aria-label={lang.fill(Msg::EditorOf, &[&props.path])} aria-describedby="editor-help editor-problems"
                        aria-invalid={(!problems.is_empty()).to_string()} />
                </div>
            </div>
            <p id="editor-help" class="hidden">{lang.text(Msg::EditorHelp)}</p>
            <div id="editor-problems" class="problems" role="status">
                { for problems.iter().map(|problem| html! { <ProblemRow {lang} problem={problem.clone()} area={area.clone()} /> }) }
            </div>
        </>
    }
}

#[derive(Properties, PartialEq)]
struct CodeLineProps {
    number: usize,
    pieces: Rc<Vec<Piece>>,
    problem: Option<Problem>,
}

#[component]
fn CodeLine(props: &CodeLineProps) -> Html {
    let pieces = props.pieces.iter().map(|(token, text)| match token.class() {
        "" => html! { {text} },
        class => html! { <span {class}>{text}</span> },
    });
    let broken = props.problem.is_some();
    html! {
        <div class={if broken { "codeline bad" } else { "codeline" }} data-line={props.number.to_string()}>
            { for pieces }{"\u{200b}"}
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct ProblemProps {
    lang: Lang,
    problem: Problem,
    area: NodeRef,
}

#[component]
fn ProblemRow(props: &ProblemProps) -> Html {
    let problem = &props.problem;
    let go = {
        let (area, line, column) = (props.area.clone(), problem.line, problem.column);
        Callback::from(move |_: MouseEvent| {
            if let Some(area) = area.cast::<HtmlTextAreaElement>() {
                let at = offset(&area.value(), line, column);
                let _ = area.focus();
                let _ = area.set_selection_range(at, at);
            }
        })
    };
    html! {
        <button class="problem" data-testid="problem" onclick={go}>
            <span class="place">{format!("{}:{}", problem.line, problem.column)}</span>
            <span>{&problem.message}</span>
            if !problem.hint.is_empty() { <span class="fix">{&problem.hint}</span> }
        </button>
    }
}

/// The place of a line and column (from 1, in characters) as the browser counts: UTF-16 units.
fn offset(text: &str, line: usize, column: usize) -> u32 {
    let mut units = 0;
    for (at, content) in text.split('\n').enumerate() {
        if at + 1 == line {
            let within: usize = content.chars().take(column.saturating_sub(1)).map(char::len_utf16).sum();
            return (units + within) as u32;
        }
        units += content.encode_utf16().count() + 1;
    }
    units.saturating_sub(1) as u32
}

fn before_cursor(area: &HtmlTextAreaElement) -> String {
    let units = area.selection_start().ok().flatten().unwrap_or_default() as usize;
    String::from_utf16_lossy(&area.value().encode_utf16().take(units).collect::<Vec<_>>())
}

/// The newline and the indentation that follows it: that of the line, deeper after a colon.
fn new_line(before: &str) -> String {
    let line = before.rsplit('\n').next().unwrap_or_default();
    let content = line.trim_start_matches(' ');
    let mut blanks = line.len() - content.len();
    if line.trim_end().ends_with(':') {
        blanks += if content.starts_with("- ") { 4 } else { 2 };
    } else if content.starts_with("- ") && content.contains(": ") {
        blanks += 2;
    }
    format!("\n{}", " ".repeat(blanks))
}

/// Two blanks at the cursor; with a selection over lines, in front of each; `back` takes them away.
fn indent(area: &HtmlTextAreaElement, back: bool) {
    let value: Vec<u16> = area.value().encode_utf16().collect();
    let start = area.selection_start().ok().flatten().unwrap_or_default() as usize;
    let end = (area.selection_end().ok().flatten().unwrap_or_default() as usize).min(value.len());
    let newline = u16::from(b'\n');
    if !back && !value[start.min(end)..end].contains(&newline) {
        return dom::insert_text("  ");
    }
    let first =
        value[..start.min(value.len())].iter().rposition(|unit| *unit == newline).map_or(0, |at| at + 1);
    let lines = String::from_utf16_lossy(&value[first..end.max(first)]);
    let moved: Vec<String> = lines
        .split('\n')
        .map(|line| {
            if back {
                line.strip_prefix("  ").or_else(|| line.strip_prefix(' ')).unwrap_or(line).to_owned()
            } else {
                format!("  {line}")
            }
        })
        .collect();
    let moved = moved.join("\n");
    if moved == lines {
        return;
    }
    let _ = area.set_selection_range(first as u32, end.max(first) as u32);
    dom::insert_text(&moved);
    let after = (first + moved.encode_utf16().count()) as u32;
    let _ = area.set_selection_range(if start == end { after } else { first as u32 }, after);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_line_is_indented_as_the_one_before() {
        let check =
            |before: &str, blanks: usize| assert_eq!(new_line(before).len(), blanks + 1, "{before:?}");
        check("", 0);
        check("spec:", 2);
        check("spec:\n  containers:", 4);
        check("  - name: x", 4);
        check("  - resources:", 6);
        check("    image: cuda", 4);
    }

    #[test]
    fn a_place_is_found_in_the_browsers_counting() {
        assert_eq!(offset("a\n가나: x", 2, 3), 4);
        assert_eq!(offset("😀x", 1, 2), 2);
        assert_eq!(offset("a", 9, 9), 1);
    }
}
