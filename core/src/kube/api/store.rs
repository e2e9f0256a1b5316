//! The store behind the API server.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

use super::{Kind, Object, ObjectKey, Resource, Status};
use crate::sim::{Epoch, Rng, Seed, SimTime};

/// Options of create, replace and patch.
#[derive(Clone, Debug, Default)]
pub struct WriteOptions {
    /// `--dry-run=server`: answer as if it had been done.
    pub dry_run: bool,
    /// `fieldManager`: who owns what is written.
    pub field_manager: String,
    /// `fieldValidation=Strict`: unknown and duplicate fields are errors.
    pub strict: bool,
}

/// Options of list and watch.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// `app=web,tier!=db`
    pub label_selector: String,
    /// `status.phase=Running`
    pub field_selector: String,
}

/// Options of delete (`metav1.DeleteOptions`).
#[derive(Clone, Debug, Default)]
pub struct DeleteOptions {
    /// Seconds; the object's own default if absent.
    pub grace_period_seconds: Option<i64>,
    /// Refuse unless the object's `resourceVersion` is this one.
    pub resource_version: Option<String>,
    /// Refuse unless the object's `uid` is this one.
    pub uid: Option<String>,
    /// Answer as if it had been done.
    pub dry_run: bool,
}

/// A part of an object with an endpoint of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subresource {
    /// The object itself, without its status.
    #[default]
    None,
    /// `/status`: only the status.
    Status,
}

/// A patch, by its content type.
#[derive(Clone, Debug)]
pub enum Patch {
    /// RFC 6902, `application/json-patch+json`.
    Json(Value),
    /// RFC 7386, `application/merge-patch+json`.
    Merge(Value),
    /// `application/strategic-merge-patch+json`.
    Strategic(Value),
}

/// A list and the version of the store at which it was true.
#[derive(Clone, Debug)]
pub struct ObjectList {
    /// In the order of their keys: namespace, then name.
    pub items: Vec<Object>,
    /// `metadata.resourceVersion` of the list; watch from here.
    pub resource_version: u64,
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the verbs are those of Kubernetes' watch")]
pub enum WatchVerb {
    Added,
    Modified,
    Deleted,
}

/// One change of one object.
#[derive(Clone, Debug)]
pub struct WatchEvent {
    /// When.
    pub at: SimTime,
    /// The version of the store after the change.
    pub resource_version: u64,
    /// What happened.
    pub verb: WatchVerb,
    /// The object after the change, or as it last was.
    pub object: Object,
    /// The object before the change, unless it is new: what a selector compares.
    pub previous: Option<Object>,
}

/// An event to record about an object, as a component's `EventRecorder` does.
#[derive(Clone, Debug)]
pub struct EventRecord<'a> {
    /// About which object.
    pub regarding: &'a Object,
    /// `spec.containers{main}`, for events of one container.
    pub field_path: Option<String>,
    /// `Normal` (false) or `Warning` (true).
    pub warning: bool,
    /// Machine-readable: `Scheduled`, `Pulled`, `BackOff`.
    pub reason: &'a str,
    /// For people.
    pub message: String,
    /// `default-scheduler`, `kubelet`.
    pub component: &'a str,
    /// The node, for a kubelet's events.
    pub host: Option<&'a str>,
}

/// The API server of one cluster.
#[derive(Clone, Debug)]
pub struct ApiServer {
    epoch: Epoch,
    now: SimTime,
    rng: Rng,
    objects: BTreeMap<ObjectKey, Object>,
    resource_version: u64,
    history: VecDeque<WatchEvent>,
}

impl ApiServer {
    /// An API server as a new cluster has it.
    pub fn new(epoch: Epoch, seed: Seed) -> Self {
        Self {
            epoch,
            now: SimTime::ZERO,
            rng: seed.rng("kube-apiserver"),
            objects: BTreeMap::new(),
            resource_version: 0,
            history: VecDeque::new(),
        }
    }

    /// Sets the clock that creation timestamps and events are read from.
    pub fn set_now(&mut self, now: SimTime) {
        self.now = now;
    }

    /// The version of the store: of its latest change.
    pub const fn resource_version(&self) -> u64 {
        self.resource_version
    }

    /// The object of type `T` of that name, without a copy.
    pub fn read<T: Resource>(&self, namespace: &str, name: &str) -> Option<&Arc<T>> {
        T::from_object(self.objects.get(&ObjectKey::new(T::KIND, namespace, name))?)
    }

    /// All objects of type `T`, in the order of their keys.
    pub fn iter<T: Resource>(&self) -> impl Iterator<Item = &Arc<T>> {
        self.objects.iter().filter_map(|(_, object)| T::from_object(object))
    }

    /// One object.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Object, Status> {
        self.objects
            .get(&ObjectKey::new(kind, namespace, name))
            .cloned()
            .ok_or_else(|| Status::not_found(&kind.info().qualified_plural(), name))
    }
}
