//! Events, recorded as the components of a cluster do it.
//!
//! Two recorders exist in reality. Kubelet and controllers use client-go's `tools/record`: the
//! same event again raises `count`, more than ten that differ only in their message become one
//! "(combined from similar events)", and an object that never stops talking is cut to 25 events, then one
//! every five minutes. The scheduler uses `tools/events`: `eventTime`, an `action`, and a `series` for repetitions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, EventSeries, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};

use super::options::EventRecord;
use super::{ApiServer, Object, ObjectKey};
use crate::sim::SimTime;

/// An event is forgotten this long after it was last written (`--event-ttl`).
const TTL: Duration = Duration::from_hours(1);
/// How many messages of one kind an object may have before they are combined…
const SIMILAR: usize = 10;
/// …within this time.
const SIMILAR_WITHIN: Duration = Duration::from_mins(10);
/// Events that an object may have in one go…
const BURST: f64 = 25.0;
/// …and seconds until it may have another.
const REFILL_SECONDS: f64 = 300.0;
/// A series ends when nothing has come for this long.
const SERIES_ENDS: Duration = Duration::from_mins(6);

/// What the recorders remember.
#[derive(Clone, Debug, Default)]
pub(super) struct Correlator {
    /// Per same event: the object that counts it.
    seen: BTreeMap<Identity, Seen>,
    /// Per kind of event: the messages of late.
    similar: BTreeMap<Identity, Similar>,
    /// Per object and source: what is left of its allowance.
    allowance: BTreeMap<(String, String), Allowance>,
    /// When to look which event may be forgotten.
    expiry: std::collections::VecDeque<(SimTime, ObjectKey, Option<String>)>,
}

/// What makes two events the same. The version of the object they are about does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    /// Component and host.
    source: String,
    /// The uid of the object.
    about: String,
    field: Option<String>,
    warning: bool,
    reason: String,
    /// The message, or what the new recorder looks at instead.
    detail: String,
}

#[derive(Clone, Debug)]
struct Seen {
    key: ObjectKey,
    last: SimTime,
}

#[derive(Clone, Debug, Default)]
struct Similar {
    messages: BTreeSet<String>,
    last: SimTime,
}

#[derive(Clone, Debug)]
struct Allowance {
    tokens: f64,
    at: SimTime,
}

