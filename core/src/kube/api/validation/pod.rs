//! Pods (`ValidatePodSpec`): the fields in the order in which the real one looks at them.

use k8s_openapi::api::core::v1::{Pod, PodDNSConfig, PodSpec};

use super::field::{At, Errors, go_quote, inclusive_range};
use super::names::{is_dns1123_label, is_dns1123_subdomain};
use super::{container, meta, placement, resources, volume};

const SPEC: At<'static> = At::root("spec");

pub(super) fn validate_new(pod: &Pod, errors: &mut Errors) {
    let Some(spec) = &pod.spec else { return };
    validate(spec, errors);
    if spec.ephemeral_containers.as_ref().is_some_and(|containers| !containers.is_empty()) {
        errors.forbidden(&SPEC.child("ephemeralContainers"), "cannot be set on create");
    }
    let gated = spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty());
    if gated && spec.node_name.as_ref().is_some_and(|name| !name.is_empty()) {
        errors
            .forbidden(&SPEC.child("nodeName"), "cannot be set until all schedulingGates have been cleared");
    }
}

pub(super) fn validate(spec: &PodSpec, errors: &mut Errors) {
    let volumes =
        volume::validate(spec.volumes.as_deref().unwrap_or_default(), &SPEC.child("volumes"), errors);
    let around = container::Surroundings {
        volumes,
        grace: spec.termination_grace_period_seconds.unwrap_or(0),
        never_restarts: spec.restart_policy.as_deref() == Some("Never"),
    };
    container::regular(&spec.containers, &around, &SPEC.child("containers"), errors);
    let init = spec.init_containers.as_deref().unwrap_or_default();
    container::init(init, &spec.containers, &around, &SPEC.child("initContainers"), errors);
    resources::validate(spec.resources.as_ref(), &SPEC.child("resources"), errors);
    resources::consistency(spec, &SPEC.child("resources"), errors);
    host_network(spec, errors);
    errors.one_of(
        &SPEC.child("restartPolicy"),
        spec.restart_policy.as_deref(),
        &["Always", "OnFailure", "Never"],
    );
    errors.one_of(
        &SPEC.child("dnsPolicy"),
        spec.dns_policy.as_deref(),
        &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    );
    meta::labels(spec.node_selector.as_ref(), &SPEC.child("nodeSelector"), errors);
    security(spec, errors);
    placement::affinity(spec.affinity.as_ref(), &SPEC.child("affinity"), errors);
    dns(spec.dns_config.as_ref(), spec.dns_policy.as_deref(), &SPEC.child("dnsConfig"), errors);
    for (i, gate) in spec.readiness_gates.iter().flatten().enumerate() {
        let gates = SPEC.child("readinessGates");
        let at = gates.index(i);
        errors.invalid_all(
            &at.child("conditionType"),
            &gate.condition_type,
            &super::is_qualified_name(&gate.condition_type),
        );
    }
    placement::gates(
        spec.scheduling_gates.as_deref().unwrap_or_default(),
        &SPEC.child("schedulingGates"),
        errors,
    );
    placement::spread(
        spec.topology_spread_constraints.as_deref().unwrap_or_default(),
        &SPEC.child("topologySpreadConstraints"),
        errors,
    );
    let mut name = |field: &str, value: Option<&String>, problems: fn(&str) -> Vec<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            errors.invalid_all(&SPEC.child(field), value, &problems(value));
        }
    };
    name("serviceAccountName", spec.service_account_name.as_ref(), is_dns1123_subdomain);
    name("nodeName", spec.node_name.as_ref(), is_dns1123_subdomain);
    if let Some(seconds) = spec.active_deadline_seconds
        && !(1..=i64::from(i32::MAX)).contains(&seconds)
    {
        errors.invalid_bare(
            &SPEC.child("activeDeadlineSeconds"),
            seconds,
            &inclusive_range(1, i64::from(i32::MAX)),
        );
    }
    let mut name = |field: &str, value: Option<&String>, problems: fn(&str) -> Vec<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            errors.invalid_all(&SPEC.child(field), value, &problems(value));
        }
    };
    name("hostname", spec.hostname.as_ref(), is_dns1123_label);
    name("subdomain", spec.subdomain.as_ref(), is_dns1123_label);
    placement::tolerations(
        spec.tolerations.as_deref().unwrap_or_default(),
        &SPEC.child("tolerations"),
        errors,
    );
    host_aliases(spec, errors);
    let mut name = |field: &str, value: Option<&String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            errors.invalid_all(&SPEC.child(field), value, &is_dns1123_subdomain(value));
        }
    };
    name("priorityClassName", spec.priority_class_name.as_ref());
    name("runtimeClassName", spec.runtime_class_name.as_ref());
    if let Some(policy) = spec.preemption_policy.as_deref() {
        errors.one_of(&SPEC.child("preemptionPolicy"), Some(policy), &["PreemptLowerPriority", "Never"]);
    }
    for (name, amount) in spec.overhead.iter().flatten() {
        resources::value(name, amount, &SPEC.child("overhead").child("limits").key(name), errors);
    }
    container::only_in_pods(&spec.containers, &SPEC.child("containers"), errors);
    container::only_in_pods(init, &SPEC.child("initContainers"), errors);
}

