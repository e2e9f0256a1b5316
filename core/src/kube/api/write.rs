//! Create and update: the pipeline that every new version of an object goes through.
//!
//! As in the real server: defaulting, admission, the strategy of the kind, validation,
//! store. A refusal leaves the server as it was, and a dry run does too.

use std::sync::Arc;

use super::{
    ApiServer, Kind, Object, Reason, Resource, Status, Subresource, WriteOptions, admission, bootstrap,
    defaults, strategy, validation, warnings,
};

impl ApiServer {
    /// Creates an object in `namespace` (ignored for cluster-scoped kinds). Answers it as stored.
    ///
    /// # Errors
    ///
    /// `AlreadyExists`, `NotFound` (the namespace), `Invalid`, `Forbidden` (by admission), `BadRequest`.
    pub fn create(
        &mut self,
        namespace: &str,
        object: Object,
        options: &WriteOptions,
    ) -> Result<Object, Status> {
        self.clear_warnings();
        self.create_decoded(namespace, object, options)
    }

    /// Creates an object; what its decoding was warned of stays.
    pub(super) fn create_decoded(
        &mut self,
        namespace: &str,
        object: Object,
        options: &WriteOptions,
    ) -> Result<Object, Status> {
        let rng = self.rng.clone();
        let result = self
            .prepare_create(namespace, object)
            .map(|object| if options.dry_run { object } else { self.put(object) });
        if let Ok(object) = &result {
            self.warn_all(warnings::on_create(object));
        }
        if options.dry_run || result.is_err() {
            self.rng = rng;
            return result;
        }
        let object = result?;
        if let Object::Namespace(namespace) = &object {
            bootstrap::furnish_namespace(self, namespace.metadata.name.as_deref().unwrap_or_default());
        }
        Ok(self.mirror_node_conditions(object))
    }

    fn prepare_create(&mut self, namespace: &str, mut object: Object) -> Result<Object, Status> {
        let kind = object.kind();
        let info = kind.info();
        let now = self.timestamp();
        if !info.namespaced {
            object.meta_mut().namespace = None;
        } else if object.namespace().is_empty() {
            object.meta_mut().namespace = Some(namespace.to_owned());
        } else if object.namespace() != namespace {
            return Err(Status::new(
                Reason::BadRequest,
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        defaults::apply(&mut object);
        admission::on_create(self, &mut object)?;

        let meta = object.meta_mut();
        if meta.resource_version.as_deref().is_some_and(|version| !version.is_empty() && version != "0") {
            return Err(Status::new(
                Reason::InternalError,
                "resourceVersion should not be set on objects to be created",
            ));
        }
        meta.resource_version = None;
        meta.deletion_timestamp = None;
        meta.deletion_grace_period_seconds = None;
        meta.self_link = None;
        meta.managed_fields = None;
        meta.generation = None;
        meta.creation_timestamp = Some(now);
        meta.uid = Some(self.rng.uuid());
        let given = meta.name.as_deref().unwrap_or_default();
        if let (true, Some(prefix)) = (given.is_empty(), meta.generate_name.as_deref()) {
            // The suffix must fit: names have at most 63 characters here, whatever the kind allows.
            let mut cut = prefix.len().min(58);
            while !prefix.is_char_boundary(cut) {
                cut -= 1;
            }
            let prefix = prefix[..cut].to_owned();
            let namespace = meta.namespace.clone().unwrap_or_default();
            // As the real server: some attempts, then the collision is told.
            let mut name = String::new();
            for _ in 0..8 {
                name = format!("{prefix}{}", self.rng.name_suffix(5));
                if !self.objects.contains_key(&Self::key(kind, &namespace, &name)) {
                    break;
                }
            }
            meta.name = Some(name);
        }
        strategy::prepare_for_create(&mut object);
        validation::on_create(&object)?;
        if self.objects.contains_key(&object.key()) {
            return Err(Status::already_exists(&info.qualified_plural(), object.name()));
        }
        Ok(object)
    }

    /// Replaces an object, or its status, by another (`PUT`). If the new one names a
    /// `resourceVersion`, it must be the present one.
    ///
    /// # Errors
    ///
    /// `NotFound`, `Conflict`, `Invalid`, `BadRequest`.
    pub fn replace(
        &mut self,
        mut object: Object,
        subresource: Subresource,
        options: &WriteOptions,
    ) -> Result<Object, Status> {
        let kind = object.kind();
        if !kind.info().namespaced {
            object.meta_mut().namespace = None;
        }
        let old = self.get(kind, object.namespace(), object.name())?;
        check_preconditions(&old, object.meta().uid.as_deref(), object.meta().resource_version.as_deref())?;
        defaults::apply(&mut object);
        self.store_update(&old, object, subresource, options.dry_run)
    }

    /// Changes the metadata and spec of an object in place, for components of the
    /// cluster: no JSON, no admission, no validation. Answers it as stored; a change that changes
    /// nothing is no new version.
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub fn update<T: Resource>(
        &mut self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut T),
    ) -> Result<Arc<T>, Status> {
        self.change(namespace, name, change, Subresource::None)
    }

    /// Changes the status of an object in place; else as [`update`](Self::update).
    ///
    /// # Errors
    ///
    /// `NotFound`.
    pub fn update_status<T: Resource>(
        &mut self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut T),
    ) -> Result<Arc<T>, Status> {
        self.change(namespace, name, change, Subresource::Status)
    }

    fn change<T: Resource>(
        &mut self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut T),
        subresource: Subresource,
    ) -> Result<Arc<T>, Status> {
        let missing = || Status::not_found(&T::KIND.info().qualified_plural(), name);
        let old = Arc::clone(self.read::<T>(namespace, name).ok_or_else(missing)?);
        let mut new = Arc::clone(&old);
        change(Arc::make_mut(&mut new));
        let stored = self.commit_update(&old.into_object(), new.into_object(), subresource, false);
        T::from_object(&stored).cloned().ok_or_else(missing)
    }

