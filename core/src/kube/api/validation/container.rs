//! Containers of all three sorts.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerPort, SecurityContext, VolumeMount};

use super::environment;
use super::field::{At, Errors, inclusive_range};
use super::names::{is_dns1123_label, is_port_name};
use super::probe::{self, Role, port_number};
use super::resources;

/// The names of the volumes that a container may mount.
pub(super) type Volumes<'a> = BTreeSet<&'a str>;

pub(super) fn regular(
    containers: &[Container],
    volumes: &Volumes<'_>,
    grace: i64,
    at: &At<'_>,
    errors: &mut Errors,
) {
    if containers.is_empty() {
        errors.required(at, "");
        return;
    }
    let mut names = BTreeSet::new();
    for (i, container) in containers.iter().enumerate() {
        let at = at.index(i);
        common(container, volumes, &at, errors);
        if !names.insert(&container.name) {
            errors.duplicate(&at.child("name"), &container.name);
        }
        probes(container, grace, &at, errors);
        restart_policy(container, &["Always", "OnFailure", "Never"], &at, errors);
    }
    host_ports(containers, at, errors);
}

pub(super) fn init(
    containers: &[Container],
    regular: &[Container],
    volumes: &Volumes<'_>,
    grace: i64,
    at: &At<'_>,
    errors: &mut Errors,
) {
    let mut names: BTreeSet<_> = regular.iter().map(|container| &container.name).collect();
    for (i, container) in containers.iter().enumerate() {
        let at = at.index(i);
        common(container, volumes, &at, errors);
        if !names.insert(&container.name) {
            errors.duplicate(&at.child("name"), &container.name);
        }
        if container.restart_policy.as_deref() == Some("Always") {
            probes(container, grace, &at, errors);
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
        restart_policy(container, &["Always", "OnFailure", "Never"], &at, errors);
        host_ports(std::slice::from_ref(container), &at, errors);
    }
}

fn restart_policy(container: &Container, supported: &[&str], at: &At<'_>, errors: &mut Errors) {
    if let Some(policy) = container.restart_policy.as_deref().filter(|policy| !supported.contains(policy)) {
        errors.not_supported(&at.child("restartPolicy"), policy, supported);
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

fn common(container: &Container, volumes: &Volumes<'_>, at: &At<'_>, errors: &mut Errors) {
    let name_at = at.child("name");
    if container.name.is_empty() {
        errors.required(&name_at, "");
    } else {
        errors.invalid_all(&name_at, &container.name, &is_dns1123_label(&container.name));
    }
    let image = container.image.as_deref().unwrap_or_default();
    if image.is_empty() {
        errors.required(&at.child("image"), "");
    } else if image.trim() != image {
        errors.invalid(&at.child("image"), image, "must not have leading or trailing whitespace");
    }
    errors.one_of(
        &at.child("terminationMessagePolicy"),
        container.termination_message_policy.as_deref(),
        &["FallbackToLogsOnError", "File"],
    );
    ports(container.ports.as_deref().unwrap_or_default(), &at.child("ports"), errors);
    environment::variables(container.env.as_deref().unwrap_or_default(), &at.child("env"), errors);
    environment::sources(container.env_from.as_deref().unwrap_or_default(), &at.child("envFrom"), errors);
    mounts(
        container.volume_mounts.as_deref().unwrap_or_default(),
        volumes,
        &at.child("volumeMounts"),
        errors,
    );
    errors.one_of(
        &at.child("imagePullPolicy"),
        container.image_pull_policy.as_deref(),
        &["Always", "IfNotPresent", "Never"],
    );
    resources::validate(container.resources.as_ref(), &at.child("resources"), errors);
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

fn mounts(mounts: &[VolumeMount], volumes: &Volumes<'_>, at: &At<'_>, errors: &mut Errors) {
    let mut paths = BTreeSet::new();
    for (i, mount) in mounts.iter().enumerate() {
        let subpath_at = at.child("subPath");
        let at = at.index(i);
        if mount.name.is_empty() {
            errors.required(&at.child("name"), "");
        }
        if !volumes.contains(mount.name.as_str()) {
            errors.not_found(&at.child("name"), &mount.name);
        }
        if mount.mount_path.is_empty() {
            errors.required(&at.child("mountPath"), "");
        }
        if !paths.insert(&mount.mount_path) {
            errors.invalid(&at.child("mountPath"), &mount.mount_path, "must be unique");
        }
        let sub_path = mount.sub_path.as_deref().unwrap_or_default();
        let expression = mount.sub_path_expr.as_deref().unwrap_or_default();
        if !sub_path.is_empty() {
            descending_path(sub_path, &subpath_at, errors);
        }
        if !expression.is_empty() {
            let at = at.child("subPathExpr");
            if !sub_path.is_empty() {
                errors.invalid(&at, expression, "subPathExpr and subPath are mutually exclusive");
            }
            descending_path(expression, &at, errors);
        }
        if let Some(propagation) = mount.mount_propagation.as_deref() {
            let supported = ["Bidirectional", "HostToContainer", "None"];
            if !supported.contains(&propagation) {
                errors.not_supported(&at.child("mountPropagation"), propagation, &supported);
            }
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

pub(super) fn user_id(id: Option<i64>, at: &At<'_>, errors: &mut Errors) {
    let most = i64::from(i32::MAX);
    if let Some(id) = id.filter(|id| !(0..=most).contains(id)) {
        errors.invalid_bare(at, id, &inclusive_range(0, most));
    }
}
