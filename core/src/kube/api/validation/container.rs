//! Containers of all three sorts.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerPort, SeccompProfile, SecurityContext};

use super::environment;
use super::field::{At, Errors, go_quote, inclusive_range};
use super::names::{is_dns1123_label, is_port_name};
use super::probe::{self, Role, port_number};
use super::resources;

/// What a container must know of the pod around it.
#[derive(Debug, Default)]
pub(super) struct Surroundings<'a> {
    /// The names of the volumes that it may mount.
    pub(super) volumes: BTreeSet<&'a str>,
    /// The seconds that the pod gets to end.
    pub(super) grace: i64,
    /// The pod's `restartPolicy` is `Never`.
    pub(super) never_restarts: bool,
}

pub(super) fn regular(containers: &[Container], around: &Surroundings<'_>, at: &At<'_>, errors: &mut Errors) {
    if containers.is_empty() {
        errors.required(at, "");
        return;
    }
    let mut names = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        let at = at.index(i);
        common(container, around, &at, errors);
        if !names.insert(&container.name) {
            errors.duplicate(&at.child("name"), &container.name);
        }
        probes(container, around.grace, &at, errors);
        restart_policy(container, &at, errors);
    }
    host_ports(containers, at, errors);
}

pub(super) fn init(
    containers: &[Container],
    regular: &[Container],
    around: &Surroundings<'_>,
    list: &At<'_>,
    errors: &mut Errors,
) {
    let mut names: BTreeSet<_> = regular.iter().map(|container| &container.name).collect();
    for (i, container) in containers.iter().enumerate() {
        let at = list.index(i);
        common(container, around, &at, errors);
        restart_policy(container, &at, errors);
        if !names.insert(&container.name) {
            errors.duplicate(&at.child("name"), &container.name);
        }
        // One by one, as they run one by one; the path is that of a list of one, as in the original.
        host_ports(std::slice::from_ref(container), list, errors);
        if container.restart_policy.as_deref() == Some("Always") {
            probes(container, around.grace, &at, errors);
        } else {
            let detail = "may not be set for init containers without restartPolicy=Always";
            for (field, present) in [
                ("lifecycle", container.lifecycle.is_some()),
                ("livenessProbe", container.liveness_probe.is_some()),
                ("readinessProbe", container.readiness_probe.is_some()),
                ("startupProbe", container.startup_probe.is_some()),
            ] {
                if present {
                    errors.forbidden(&at.child(field), detail);
                }
            }
        }
    }
}

/// What pods must keep to but templates of pods need not.
pub(super) fn only_in_pods(containers: &[Container], at: &At<'_>, errors: &mut Errors) {
    for (i, container) in containers.iter().enumerate() {
        let image = container.image.as_deref().unwrap_or_default();
        if image.trim() != image {
            let detail = "must not have leading or trailing whitespace";
            errors.invalid(&at.index(i).child("image"), image, detail);
        }
    }
}

fn restart_policy(container: &Container, at: &At<'_>, errors: &mut Errors) {
    let supported = ["Always", "Never", "OnFailure"];
    if let Some(policy) = container.restart_policy.as_deref().filter(|policy| !supported.contains(policy)) {
        errors.not_supported(&at.child("restartPolicy"), policy, &supported);
    }
}

fn probes(container: &Container, grace: i64, at: &At<'_>, errors: &mut Errors) {
    probe::lifecycle(container.lifecycle.as_ref(), grace, &at.child("lifecycle"), errors);
    for (field, probe, role) in [
        ("livenessProbe", &container.liveness_probe, Role::Liveness),
        ("readinessProbe", &container.readiness_probe, Role::Readiness),
        ("startupProbe", &container.startup_probe, Role::Startup),
    ] {
        probe::validate(probe.as_ref(), role, &at.child(field), errors);
    }
}

