//! Environment variables and where their values come from.

use k8s_openapi::api::core::v1::{
    EnvFromSource, EnvVar, EnvVarSource, ObjectFieldSelector, ResourceFieldSelector,
};

use super::field::{At, Errors};
use super::names::{
    generated, is_config_map_key, is_dns1123_subdomain, is_environment_name, is_qualified_name,
};
use crate::kube::quantity::Amount;

const ENV_FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
pub(super) const VOLUME_FIELDS: &[&str] =
    &["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
const CONVERTIBLE: &[&str] = &[
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];
const RESOURCES: &[&str] = &[
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

pub(super) fn variables(variables: &[EnvVar], at: &At<'_>, errors: &mut Errors) {
    for (i, variable) in variables.iter().enumerate() {
        let at = at.index(i);
        if variable.name.is_empty() {
            errors.required(&at.child("name"), "");
        } else {
            errors.invalid_all(&at.child("name"), &variable.name, &is_environment_name(&variable.name));
        }
        let has_value = variable.value.as_ref().is_some_and(|value| !value.is_empty());
        if let Some(source) = &variable.value_from {
            value_from(source, has_value, &at.child("valueFrom"), errors);
        }
    }
}

fn value_from(source: &EnvVarSource, has_value: bool, at: &At<'_>, errors: &mut Errors) {
    let mut sources = 0;
    if let Some(field) = &source.field_ref {
        sources += 1;
        field_selector(field, ENV_FIELDS, &at.child("fieldRef"), errors);
    }
    if let Some(resource) = &source.resource_field_ref {
        sources += 1;
        resource_selector(resource, false, &at.child("resourceFieldRef"), errors);
    }
    if let Some(key) = &source.config_map_key_ref {
        sources += 1;
        key_selector(&key.name, &key.key, &at.child("configMapKeyRef"), errors);
    }
    if let Some(key) = &source.secret_key_ref {
        sources += 1;
        key_selector(&key.name, &key.key, &at.child("secretKeyRef"), errors);
    }
    sources += usize::from(source.file_key_ref.is_some());
    if sources == 0 {
        errors.invalid(at, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef`, or `fileKeyRef`");
    } else if has_value {
        errors.invalid(at, "", "may not be specified when `value` is not empty");
    } else if sources > 1 {
        errors.invalid(at, "", "may not have more than one field specified at a time");
    }
}

fn key_selector(name: &str, key: &str, at: &At<'_>, errors: &mut Errors) {
    errors.invalid_all(&at.child("name"), name, &is_dns1123_subdomain(name));
    if key.is_empty() {
        errors.required(&at.child("key"), "");
    } else {
        errors.invalid_all(&at.child("key"), key, &is_config_map_key(key));
    }
}

/// A field of the pod, for an environment variable or a file.
pub(super) fn field_selector(
    selector: &ObjectFieldSelector,
    supported: &[&str],
    at: &At<'_>,
    errors: &mut Errors,
) {
    if selector.api_version.as_ref().is_none_or(String::is_empty) {
        errors.required(&at.child("apiVersion"), "");
        return;
    }
    let path = selector.field_path.as_str();
    if path.is_empty() {
        errors.required(&at.child("fieldPath"), "");
        return;
    }
    let (plain, subscript) = match path.strip_suffix("']").and_then(|rest| rest.split_once("['")) {
        Some((plain, subscript)) => (plain, Some(subscript)),
        None => (path, None),
    };
    if !CONVERTIBLE.contains(&plain) || (subscript.is_none() && path.contains('[')) {
        let detail = format!("error converting fieldPath: field label not supported: {path}");
        errors.invalid(&at.child("fieldPath"), path, &detail);
        return;
    }
    match (plain, subscript) {
        ("metadata.annotations", Some(key)) => {
            errors.invalid_all(at, key, &is_qualified_name(&key.to_lowercase()));
        }
        ("metadata.labels", Some(key)) => errors.invalid_all(at, key, &is_qualified_name(key)),
        (plain, Some(_)) => errors.invalid(at, plain, "does not support subscript"),
        (plain, None) if !supported.contains(&plain) => {
            errors.not_supported(&at.child("fieldPath"), plain, supported);
        }
        (_, None) => {}
    }
}

/// A resource of a container, for an environment variable or a file.
pub(super) fn resource_selector(
    selector: &ResourceFieldSelector,
    in_volume: bool,
    at: &At<'_>,
    errors: &mut Errors,
) {
    let resource = selector.resource.as_str();
    let huge = ["requests.hugepages-", "limits.hugepages-"].iter().any(|prefix| resource.starts_with(prefix));
    if in_volume && selector.container_name.as_ref().is_none_or(String::is_empty) {
        errors.required(&at.child("containerName"), "");
    } else if resource.is_empty() {
        errors.required(&at.child("resource"), "");
    } else if !RESOURCES.contains(&resource) && !huge {
        errors.not_supported(&at.child("resource"), resource, RESOURCES);
    }
    let Some(divisor) = selector.divisor.as_ref().and_then(|divisor| Amount::try_from(divisor).ok()) else {
        return;
    };
    let text = divisor.to_string();
    let at = at.child("divisor");
    if text == "0" {
        return;
    }
    let of = |name: &str| resource.rsplit('.').next() == Some(name);
    if of("cpu") {
        if !["1m", "1"].contains(&text.as_str()) {
            errors.invalid(
                &at,
                resource,
                "only divisor's values 1m and 1 are supported with the cpu resource",
            );
        }
    } else if !["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"]
        .contains(&text.as_str())
    {
        let kind = if of("memory") { "memory" } else { "local ephemeral storage" };
        let detail = format!(
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the {kind} resource"
        );
        errors.invalid(&at, resource, &detail);
    }
}

pub(super) fn sources(sources: &[EnvFromSource], list: &At<'_>, errors: &mut Errors) {
    for (i, source) in sources.iter().enumerate() {
        let at = list.index(i);
        if let Some(prefix) = source.prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
            errors.invalid_all(&at.child("prefix"), prefix, &is_environment_name(prefix));
        }
        let mut found = 0;
        for (field, name) in [
            ("configMapRef", source.config_map_ref.as_ref().map(|reference| &reference.name)),
            ("secretRef", source.secret_ref.as_ref().map(|reference| &reference.name)),
        ] {
            let Some(name) = name else { continue };
            found += 1;
            let at = at.child(field);
            if name.is_empty() {
                errors.required(&at.child("name"), "");
            } else {
                errors.invalid_all(&at.child("name"), name, &is_dns1123_subdomain(&generated(name)));
            }
        }
        match found {
            0 => errors.invalid(list, "", "must specify one of: `configMapRef` or `secretRef`"),
            1 => {}
            _ => errors.invalid(list, "", "may not have more than one field specified at a time"),
        }
    }
}
