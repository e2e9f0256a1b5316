//! The table of events at the end of a description.

use k8s_openapi::api::core::v1::Event;

use super::lines::Lines;
use crate::kube::api::{ApiServer, Object};
use crate::kube::kubectl::info::event_age;
use crate::kube::kubectl::print::Now;
use crate::order::InOrder;

/// Writes the events about `object`.
pub(super) fn describe(lines: &mut Lines, api: &ApiServer, object: &Object, now: Now) {
    let info = object.kind().info();
    let mut events: Vec<&Event> = api
        .iter::<Event>()
        .map(|event| &**event)
        .filter(|event| {
            let about = &event.involved_object;
            about.kind.as_deref() == Some(info.kind)
                && about.name.as_deref() == Some(object.name())
                && (!info.namespaced || event.metadata.namespace.as_deref() == Some(object.namespace()))
                // A kubelet names the node by its name instead of its uid.
                && about.uid.as_deref().is_none_or(|uid| {
                    uid.is_empty() || Some(uid) == object.meta().uid.as_deref() || uid == object.name()
                })
        })
        .collect();
    if events.is_empty() {
        lines.put(0, "Events:\t<none>");
        return;
    }
    events.order_by_key(|event| event.last_timestamp.as_ref().map(|time| time.0));
    lines.put(0, "Events:");
    lines.put(1, "Type\tReason\tAge\tFrom\tMessage");
    lines.put(1, "----\t------\t----\t----\t-------");
    for event in events {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let component = event.source.as_ref().and_then(|source| source.component.clone()).unwrap_or_default();
        let from = if component.is_empty() { text(&event.reporting_component) } else { component };
        let path = text(&event.involved_object.field_path);
        let prefix = if path.is_empty() { String::new() } else { format!("{path}: ") };
        lines.put(
            1,
            &format!(
                "{}\t{}\t{}\t{from}\t{prefix}{}",
                text(&event.type_),
                text(&event.reason),
                event_age(event, now),
                text(&event.message).trim()
            ),
        );
    }
}