fn host_network(spec: &PodSpec, errors: &mut Errors) {
    if spec.host_network != Some(true) {
        return;
    }
    let list = SPEC.child("containers");
    for (i, container) in spec.containers.iter().enumerate() {
        let at = list.index(i);
        let ports = at.child("ports");
        for (i, port) in container.ports.iter().flatten().enumerate() {
            let number = port.host_port.unwrap_or_default();
            if number != port.container_port {
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.invalid_bare(&ports.index(i).child("hostPort"), number, detail);
            }
        }
    }
}

fn security(spec: &PodSpec, errors: &mut Errors) {
    let Some(context) = &spec.security_context else { return };
    let at = SPEC.child("securityContext");
    container::user_id(context.fs_group, &at.child("fsGroup"), errors);
    container::user_id(context.run_as_user, &at.child("runAsUser"), errors);
    container::user_id(context.run_as_group, &at.child("runAsGroup"), errors);
    for (i, group) in context.supplemental_groups.iter().flatten().enumerate() {
        container::user_id(Some(*group), &at.child("supplementalGroups").index(i), errors);
    }
    if spec.share_process_namespace == Some(true) && spec.host_pid == Some(true) {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.invalid_bare(&at.child("shareProcessNamespace"), true, detail);
    }
    if let Some(policy) = context.fs_group_change_policy.as_deref() {
        let supported = ["Always", "OnRootMismatch"];
        if !supported.contains(&policy) {
            errors.not_supported(&at.child("fsGroupChangePolicy"), policy, &supported);
        }
    }
    container::seccomp(context.seccomp_profile.as_ref(), &at.child("seccompProfile"), errors);
}

fn dns(config: Option<&PodDNSConfig>, policy: Option<&str>, at: &At<'_>, errors: &mut Errors) {
    let none = policy == Some("None");
    let Some(config) = config else {
        if none {
            errors.required(at, "must provide `dnsConfig` when `dnsPolicy` is None");
        }
        return;
    };
    let servers = config.nameservers.as_deref().unwrap_or_default();
    if none && servers.is_empty() {
        let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
        errors.required(&at.child("nameservers"), detail);
        return;
    }
    if servers.len() > 3 {
        errors.invalid_bare(
            &at.child("nameservers"),
            list_text(servers),
            "must not have more than 3 nameservers",
        );
    }
    for (i, server) in servers.iter().enumerate() {
        ip(server, &at.child("nameservers").index(i), errors);
    }
    let searches = config.searches.as_deref().unwrap_or_default();
    if searches.len() > 32 {
        errors.invalid_bare(
            &at.child("searches"),
            list_text(searches),
            "must not have more than 32 search paths",
        );
    }
    if searches.join(" ").len() > 2048 {
        let detail = "must not have more than 2048 characters (including spaces) in the search list";
        errors.invalid_bare(&at.child("searches"), list_text(searches), detail);
    }
    for (i, search) in searches.iter().enumerate().filter(|(_, search)| *search != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        // Underscores are let pass here.
        let problems = is_dns1123_subdomain(&search.replace('_', "-"));
        errors.invalid_all(&at.child("searches").index(i), search, &problems);
    }
    for (i, option) in config.options.iter().flatten().enumerate() {
        if option.name.as_ref().is_none_or(String::is_empty) {
            errors.required(&at.child("options").index(i), "must not be empty");
        }
    }
}

/// A list of texts as JSON.
fn list_text(items: &[String]) -> String {
    let items: Vec<_> = items.iter().map(|item| go_quote(item)).collect();
    format!("[{}]", items.join(","))
}

fn host_aliases(spec: &PodSpec, errors: &mut Errors) {
    let aliases = SPEC.child("hostAliases");
    for (i, alias) in spec.host_aliases.iter().flatten().enumerate() {
        let at = aliases.index(i);
        ip(&alias.ip, &at.child("ip"), errors);
        let names = at.child("hostnames");
        for (i, name) in alias.hostnames.iter().flatten().enumerate() {
            errors.invalid_all(&names.index(i), name, &is_dns1123_subdomain(name));
        }
    }
}

fn ip(text: &str, at: &At<'_>, errors: &mut Errors) {
    if text.parse::<std::net::IpAddr>().is_err() {
        errors.invalid(at, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    }
}
