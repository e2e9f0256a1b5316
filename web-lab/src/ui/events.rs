//! The stream of Kubernetes events, the latest first.

use std::rc::Rc;

use clusterlab::order::InOrder;
use yew::prelude::*;

use super::Action;
use crate::i18n::{Lang, Msg};
use crate::model::clock::elapsed;
use crate::model::{Events, Selection};
use crate::protocol::Request;

/// How many events are drawn.
const MOST: usize = 200;

#[derive(Properties, PartialEq)]
pub struct Props {
    pub lang: Lang,
    pub events: Rc<Events>,
    /// Only those about `namespace/pod/name` or `node/name`.
    pub filter: Option<String>,
    pub on: Callback<Action>,
}

#[component]
pub fn EventList(props: &Props) -> Html {
    let lang = props.lang;
    let mut events: Vec<_> = props
        .events
        .values()
        .filter(|event| {
            props.filter.as_ref().is_none_or(|about| {
                event.object == *about || format!("{}/{}", event.namespace, event.object) == *about
            })
        })
        .collect();
    events.order_by(|a, b| b.last.cmp(&a.last).then_with(|| b.id.cmp(&a.id)));
    if events.is_empty() {
        return html! { <p class="empty">{lang.text(Msg::NoEvents)}</p> };
    }
    html! {
        <ul class="events">
            { for events.into_iter().take(MOST).map(|event| {
                let at = event.last;
                let look = props.on.reform(move |_: MouseEvent| Action::Ask(Request::Look { at }));
                let select = event.object.split_once('/').map(|(kind, name)| match kind {
                    "pod" => Selection::Pod(event.namespace.clone(), name.to_owned()),
                    _ => Selection::Node(name.to_owned()),
                });
                html! { <li key={event.id.clone()} class={if event.warning { "event warning" } else { "event" }}>
                    <button class="when" onclick={look} title={lang.text(Msg::LookAtMoment)}>{elapsed(at)}</button>
                    <span class="reason">
                        if event.warning { <span aria-hidden="true">{"⚠ "}</span><span class="hidden">{"Warning "}</span> }
                        {&event.reason}
                        if event.count > 1 { <span class="times">{format!(" ×{}", event.count)}</span> }
                    </span>
                    if let Some(selection) = select.filter(|_| props.filter.is_none()) {
                        <button class="link about" onclick={props.on.reform(move |_: MouseEvent| Action::Select(Some(selection.clone())))}>{&event.object}</button>
                    }
                    <span class="message">{&event.message}</span>
                </li> }
            }) }
        </ul>
    }
}
