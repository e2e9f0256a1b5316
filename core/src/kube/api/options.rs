//! What a request may ask for, and what it gets back.

use serde_json::Value;

use super::Object;
use crate::sim::SimTime;

/// Options of create, replace and patch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// `--dry-run=server`: answer as if it had been done.
    pub dry_run: bool,
    /// `fieldManager`: who owns what is written. Kept for the interface; `managedFields` are not modelled.
    pub field_manager: String,
    /// `fieldValidation=Strict`: unknown and duplicate fields are errors.
    pub strict: bool,
}

/// Options of list and watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListOptions {
    /// `app=web,tier!=db`
    pub label_selector: String,
    /// `status.phase=Running`
    pub field_selector: String,
}

/// Options of delete (`metav1.DeleteOptions`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq)]
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

/// What a delete did.
#[derive(Clone, Debug)]
pub enum Deletion {
    /// The object is gone; this is how it last was.
    Gone(Object),
    /// It stays until its grace period, its finalizers or its contents allow; this is how it is now.
    Pending(Object),
}

impl Deletion {
    /// The object as it last was, or is now.
    pub const fn object(&self) -> &Object {
        match self {
            Self::Gone(object) | Self::Pending(object) => object,
        }
    }
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
    /// `Binding`, `Scheduling`, `Preempting`: set by a component that speaks `events.k8s.io`
    /// (the scheduler), whose events carry `eventTime` and `series` instead of `count`.
    pub action: Option<&'a str>,
}
