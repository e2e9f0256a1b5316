//! The few things that the page needs of the browser and that Yew does not give.
//!
//! Every function does nothing where there is no browser or it refuses (storage
//! may be forbidden in a frame, the clipboard without a gesture).

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{
    Blob, BlobPropertyBag, Document, HtmlAnchorElement, HtmlElement, Storage, Url, UrlSearchParams, Window,
};

fn window() -> Option<Window> {
    web_sys::window()
}

fn document() -> Option<Document> {
    window()?.document()
}

fn storage() -> Option<Storage> {
    window()?.local_storage().ok().flatten()
}

/// What the browser keeps under that key.
pub fn stored(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Keeps `value` under that key. Answers whether it could: storage may be full or forbidden.
pub fn store(key: &str, value: &str) -> bool {
    storage().is_some_and(|storage| storage.set_item(key, value).is_ok())
}

/// Forgets what is kept under that key.
pub fn forget(key: &str) {
    if let Some(storage) = storage() {
        let _ = storage.remove_item(key);
    }
}

/// A parameter of the address: `exercise` of `?exercise=first-gpu-pod`.
pub fn parameter(name: &str) -> Option<String> {
    let search = window()?.location().search().ok()?;
    UrlSearchParams::new_with_str(&search).ok()?.get(name)
}

/// The address without its part after `#`.
pub fn address() -> Option<String> {
    let href = window()?.location().href().ok()?;
    Some(href.split('#').next().unwrap_or(&href).to_owned())
}

/// Goes to another page of the site, to an exercise there. What else the address asks for stays.
pub fn go_to_exercise(page: &str, exercise: &str) {
    let Some(location) = window().map(|w| w.location()) else { return };
    let path = location.pathname().unwrap_or_default();
    // That page itself does not send anybody on.
    if path.ends_with(page) {
        return;
    }
    let search = location.search().unwrap_or_default();
    if let Ok(parameters) = UrlSearchParams::new_with_str(&search) {
        parameters.set("exercise", exercise);
        let _ = location.set_href(&format!("{page}?{}", String::from(parameters.to_string())));
    }
}

/// The part of the address after `#`.
pub fn fragment() -> String {
    window().and_then(|w| w.location().hash().ok()).unwrap_or_default()
}

/// Shows another address without loading anything.
pub fn replace_address(address: &str) {
    if let Some(history) = window().and_then(|w| w.history().ok()) {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// The languages that the visitor's browser asks for, the dearest first.
pub fn language() -> String {
    window().and_then(|w| w.navigator().language()).unwrap_or_default()
}

/// Whether the visitor's system is dark.
pub fn prefers_dark() -> bool {
    window()
        .and_then(|w| w.match_media("(prefers-color-scheme: dark)").ok().flatten())
        .is_some_and(|query| query.matches())
}

/// Sets an attribute of the root element, `<html>`.
pub fn set_root(name: &str, value: &str) {
    if let Some(root) = document().and_then(|d| d.document_element()) {
        let _ = root.set_attribute(name, value);
    }
}

/// Sets the title of the page.
pub fn set_title(title: &str) {
    if let Some(document) = document() {
        document.set_title(title);
    }
}

/// Hands the visitor a file.
pub fn download(name: &str, text: &str) {
    let give = || -> Result<(), JsValue> {
        let parts = js_sys::Array::of1(&JsValue::from_str(text));
        let kind = BlobPropertyBag::new();
        kind.set_type("application/json");
        let blob = Blob::new_with_str_sequence_and_options(&parts, &kind)?;
        let url = Url::create_object_url_with_blob(&blob)?;
        if let Some(link) = document().and_then(|d| d.create_element("a").ok()) {
            let link: HtmlAnchorElement = link.unchecked_into();
            link.set_href(&url);
            link.set_download(name);
            link.click();
        }
        Url::revoke_object_url(&url)
    };
    let _ = give();
}

/// Puts `text` on the clipboard.
pub fn copy(text: &str) {
    if let Some(window) = window() {
        // Without a secure context there is no clipboard; the promise's refusal needs no answer.
        let clipboard = js_sys::Reflect::get(&window.navigator(), &JsValue::from_str("clipboard"));
        if clipboard.is_ok_and(|clipboard| clipboard.is_object()) {
            let ignored = Closure::<dyn FnMut(JsValue)>::new(|_| {});
            let _ = window.navigator().clipboard().write_text(text).catch(&ignored);
            ignored.forget();
        }
    }
}

/// Inserts text at the cursor of the field that has the focus, as if it had been typed: the
/// browser's undo knows it.
pub fn insert_text(text: &str) {
    command("insertText", text);
}

/// Deletes what is selected in the field that has the focus.
pub fn delete_selection() {
    command("delete", "");
}

fn command(name: &str, value: &str) {
    if let Some(document) = document().and_then(|d| d.dyn_into::<web_sys::HtmlDocument>().ok()) {
        let _ = document.exec_command_with_show_ui_and_value(name, false, value);
    }
}

/// Moves the focus to the element of that id.
pub fn focus(id: &str) {
    if let Some(element) = document().and_then(|d| d.get_element_by_id(id)) {
        let _ = element.unchecked_ref::<HtmlElement>().focus();
    }
}

/// Whether something is selected on the page (a copy is more likely meant than an interrupt).
pub fn has_selection() -> bool {
    window().and_then(|w| w.get_selection().ok().flatten()).is_some_and(|selection| !selection.is_collapsed())
}

/// Opens or closes a `<dialog>` with everything else out of reach.
pub fn show_dialog(id: &str, open: bool) {
    let dialog = document()
        .and_then(|d| d.get_element_by_id(id))
        .and_then(|e| e.dyn_into::<web_sys::HtmlDialogElement>().ok());
    if let Some(dialog) = dialog {
        if open && !dialog.open() {
            let _ = dialog.show_modal();
        } else if !open && dialog.open() {
            dialog.close();
        }
    }
}

/// Closes the `<details>` of that id.
pub fn close_details(id: &str) {
    if let Some(details) = document().and_then(|d| d.get_element_by_id(id)) {
        let _ = details.remove_attribute("open");
    }
}

/// Milliseconds since the page or the worker was opened.
#[cfg(target_arch = "wasm32")]
pub fn milliseconds() -> f64 {
    let performance = js_sys::Reflect::get(&js_sys::global(), &JsValue::from_str("performance")).ok();
    performance.and_then(|p| p.dyn_into::<web_sys::Performance>().ok()).map_or(0.0, |p| p.now())
}

/// The bytes that came with a message; none if it carried something else.
pub fn received(event: &web_sys::MessageEvent) -> Vec<u8> {
    event.data().dyn_into::<js_sys::Uint8Array>().map(|bytes| bytes.to_vec()).unwrap_or_default()
}

/// Reads a file that the visitor chose; `done` gets its text, or `None` if it cannot be read.
pub fn read_file(file: &web_sys::File, done: impl FnOnce(Option<String>) + 'static) {
    let Ok(reader) = web_sys::FileReader::new() else {
        return done(None);
    };
    let result = reader.clone();
    let ended = Closure::once_into_js(move |_: web_sys::Event| {
        done(result.result().ok().and_then(|text| text.as_string()));
    });
    reader.set_onloadend(Some(ended.unchecked_ref()));
    let _ = reader.read_as_text(file);
}