fn common(container: &Container, around: &Surroundings<'_>, at: &At<'_>, errors: &mut Errors) {
    let name_at = at.child("name");
    if container.name.is_empty() {
        errors.required(&name_at, "");
    } else {
        errors.invalid_all(&name_at, &container.name, &is_dns1123_label(&container.name));
    }
    let image = container.image.as_deref().unwrap_or_default();
    if image.is_empty() {
        errors.required(&at.child("image"), "");
    }
    errors.one_of(
        &at.child("terminationMessagePolicy"),
        container.termination_message_policy.as_deref(),
        &["File", "FallbackToLogsOnError"],
    );
    ports(container.ports.as_deref().unwrap_or_default(), &at.child("ports"), errors);
    environment::variables(container.env.as_deref().unwrap_or_default(), &at.child("env"), errors);
    environment::sources(container.env_from.as_deref().unwrap_or_default(), &at.child("envFrom"), errors);
    mounts(container, around, &at.child("volumeMounts"), errors);
    errors.one_of(
        &at.child("imagePullPolicy"),
        container.image_pull_policy.as_deref(),
        &["Always", "IfNotPresent", "Never"],
    );
    resources::validate(container.resources.as_ref(), &at.child("resources"), errors);
    resize_policies(container, around.never_restarts, &at.child("resizePolicy"), errors);
    security(container.security_context.as_ref(), &at.child("securityContext"), errors);
}

fn ports(ports: &[ContainerPort], at: &At<'_>, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for (i, port) in ports.iter().enumerate() {
        let at = at.index(i);
        if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
            let problems = is_port_name(name);
            errors.invalid_all(&at.child("name"), name, &problems);
            if problems.is_empty() && !names.insert(name) {
                errors.duplicate(&at.child("name"), name);
            }
        }
        if port.container_port == 0 {
            errors.required(&at.child("containerPort"), "");
        } else {
            port_number(port.container_port, &at.child("containerPort"), errors);
        }
        if let Some(number) = port.host_port.filter(|number| *number != 0) {
            port_number(number, &at.child("hostPort"), errors);
        }
        errors.one_of(&at.child("protocol"), port.protocol.as_deref(), &["SCTP", "TCP", "UDP"]);
    }
}

/// A port of the node can be had once.
fn host_ports(containers: &[Container], at: &At<'_>, errors: &mut Errors) {
    let mut taken = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        let container_at = at.index(i);
        let ports_at = container_at.child("ports");
        for (i, port) in container.ports.iter().flatten().enumerate() {
            let Some(number) = port.host_port.filter(|number| *number != 0) else { continue };
            let protocol = port.protocol.as_deref().unwrap_or_default();
            let key = format!("{protocol}/{}/{number}", port.host_ip.as_deref().unwrap_or_default());
            if taken.contains(&key) {
                errors.duplicate(&ports_at.index(i).child("hostPort"), &key);
            }
            taken.insert(key);
        }
    }
}

fn mounts(container: &Container, around: &Surroundings<'_>, list: &At<'_>, errors: &mut Errors) {
    let mut paths = BTreeSet::new();
    let devices = container.volume_devices.as_deref().unwrap_or_default();
    for (i, mount) in container.volume_mounts.iter().flatten().enumerate() {
        let at = list.index(i);
        if mount.name.is_empty() {
            errors.required(&at.child("name"), "");
        }
        if !around.volumes.contains(mount.name.as_str()) {
            errors.not_found(&at.child("name"), &mount.name);
        }
        if mount.mount_path.is_empty() {
            errors.required(&at.child("mountPath"), "");
        }
        if !paths.insert(&mount.mount_path) {
            errors.invalid(&at.child("mountPath"), &mount.mount_path, "must be unique");
        }
        if devices.iter().any(|device| device.name == mount.name) {
            errors.invalid(&at.child("name"), &mount.name, "must not already exist in volumeDevices");
        }
        if devices.iter().any(|device| device.device_path == mount.mount_path) {
            let detail = "must not already exist as a path in volumeDevices";
            errors.invalid(&at.child("mountPath"), &mount.mount_path, detail);
        }
        let sub_path = mount.sub_path.as_deref().unwrap_or_default();
        let expression = mount.sub_path_expr.as_deref().unwrap_or_default();
        // The original names these fields without the index of the mount.
        if !sub_path.is_empty() {
            descending_path(sub_path, &list.child("subPath"), errors);
        }
        if !expression.is_empty() {
            if !sub_path.is_empty() {
                let detail = "subPathExpr and subPath are mutually exclusive";
                errors.invalid(&at.child("subPathExpr"), expression, detail);
            }
            descending_path(expression, &list.child("subPathExpr"), errors);
        }
        if let Some(propagation) = mount.mount_propagation.as_deref() {
            let supported = ["Bidirectional", "HostToContainer", "None"];
            let at = list.child("mountPropagation");
            if !supported.contains(&propagation) {
                errors.not_supported(&at, propagation, &supported);
            }
            let privileged = container.security_context.as_ref().and_then(|context| context.privileged);
            if propagation == "Bidirectional" && privileged != Some(true) {
                let detail = "Bidirectional mount propagation is available only to privileged containers";
                errors.forbidden(&at, detail);
            }
        }
    }
}

