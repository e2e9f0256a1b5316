//! What all objects have: names, labels, annotations, owners, finalizers.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

use super::field::{At, Errors};
use super::names::{
    generated, is_dns1123_label, is_dns1123_subdomain, is_qualified_name, is_valid_label_value,
};
use crate::kube::api::Kind;

const METADATA: At<'static> = At::root("metadata");
/// All annotations of an object together.
const ANNOTATION_BYTES: usize = 256 * 1024;

/// Validates the metadata of a new or changed object.
pub(super) fn validate(kind: Kind, meta: &ObjectMeta, errors: &mut Errors) {
    let name_problems = match kind {
        Kind::Namespace => is_dns1123_label,
        _ => is_dns1123_subdomain,
    };
    if let Some(prefix) = meta.generate_name.as_deref().filter(|prefix| !prefix.is_empty()) {
        // The prefix may end in a dash, as it will not stay the end.
        errors.invalid_all(&METADATA.child("generateName"), prefix, &name_problems(&generated(prefix)));
    }
    match meta.name.as_deref().unwrap_or_default() {
        "" => errors.required(&METADATA.child("name"), "name or generateName is required"),
        name => errors.invalid_all(&METADATA.child("name"), name, &name_problems(name)),
    }
    if kind.info().namespaced {
        match meta.namespace.as_deref().unwrap_or_default() {
            "" => errors.required(&METADATA.child("namespace"), ""),
            name => errors.invalid_all(&METADATA.child("namespace"), name, &is_dns1123_label(name)),
        }
    }
    labels(meta.labels.as_ref(), &METADATA.child("labels"), errors);
    annotations(meta.annotations.as_ref(), &METADATA.child("annotations"), errors);
    for (i, owner) in meta.owner_references.iter().flatten().enumerate() {
        let owners = METADATA.child("ownerReferences");
        let at = owners.index(i);
        for (field, value) in [
            ("apiVersion", &owner.api_version),
            ("kind", &owner.kind),
            ("name", &owner.name),
            ("uid", &owner.uid),
        ] {
            if value.is_empty() {
                errors.invalid(
                    &at.child(field),
                    value,
                    &format!("{} must not be empty", if field == "apiVersion" { "version" } else { field }),
                );
            }
        }
    }
    for finalizer in meta.finalizers.iter().flatten() {
        let at = METADATA.child("finalizers");
        errors.invalid_all(&at, finalizer, &is_qualified_name(finalizer));
    }
}

/// Finalizers without a domain must be among those that Kubernetes itself knows.
pub(super) fn finalizer_names(meta: &ObjectMeta, errors: &mut Errors) {
    const STANDARD: [&str; 3] = ["foregroundDeletion", "kubernetes", "orphan"];
    let at = METADATA.child("finalizers");
    for (i, finalizer) in meta.finalizers.iter().flatten().enumerate() {
        if !finalizer.contains('/') && !STANDARD.contains(&finalizer.as_str()) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.invalid(&at.index(i), finalizer, detail);
        }
    }
}

/// Validates what an update does to the metadata.
pub(super) fn validate_update(new: &ObjectMeta, old: &ObjectMeta, errors: &mut Errors) {
    if new.deletion_timestamp.is_some() {
        let present = old.finalizers.as_deref().unwrap_or_default();
        let added: Vec<_> = new
            .finalizers
            .iter()
            .flatten()
            .filter(|finalizer| !present.contains(finalizer))
            .map(|finalizer| format!("{finalizer:?}"))
            .collect();
        if !added.is_empty() {
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            errors.forbidden(&METADATA.child("finalizers"), &detail);
        }
    }
}

/// Labels, or anything of their form: node selectors, match labels.
pub(super) fn labels(labels: Option<&BTreeMap<String, String>>, at: &At<'_>, errors: &mut Errors) {
    for (key, value) in labels.into_iter().flatten() {
        errors.invalid_all(at, key, &is_qualified_name(key));
        errors.invalid_all(at, value, &is_valid_label_value(value));
    }
}

fn annotations(annotations: Option<&BTreeMap<String, String>>, at: &At<'_>, errors: &mut Errors) {
    let mut total = 0;
    for (key, value) in annotations.into_iter().flatten() {
        errors.invalid_all(at, key, &is_qualified_name(&key.to_lowercase()));
        total += key.len() + value.len();
    }
    if total > ANNOTATION_BYTES {
        errors.too_long(at, ANNOTATION_BYTES);
    }
}

/// A label selector within an object.
pub(super) fn label_selector(selector: Option<&LabelSelector>, at: &At<'_>, errors: &mut Errors) {
    let Some(selector) = selector else { return };
    labels(selector.match_labels.as_ref(), &at.child("matchLabels"), errors);
    let expressions = at.child("matchExpressions");
    for (i, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        let at = expressions.index(i);
        let values = requirement.values.as_deref().unwrap_or_default();
        operator_and_values(&requirement.operator, values.len(), false, &at, errors);
        errors.invalid_all(&at.child("key"), &requirement.key, &is_qualified_name(&requirement.key));
        let list = at.child("values");
        for (i, value) in values.iter().enumerate() {
            errors.invalid_all(&list.index(i), value, &is_valid_label_value(value));
        }
    }
}

/// An operator and the number of values that it takes; nodes can also be compared by numbers.
pub(super) fn operator_and_values(
    operator: &str,
    count: usize,
    numbers: bool,
    at: &At<'_>,
    errors: &mut Errors,
) {
    let values = at.child("values");
    match operator {
        "In" | "NotIn" => {
            if count == 0 {
                errors.required(&values, "must be specified when `operator` is 'In' or 'NotIn'");
            }
        }
        "Exists" | "DoesNotExist" => {
            if count > 0 {
                errors
                    .forbidden(&values, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
            }
        }
        "Gt" | "Lt" if numbers => {
            if count != 1 {
                errors.required(&values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
            }
        }
        other => errors.invalid(&at.child("operator"), other, "not a valid selector operator"),
    }
}