impl ApiServer {
    /// Records an event: creates an `Event`, or raises the count of the one that says the same.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "a record is made for the call; callers need not lend it"
    )]
    pub fn record(&mut self, record: EventRecord<'_>) {
        let record = &record;
        let about = reference(record);
        let identity = Identity {
            source: format!("{}/{}", record.component, record.host.unwrap_or_default()),
            about: about.uid.clone().or_else(|| about.name.clone()).unwrap_or_default(),
            field: record.field_path.clone(),
            warning: record.warning,
            reason: record.reason.to_owned(),
            detail: String::new(),
        };
        if let Some(action) = record.action {
            // The new recorder also tells two versions of an object apart, but not two messages.
            let version = about.resource_version.as_deref().unwrap_or_default();
            let detail = format!("{action}/{version}");
            self.record_series(record, about, Identity { detail, ..identity }, action);
        } else {
            self.record_count(record, about, identity);
        }
    }

    fn record_count(&mut self, record: &EventRecord<'_>, about: ObjectReference, identity: Identity) {
        let now = self.now;
        // Events of two containers of a pod count together here.
        let group = Identity { field: None, ..identity.clone() };
        let similar = self.correlator.similar.entry(group.clone()).or_default();
        if now.since(similar.last) > SIMILAR_WITHIN {
            similar.messages.clear();
        }
        similar.last = now;
        similar.messages.insert(record.message.clone());
        let combined = similar.messages.len() >= SIMILAR;
        let (key, message) = if combined {
            similar.messages.pop_first();
            (group, format!("(combined from similar events): {}", record.message))
        } else {
            (Identity { detail: record.message.clone(), ..identity }, record.message.clone())
        };
        let seen = self.correlator.seen.get(&key).map(|seen| seen.key.clone());
        let known = seen.and_then(|seen| self.read::<Event>(&seen.namespace, &seen.name).cloned());
        if !self.correlator.allow(&key, now) {
            return;
        }
        let timestamp = self.timestamp();
        let event = if let Some(known) = known {
            let mut event = Arc::unwrap_or_clone(known);
            event.count = Some(event.count.unwrap_or(1).saturating_add(1));
            event.last_timestamp = Some(timestamp);
            event.message = Some(message);
            event
        } else {
            Event {
                count: Some(1),
                first_timestamp: Some(timestamp.clone()),
                last_timestamp: Some(timestamp),
                source: Some(EventSource {
                    component: Some(record.component.to_owned()),
                    host: record.host.map(str::to_owned),
                }),
                reporting_component: Some(record.component.to_owned()),
                reporting_instance: Some(record.host.unwrap_or_default().to_owned()),
                message: Some(message),
                ..self.new_event(record, about)
            }
        };
        self.write_event(event, key);
    }

    fn record_series(
        &mut self,
        record: &EventRecord<'_>,
        about: ObjectReference,
        key: Identity,
        action: &str,
    ) {
        let now = self.now;
        let micros = MicroTime(self.precise_timestamp());
        let seen = self.correlator.seen.get(&key).filter(|seen| now.since(seen.last) < SERIES_ENDS).cloned();
        let known = seen.and_then(|seen| self.read::<Event>(&seen.key.namespace, &seen.key.name).cloned());
        let event = if let Some(known) = known {
            let mut event = Arc::unwrap_or_clone(known);
            let count = event.series.as_ref().and_then(|series| series.count).unwrap_or(1);
            event.series =
                Some(EventSeries { count: Some(count.saturating_add(1)), last_observed_time: Some(micros) });
            event
        } else {
            let instance = record
                .host
                .map_or_else(|| record.component.to_owned(), |host| format!("{}-{host}", record.component));
            Event {
                event_time: Some(micros),
                action: Some(action.to_owned()),
                source: Some(EventSource::default()),
                reporting_component: Some(record.component.to_owned()),
                reporting_instance: Some(instance),
                message: Some(record.message.clone()),
                ..self.new_event(record, about)
            }
        };
        self.write_event(event, key);
    }

    fn new_event(&mut self, record: &EventRecord<'_>, about: ObjectReference) -> Event {
        let namespace = about.namespace.clone().unwrap_or_else(|| "default".to_owned());
        let about_name = about.name.as_deref().unwrap_or_default();
        let mut nanos = self.precise_timestamp().as_nanosecond();
        // Two events about one object in one instant: the real clock would have moved on.
        let name = loop {
            let name = format!("{about_name}.{nanos:x}");
            if self.read::<Event>(&namespace, &name).is_none() {
                break name;
            }
            nanos += 1;
        };
        Event {
            metadata: ObjectMeta {
                name: Some(name),
                namespace: Some(namespace),
                uid: Some(self.rng.uuid()),
                creation_timestamp: Some(self.timestamp()),
                ..ObjectMeta::default()
            },
            involved_object: about,
            reason: Some(record.reason.to_owned()),
            type_: Some(if record.warning { "Warning" } else { "Normal" }.to_owned()),
            ..Event::default()
        }
    }

    fn write_event(&mut self, event: Event, key: Identity) {
        // Nobody may create in a namespace that is going; a real recorder logs the refusal and forgets.
        let namespace = event.metadata.namespace.clone().unwrap_or_default();
        if !self.is_active(&namespace) {
            return;
        }
        let object = self.put(Object::Event(Arc::new(event)));
        let now = self.now;
        self.correlator.seen.insert(key, Seen { key: object.key(), last: now });
        let version = object.meta().resource_version.clone();
        self.correlator.expiry.push_back((now + TTL, object.key(), version));
    }

    /// Forgets events that nobody has written for an hour, and what the recorders knew of them.
    pub(super) fn expire_events(&mut self) {
        let now = self.now;
        let mut any = false;
        while self.correlator.expiry.front().is_some_and(|(due, ..)| *due <= now) {
            let Some((_, key, version)) = self.correlator.expiry.pop_front() else { break };
            if self.objects.get(&key).is_some_and(|object| object.meta().resource_version == version) {
                self.remove(&key);
                any = true;
            }
        }
        if any {
            let Self { correlator, objects, .. } = self;
            correlator.seen.retain(|_, seen| objects.contains_key(&seen.key));
            correlator.similar.retain(|_, similar| now.since(similar.last) <= SIMILAR_WITHIN);
            correlator.allowance.retain(|_, allowance| allowance.tokens_at(now) < BURST);
        }
    }

    fn precise_timestamp(&self) -> Timestamp {
        let wall = self.epoch().timestamp(self.now);
        Timestamp::from_nanosecond(wall.as_nanosecond()).unwrap_or_default()
    }
}

impl Correlator {
    /// Takes one event off the allowance of an object, if any is left.
    fn allow(&mut self, identity: &Identity, now: SimTime) -> bool {
        let key = (identity.source.clone(), identity.about.clone());
        let allowance = self.allowance.entry(key).or_insert(Allowance { tokens: BURST, at: now });
        allowance.tokens = allowance.tokens_at(now);
        allowance.at = now;
        if allowance.tokens < 1.0 {
            return false;
        }
        allowance.tokens -= 1.0;
        true
    }
}

impl Allowance {
    fn tokens_at(&self, now: SimTime) -> f64 {
        (self.tokens + now.since(self.at).as_secs_f64() / REFILL_SECONDS).min(BURST)
    }
}

/// How the event names the object that it is about.
fn reference(record: &EventRecord<'_>) -> ObjectReference {
    let object = record.regarding;
    let meta = object.meta();
    let node_of_kubelet = record.component == "kubelet" && matches!(object, Object::Node(_));
    if node_of_kubelet {
        // The kubelet records against a reference of its own making, whose uid is the node's name.
        return ObjectReference {
            kind: Some("Node".to_owned()),
            name: meta.name.clone(),
            uid: meta.name.clone(),
            ..ObjectReference::default()
        };
    }
    let info = object.kind().info();
    ObjectReference {
        api_version: Some(info.api_version()),
        kind: Some(info.kind.to_owned()),
        namespace: meta.namespace.clone(),
        name: meta.name.clone(),
        uid: meta.uid.clone(),
        resource_version: meta.resource_version.clone(),
        field_path: record.field_path.clone(),
    }
}
