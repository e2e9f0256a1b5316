//! The end of a namespace.
//!
//! In a real cluster the namespace controller does this, some seconds after the request; until the controllers are there, the API
//! server does it at once: the namespace says that it terminates, its pods are deleted and take their time, then
//! everything else goes, then the namespace itself (KEP-5080, ordered deletion).

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, NamespaceCondition, NamespaceStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{ApiServer, DeleteOptions, Deletion, Kind, Object, ObjectKey, bootstrap};

impl ApiServer {
    /// Marks a namespace for deletion and begins to empty it.
    pub(super) fn delete_namespace(&mut self, old: Object, dry_run: bool) -> Deletion {
        let Object::Namespace(namespace) = &old else { return Deletion::Pending(old) };
        if namespace.metadata.deletion_timestamp.is_some() {
            return Deletion::Pending(old);
        }
        let mut namespace = Arc::clone(namespace);
        let changed = Arc::make_mut(&mut namespace);
        changed.metadata.deletion_timestamp = Some(self.timestamp());
        changed.status.get_or_insert_with(NamespaceStatus::default).phase = Some("Terminating".to_owned());
        if dry_run {
            return Deletion::Pending(Object::Namespace(namespace));
        }
        let stored = self.put(Object::Namespace(namespace));
        self.delete_all(stored.name(), |kind| kind == Kind::Pod);
        self.empty_namespace(stored.name());
        // The answer is the namespace as it was marked, however soon it went.
        Deletion::Pending(stored)
    }

    /// Called after every removal: a namespace that terminates goes on, one that stays keeps what belongs to it.
    pub(super) fn after_removal(&mut self, key: &ObjectKey) {
        if key.namespace.is_empty() || self.emptying {
            return;
        }
        if !self.is_active(&key.namespace) {
            self.empty_namespace(&key.namespace);
            return;
        }
        // Controllers put back what belongs to every namespace.
        let furniture = matches!(
            (key.kind, key.name.as_str()),
            (Kind::ServiceAccount, "default") | (Kind::ConfigMap, "kube-root-ca.crt")
        );
        if furniture {
            bootstrap::furnish_namespace(self, &key.namespace);
        }
    }

    /// Whether a namespace is there and stays.
    pub(super) fn is_active(&self, namespace: &str) -> bool {
        self.read::<Namespace>("", namespace)
            .is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_none())
    }

    /// Takes a terminating namespace as far as it gets.
    fn empty_namespace(&mut self, name: &str) {
        let Some(namespace) = self.read::<Namespace>("", name).cloned() else { return };
        if self.of_kind(Kind::Pod, name).next().is_none() {
            self.delete_all(name, |_| true);
        }
        let remaining: Vec<&Object> = contents(self, name).collect();
        if remaining.is_empty() {
            self.finish_namespace(namespace);
            return;
        }
        // Conditions are told when the phase of the deletion changes, not for every object that goes.
        let told = namespace.status.as_ref().and_then(|status| status.conditions.as_ref());
        let told_of_pods = told
            .is_some_and(|told| told.iter().any(|c| c.reason.as_deref() == Some("ContentDeletionFailed")));
        let pods = remaining.iter().any(|object| object.kind() == Kind::Pod);
        if told.is_some() && told_of_pods == pods {
            return;
        }
        let conditions = conditions(name, &remaining, &self.timestamp());
        let mut namespace = namespace;
        Arc::make_mut(&mut namespace).status.get_or_insert_default().conditions = Some(conditions);
        self.put(Object::Namespace(namespace));
    }

    /// Deletes everything of some kinds in a namespace that is not being deleted yet.
    fn delete_all(&mut self, name: &str, wanted: impl Fn(Kind) -> bool) {
        let keys: Vec<ObjectKey> = contents(self, name)
            .filter(|object| wanted(object.kind()) && object.meta().deletion_timestamp.is_none())
            .map(Object::key)
            .collect();
        self.emptying = true;
        for key in keys {
            // Only `NotFound` is possible here, and then there is nothing left to do.
            let _ = self.delete(key.kind, &key.namespace, &key.name, &DeleteOptions::default());
        }
        self.emptying = false;
    }

    /// An empty namespace loses its finalizer, and so itself.
    fn finish_namespace(&mut self, namespace: Arc<Namespace>) {
        let mut namespace = namespace;
        let changed = Arc::make_mut(&mut namespace);
        if let Some(spec) = &mut changed.spec {
            spec.finalizers = None;
        }
        let held = changed.metadata.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty());
        let stored = self.put(Object::Namespace(namespace));
        if !held {
            self.remove(&stored.key());
        }
    }
}

fn contents<'a>(server: &'a ApiServer, name: &'a str) -> impl Iterator<Item = &'a Object> {
    let kinds = Kind::ALL.iter().filter(|kind| kind.info().namespaced);
    kinds.flat_map(move |kind| server.of_kind(*kind, name))
}

/// What the namespace says of why it is still there.
fn conditions(name: &str, remaining: &[&Object], now: &Time) -> Vec<NamespaceCondition> {
    let condition = |kind: &str, bad: Option<(&str, String)>, good: (&str, &str)| {
        let (status, reason, message) = match bad {
            Some((reason, message)) => ("True", reason, message),
            None => ("False", good.0, good.1.to_owned()),
        };
        NamespaceCondition {
            type_: kind.to_owned(),
            status: status.to_owned(),
            reason: Some(reason.to_owned()),
            message: Some(message),
            last_transition_time: Some(now.clone()),
        }
    };
    let pods = remaining.iter().any(|object| object.kind() == Kind::Pod);
    let failure = format!(
        "Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: {name} for gvr: /v1, Resource=pods"
    );
    let (mut kinds, mut finalizers) = (BTreeMap::new(), BTreeMap::new());
    for object in remaining {
        let info = object.kind().info();
        *kinds.entry(format!("{}.{}", info.plural, info.group)).or_insert(0) += 1;
        for finalizer in object.meta().finalizers.iter().flatten() {
            *finalizers.entry(finalizer.clone()).or_insert(0) += 1;
        }
    }
    let counted = |counts: BTreeMap<String, usize>, verb: &str| {
        counts
            .iter()
            .map(|(what, count)| format!("{what} {verb} {count} resource instances"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    // While there are pods the rest has not been looked at.
    let left = (!pods && !kinds.is_empty())
        .then(|| ("SomeResourcesRemain", format!("Some resources are remaining: {}", counted(kinds, "has"))));
    let held = (!pods && !finalizers.is_empty()).then(|| {
        let text = counted(finalizers, "in");
        ("SomeFinalizersRemain", format!("Some content in the namespace has finalizers remaining: {text}"))
    });
    vec![
        condition(
            "NamespaceDeletionDiscoveryFailure",
            None,
            ("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        condition(
            "NamespaceDeletionGroupVersionParsingFailure",
            None,
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        condition(
            "NamespaceDeletionContentFailure",
            pods.then_some(("ContentDeletionFailed", failure)),
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ),
        condition("NamespaceContentRemaining", left, ("ContentRemoved", "All content successfully removed")),
        condition(
            "NamespaceFinalizersRemaining",
            held,
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    ]
}
