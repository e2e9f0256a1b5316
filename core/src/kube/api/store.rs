//! The store behind the API server: objects by key, one version counter, and the
//! history of changes that watches read.
//!
//! Everything that changes an object ends in [`ApiServer::put`] or
//! [`ApiServer::remove`]; they are the only two places that count the version
//! up and write history.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::options::{ObjectList, WatchEvent, WatchVerb};
use super::selector::Selectors;
use super::{Kind, ListOptions, Object, ObjectKey, Resource, Status, bootstrap};
use crate::sim::{Epoch, Rng, Seed, SimTime};

/// Changes that are always kept for watches, beside all those of the present instant.
const HISTORY: usize = 8192;

/// The API server of one cluster.
#[derive(Clone, Debug)]
pub struct ApiServer {
    epoch: Epoch,
    pub(super) now: SimTime,
    pub(super) rng: Rng,
    pub(super) objects: BTreeMap<ObjectKey, Object>,
    resource_version: u64,
    pub(super) history: VecDeque<WatchEvent>,
    /// Which event object counts further occurrences of the same event.
    pub(super) correlator: super::events::Correlator,
    /// What the latest request from a client was warned of.
    pub(super) warnings: Vec<String>,
    /// A namespace is being emptied: its removals ask for nothing further.
    pub(super) emptying: bool,
}

impl ApiServer {
    /// An API server as a new cluster has it: the four namespaces, their service
    /// accounts and root certificates, and the two system priority classes.
    pub fn new(epoch: Epoch, seed: Seed) -> Self {
        let mut server = Self {
            epoch,
            now: SimTime::ZERO,
            rng: seed.rng("kube-apiserver"),
            objects: BTreeMap::new(),
            resource_version: 0,
            history: VecDeque::new(),
            correlator: super::events::Correlator::default(),
            warnings: Vec::new(),
            emptying: false,
        };
        bootstrap::fill(&mut server);
        server
    }

    /// Sets the clock that creation timestamps and events are read from.
    ///
    /// History older than the newest few thousand changes is forgotten when time moves
    /// on; a component that reads [`events_since`](Self::events_since) at every
    /// instant never misses one.
    pub fn set_now(&mut self, now: SimTime) {
        if now != self.now {
            self.now = now;
            self.expire_events();
            while self.history.len() > HISTORY {
                self.history.pop_front();
            }
        }
    }

    /// The present instant.
    pub const fn now(&self) -> SimTime {
        self.now
    }

    /// What the calendar shows at instant zero.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The present, as `metav1.Time` writes it: in whole seconds.
    pub fn timestamp(&self) -> Time {
        Time(self.jiff_timestamp(self.now))
    }

    /// The version of the store: of its latest change.
    pub const fn resource_version(&self) -> u64 {
        self.resource_version
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is no object at all; never so after [`new`](Self::new).
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The object of type `T` of that name, without a copy. The namespace of cluster-scoped kinds is ignored.
    pub fn read<T: Resource>(&self, namespace: &str, name: &str) -> Option<&Arc<T>> {
        T::from_object(self.objects.get(&Self::key(T::KIND, namespace, name))?)
    }

    /// All objects of type `T`, in the order of their keys: namespace, then name.
    pub fn iter<T: Resource>(&self) -> impl Iterator<Item = &Arc<T>> {
        self.of_kind(T::KIND, "").filter_map(T::from_object)
    }

    /// One object.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Object, Status> {
        self.objects
            .get(&Self::key(kind, namespace, name))
            .cloned()
            .ok_or_else(|| Status::not_found(&kind.info().qualified_plural(), name))
    }

    /// The objects of a kind in a namespace (empty: in all) that the selectors match.
    ///
    /// # Errors
    ///
    /// `BadRequest` for a selector that cannot be read or names a field that this kind cannot be selected by.
    pub fn list(&self, kind: Kind, namespace: &str, options: &ListOptions) -> Result<ObjectList, Status> {
        let selectors = Selectors::parse(kind, options)?;
        let items =
            self.of_kind(kind, namespace).filter(|object| selectors.matches(object)).cloned().collect();
        Ok(ObjectList { items, resource_version: self.resource_version })
    }

    /// Objects of a kind, in one namespace unless it is empty. Costs what it yields.
    pub(super) fn of_kind(&self, kind: Kind, namespace: &str) -> impl Iterator<Item = &Object> {
        let namespace = if kind.info().namespaced { namespace } else { "" };
        let from = ObjectKey::new(kind, namespace, "");
        let one_namespace = (!namespace.is_empty()).then(|| namespace.to_owned());
        self.objects
            .range((Bound::Included(from), Bound::Unbounded))
            .take_while(move |(key, _)| {
                key.kind == kind && one_namespace.as_ref().is_none_or(|namespace| key.namespace == *namespace)
            })
            .map(|(_, object)| object)
    }

    /// The key of an object, without a namespace for kinds that have none.
    pub(super) fn key(kind: Kind, namespace: &str, name: &str) -> ObjectKey {
        ObjectKey::new(kind, if kind.info().namespaced { namespace } else { "" }, name)
    }

    fn jiff_timestamp(&self, at: SimTime) -> jiff::Timestamp {
        // k8s-openapi brings a jiff of its own; seconds are common ground.
        jiff::Timestamp::from_second(self.epoch.timestamp(at).as_second()).unwrap_or_default()
    }

    /// Stores an object under a new version and tells watches. Answers it as stored.
    pub(super) fn put(&mut self, mut object: Object) -> Object {
        self.resource_version += 1;
        object.meta_mut().resource_version = Some(self.resource_version.to_string());
        let previous = self.objects.insert(object.key(), object.clone());
        let verb = if previous.is_some() { WatchVerb::Modified } else { WatchVerb::Added };
        self.remember(verb, object.clone(), previous);
        object
    }

    /// Removes an object and tells watches. Answers it as it last was.
    pub(super) fn remove(&mut self, key: &ObjectKey) -> Option<Object> {
        let mut object = self.objects.remove(key)?;
        let previous = object.clone();
        self.resource_version += 1;
        object.meta_mut().resource_version = Some(self.resource_version.to_string());
        self.remember(WatchVerb::Deleted, object.clone(), Some(previous));
        self.after_removal(key);
        Some(object)
    }

    fn remember(&mut self, verb: WatchVerb, object: Object, previous: Option<Object>) {
        self.history.push_back(WatchEvent {
            at: self.now,
            resource_version: self.resource_version,
            verb,
            object,
            previous,
        });
    }
}