    /// Validates and stores a new version that a client sent.
    pub(super) fn store_update(
        &mut self,
        old: &Object,
        mut object: Object,
        subresource: Subresource,
        dry_run: bool,
    ) -> Result<Object, Status> {
        strategy::prepare_for_update(old, &mut object, subresource);
        admission::on_update(old, &mut object, subresource);
        if object != *old {
            validation::on_update(old, &object, subresource)?;
        }
        Ok(self.commit_update(old, object, subresource, dry_run))
    }

    /// Stores a new version if it differs, and removes the object if only this kept it.
    fn commit_update(
        &mut self,
        old: &Object,
        mut object: Object,
        subresource: Subresource,
        dry_run: bool,
    ) -> Object {
        strategy::prepare_for_update(old, &mut object, subresource);
        if object == *old || dry_run {
            return object;
        }
        let meta = object.meta();
        let kept = meta.finalizers.as_ref().is_some_and(|finalizers| !finalizers.is_empty())
            || old.meta().deletion_grace_period_seconds.unwrap_or(0) != 0
            || is_unfinished_namespace(&object);
        if old.meta().deletion_timestamp.is_some() && !kept {
            let key = object.key();
            self.objects.insert(key.clone(), object.clone());
            return self.remove(&key).unwrap_or(object);
        }
        let stored = self.put(object);
        self.mirror_node_conditions(stored)
    }
}

/// Refuses if the object is not the one that the caller means.
pub(super) fn check_preconditions(
    object: &Object,
    uid: Option<&str>,
    version: Option<&str>,
) -> Result<(), Status> {
    let meta = object.meta();
    let plural = object.kind().info().qualified_plural();
    let conflict = |why: &str| Status::conflict(&plural, object.name(), why);
    let present = meta.uid.as_deref().unwrap_or_default();
    if let Some(uid) = uid.filter(|uid| !uid.is_empty() && *uid != present) {
        return Err(conflict(&format!(
            "Precondition failed: UID in precondition: {uid}, UID in object meta: {present}"
        )));
    }
    let present = meta.resource_version.as_deref().unwrap_or_default();
    match version {
        None | Some("" | "0") => Ok(()),
        Some(version) if version == present => Ok(()),
        Some(version) if version.parse::<u64>().is_err() => Err(Status::new(
            Reason::Invalid,
            format!(
                "{plural} \"{}\" is invalid: metadata.resourceVersion: Invalid value: {version:?}: must be a valid integer",
                object.name()
            ),
        )),
        Some(_) => Err(conflict(
            "the object has been modified; please apply your changes to the latest version and try again",
        )),
    }
}

/// A namespace stays until its `spec.finalizers` are empty too.
fn is_unfinished_namespace(object: &Object) -> bool {
    match object {
        Object::Namespace(namespace) => {
            namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_ref()).is_some_and(|f| !f.is_empty())
        }
        _ => false,
    }
}

/// Whether objects of this kind count their changes of spec.
pub(super) const fn has_generation(kind: Kind) -> bool {
    kind.is_custom() || matches!(kind, Kind::Pod | Kind::PriorityClass | Kind::PodGroup)
}
