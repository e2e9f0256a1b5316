//! Field selectors: `status.phase=Running,spec.nodeName!=gpu-1`.

use std::borrow::Cow;

use crate::kube::api::{Kind, Object, Reason, Status};

/// A parsed field selector; the empty one matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    field: String,
    equal: bool,
    value: String,
}

impl FieldSelector {
    /// Reads a selector for objects of `kind`.
    ///
    /// # Errors
    ///
    /// `BadRequest` if it cannot be read, or this kind cannot be selected by such a field.
    pub fn parse(kind: Kind, text: &str) -> Result<Self, Status> {
        let bad = |message: String| Status::new(Reason::BadRequest, message);
        let mut terms = Vec::new();
        for part in split_terms(text) {
            if part.is_empty() {
                continue;
            }
            let (field, equal, value) = split_term(part)
                .ok_or_else(|| bad(format!("invalid selector: '{text}'; can't understand '{part}'")))?;
            let value = unescape(value)
                .map_err(|reason| bad(format!("invalid field selector: {value:?}: {reason}")))?;
            terms.push(Term { field: canonical_field(kind, field).map_err(bad)?.to_owned(), equal, value });
        }
        Ok(Self { terms })
    }

    /// Whether `object` is selected.
    pub fn matches(&self, object: &Object) -> bool {
        self.terms.iter().all(|term| (field_value(object, &term.field) == term.value) == term.equal)
    }
}

/// Splits at commas that no backslash protects.
fn split_terms(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn split_term(part: &str) -> Option<(&str, bool, &str)> {
    part.char_indices().find_map(|(at, _)| {
        let rest = &part[at..];
        [("!=", false), ("==", true), ("=", true)]
            .iter()
            .find_map(|(operator, equal)| Some((&part[..at], *equal, rest.strip_prefix(operator)?)))
    })
}

fn unescape(value: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                _ => return Err("invalid escape sequence"),
            },
            ',' | '=' => return Err("unescaped character in value"),
            c => out.push(c),
        }
    }
    Ok(out)
}

const POD_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];
const EVENT_FIELDS: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
    "metadata.namespace",
    "metadata.name",
];

/// The field as the server knows it, or why it does not.
fn canonical_field(kind: Kind, field: &str) -> Result<&str, String> {
    let known: &[&str] = match kind {
        Kind::Pod if field == "spec.host" => return Ok("spec.nodeName"),
        Kind::Pod => POD_FIELDS,
        Kind::Node => &["metadata.name", "spec.unschedulable"],
        Kind::Namespace => &["metadata.name", "status.phase"],
        Kind::Event => EVENT_FIELDS,
        Kind::ConfigMap
        | Kind::ServiceAccount
        | Kind::PriorityClass
        | Kind::PodGroup
        | Kind::ClusterQueue
        | Kind::LocalQueue
        | Kind::ResourceFlavor
        | Kind::Workload
        | Kind::WorkloadPriorityClass => {
            return match field {
                "metadata.name" | "metadata.namespace" => Ok(field),
                _ => Err(format!(
                    "\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
                )),
            };
        }
    };
    if known.contains(&field) { Ok(field) } else { Err(format!("field label not supported: {field}")) }
}

/// What the server holds against a selector's value; fields that an object lacks count as empty.
fn field_value<'a>(object: &'a Object, field: &str) -> Cow<'a, str> {
    match field {
        "metadata.name" => return object.name().into(),
        "metadata.namespace" => return object.namespace().into(),
        _ => {}
    }
    let text = |value: &'a Option<String>| Cow::from(value.as_deref().unwrap_or_default());
    let flag = |value: Option<bool>| Cow::from(if value.unwrap_or_default() { "true" } else { "false" });
    match object {
        Object::Pod(pod) => match (field, &pod.spec, &pod.status) {
            ("spec.nodeName", Some(spec), _) => text(&spec.node_name),
            ("spec.restartPolicy", Some(spec), _) => text(&spec.restart_policy),
            ("spec.schedulerName", Some(spec), _) => text(&spec.scheduler_name),
            ("spec.serviceAccountName", Some(spec), _) => text(&spec.service_account_name),
            ("spec.hostNetwork", spec, _) => flag(spec.as_ref().and_then(|spec| spec.host_network)),
            ("status.phase", _, Some(status)) => text(&status.phase),
            ("status.podIP" | "status.podIPs", _, Some(status)) => text(&status.pod_ip),
            ("status.nominatedNodeName", _, Some(status)) => text(&status.nominated_node_name),
            _ => "".into(),
        },
        Object::Node(node) => flag(node.spec.as_ref().and_then(|spec| spec.unschedulable)),
        Object::Namespace(namespace) => {
            namespace.status.as_ref().map_or("".into(), |status| text(&status.phase))
        }
        Object::Event(event) => {
            let about = &event.involved_object;
            match field {
                "involvedObject.kind" => text(&about.kind),
                "involvedObject.namespace" => text(&about.namespace),
                "involvedObject.name" => text(&about.name),
                "involvedObject.uid" => text(&about.uid),
                "involvedObject.apiVersion" => text(&about.api_version),
                "involvedObject.resourceVersion" => text(&about.resource_version),
                "involvedObject.fieldPath" => text(&about.field_path),
                "reason" => text(&event.reason),
                "reportingComponent" => text(&event.reporting_component),
                "source" => event
                    .source
                    .as_ref()
                    .and_then(|source| source.component.as_deref())
                    .or(event.reporting_component.as_deref())
                    .unwrap_or_default()
                    .into(),
                "type" => text(&event.type_),
                _ => "".into(),
            }
        }
        Object::ConfigMap(_)
        | Object::ServiceAccount(_)
        | Object::PriorityClass(_)
        | Object::PodGroup(_)
        | Object::ClusterQueue(_)
        | Object::LocalQueue(_)
        | Object::ResourceFlavor(_)
        | Object::Workload(_)
        | Object::WorkloadPriorityClass(_) => "".into(),
    }
}