fn resize_policies(container: &Container, never: bool, at: &At<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for (i, policy) in container.resize_policy.iter().flatten().enumerate() {
        if !seen.insert(&policy.resource_name) {
            errors.duplicate(&at.index(i), &policy.resource_name);
        }
        errors.one_of(at, Some(&policy.resource_name), &["cpu", "memory"]);
        errors.one_of(at, Some(&policy.restart_policy), &["NotRequired", "RestartContainer"]);
        if never && policy.restart_policy != "NotRequired" {
            errors.invalid(
                at,
                &policy.restart_policy,
                "must be 'NotRequired' when `restartPolicy` is 'Never'",
            );
        }
    }
}

/// A path that stays below where it starts.
pub(super) fn descending_path(path: &str, at: &At<'_>, errors: &mut Errors) {
    if path.starts_with('/') {
        errors.invalid(at, path, "must be a relative path");
    }
    no_backsteps(path, at, errors);
}

pub(super) fn no_backsteps(path: &str, at: &At<'_>, errors: &mut Errors) {
    if path.split('/').any(|part| part == "..") {
        errors.invalid(at, path, "must not contain '..'");
    }
}

fn security(context: Option<&SecurityContext>, at: &At<'_>, errors: &mut Errors) {
    let Some(context) = context else { return };
    for (field, id) in [("runAsUser", context.run_as_user), ("runAsGroup", context.run_as_group)] {
        user_id(id, &at.child(field), errors);
    }
    seccomp(context.seccomp_profile.as_ref(), &at.child("seccompProfile"), errors);
    if context.allow_privilege_escalation == Some(false) {
        if context.privileged == Some(true) {
            errors.invalid_bare(
                at,
                "{}",
                "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
            );
        }
        let added =
            context.capabilities.iter().filter_map(|capabilities| capabilities.add.as_ref()).flatten();
        if added.into_iter().any(|capability| capability == "CAP_SYS_ADMIN") {
            let detail =
                "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
            errors.invalid_bare(at, "{}", detail);
        }
    }
}

pub(super) fn seccomp(profile: Option<&SeccompProfile>, at: &At<'_>, errors: &mut Errors) {
    let Some(profile) = profile else { return };
    let kind = profile.type_.as_str();
    match kind {
        "" => errors.required(&at.child("type"), "type is required when seccompProfile is set"),
        kind => errors.one_of(&at.child("type"), Some(kind), &["Localhost", "RuntimeDefault", "Unconfined"]),
    }
    let file = at.child("localhostProfile");
    match (kind, &profile.localhost_profile) {
        ("Localhost", None) => errors.required(&file, "must be set when seccomp type is Localhost"),
        ("Localhost", Some(path)) => descending_path(path, &file, errors),
        (_, Some(path)) => {
            let shown = format!("{{\"Type\":{},\"LocalhostProfile\":{}}}", go_quote(kind), go_quote(path));
            errors.invalid_bare(&file, shown, "can only be set when seccomp type is Localhost");
        }
        (_, None) => {}
    }
}

pub(super) fn user_id(id: Option<i64>, at: &At<'_>, errors: &mut Errors) {
    let most = i64::from(i32::MAX);
    if let Some(id) = id.filter(|id| !(0..=most).contains(id)) {
        errors.invalid_bare(at, id, &inclusive_range(0, most));
    }
}
