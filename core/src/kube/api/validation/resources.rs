//! Requests and limits.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{PodSpec, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::field::{At, Errors};
use super::names::is_qualified_name;
use crate::kube::api::defaults::requested_together;
use crate::kube::quantity::Amount;

/// The names without a slash that the API knows at all.
const STANDARD: &[&str] = &[
    "configmaps",
    "cpu",
    "ephemeral-storage",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

fn is_huge_page(name: &str) -> bool {
    name.starts_with("hugepages-")
}

/// Resources of Kubernetes itself, as against those of a device plugin.
fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && is_qualified_name(&format!("requests.{name}")).is_empty()
}

/// Whether more of it may be promised than there is.
fn is_overcommit_allowed(name: &str) -> bool {
    is_native(name) && !is_huge_page(name)
}

/// Validates the resources of a container.
pub(super) fn validate(resources: Option<&ResourceRequirements>, at: &At<'_>, errors: &mut Errors) {
    let Some(resources) = resources else { return };
    let (limits_at, requests_at) = (at.child("limits"), at.child("requests"));
    let (mut has_compute, mut has_huge_pages) = (false, false);
    let mut look = |name: &str| {
        has_compute |= matches!(name, "cpu" | "memory");
        has_huge_pages |= is_huge_page(name);
    };
    for (name, quantity) in resources.limits.iter().flatten() {
        amount(name, quantity, &limits_at.key(name), errors);
        look(name);
    }
    for (name, quantity) in resources.requests.iter().flatten() {
        amount(name, quantity, &requests_at.key(name), errors);
        look(name);
        let limit = resources.limits.as_ref().and_then(|limits| limits.get(name));
        let (Ok(requested), limit) =
            (Amount::try_from(quantity), limit.and_then(|l| Amount::try_from(l).ok()))
        else {
            continue;
        };
        match limit {
            Some(limit) if requested.nanos() != limit.nanos() && !is_overcommit_allowed(name) => {
                let detail = format!("must be equal to {name} limit of {limit}");
                errors.invalid(&requests_at, &requested.to_string(), &detail);
            }
            Some(limit) if requested > limit => {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                errors.invalid(&requests_at, &requested.to_string(), &detail);
            }
            None if !is_overcommit_allowed(name) => {
                errors.required(&limits_at, "Limit must be set for non overcommitable resources");
            }
            Some(_) | None => {}
        }
    }
    if has_huge_pages && !has_compute {
        errors.forbidden(at, "HugePages require cpu or memory");
    }
}

/// The containers of a pod must fit into what the pod as a whole asks for.
pub(super) fn consistency(spec: &PodSpec, at: &At<'_>, errors: &mut Errors) {
    let Some(resources) = &spec.resources else { return };
    let requests_at = at.child("requests");
    let mut names = BTreeSet::new();
    for container in spec.containers.iter().chain(spec.init_containers.iter().flatten()) {
        let requests = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        names.extend(requests.into_iter().flatten().map(|(name, _)| name.as_str()));
    }
    let of = |list: &Option<BTreeMap<String, Quantity>>, name: &str| {
        list.as_ref().and_then(|list| list.get(name)).and_then(|amount| Amount::try_from(amount).ok())
    };
    for name in names {
        // A pod as a whole can ask for these only; others are the containers' own affair.
        if !matches!(name, "cpu" | "memory") && !is_huge_page(name) {
            continue;
        }
        let Some(together) = requested_together(spec, name) else { continue };
        let asked = of(&resources.requests, name).unwrap_or_default();
        if together > asked {
            let detail =
                format!("must be greater than or equal to aggregate container requests of {together}");
            errors.invalid(&requests_at.key(name), &asked.to_string(), &detail);
        }
    }
    let containers_at = at.child("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
        for (name, limit) in limits.into_iter().flatten() {
            let (Ok(limit), Some(most)) = (Amount::try_from(limit), of(&resources.limits, name)) else {
                continue;
            };
            if limit > most {
                let container_at = containers_at.index(i);
                let resource_at = container_at.key(name);
                let detail = format!("must be less than or equal to pod limits of {most}");
                errors.invalid(&resource_at.child("limits"), &limit.to_string(), &detail);
            }
        }
    }
}

fn amount(name: &str, quantity: &Quantity, at: &At<'_>, errors: &mut Errors) {
    let problems = is_qualified_name(name);
    errors.invalid_all(at, name, &problems);
    if problems.is_empty() && !name.contains('/') && !STANDARD.contains(&name) && !is_huge_page(name) {
        errors.invalid(at, name, "must be a standard resource type or fully qualified");
    }
    if !name.contains('/') {
        if !matches!(name, "cpu" | "memory" | "ephemeral-storage") && !is_huge_page(name) {
            errors.invalid(at, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.invalid(at, name, "doesn't follow extended resource name standard");
    }
    value(name, quantity, at, errors);
}

/// The amount itself: not negative, and whole for devices.
pub(super) fn value(name: &str, quantity: &Quantity, at: &At<'_>, errors: &mut Errors) {
    let Ok(amount) = Amount::try_from(quantity) else { return };
    if amount.nanos() < 0 {
        errors.invalid(at, &amount.to_string(), "must be greater than or equal to 0");
    }
    let whole = is_extended(name)
        || matches!(
            name,
            "pods"
                | "services"
                | "replicationcontrollers"
                | "resourcequotas"
                | "secrets"
                | "configmaps"
                | "persistentvolumeclaims"
                | "services.nodeports"
                | "services.loadbalancers"
        );
    if whole && amount.milli_value() % 1000 != 0 {
        errors.invalid(at, &amount.to_string(), "must be an integer");
    }
}
