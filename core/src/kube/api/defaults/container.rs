//! The defaults of a container and its probes.

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, HTTPGetAction, LifecycleHandler, Probe, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Text;

use super::{canonical, resource_list};

/// Applies the defaults of one container.
pub(super) fn apply(container: &mut Container) {
    container.image_pull_policy.get_or_insert_with(|| pull_policy(container.image.as_deref()).to_owned());
    container.termination_message_path.get_or_insert_with(|| "/dev/termination-log".to_owned());
    container.termination_message_policy.get_or_insert_with(|| "File".to_owned());
    container.ports.iter_mut().flatten().for_each(port);
    container.env.iter_mut().flatten().for_each(environment);
    for probe in [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe]
    {
        probe.as_mut().into_iter().for_each(self::probe);
    }
    if let Some(lifecycle) = &mut container.lifecycle {
        for handler in [&mut lifecycle.post_start, &mut lifecycle.pre_stop].into_iter().flatten() {
            let LifecycleHandler { http_get: get, .. } = handler;
            get.as_mut().into_iter().for_each(http_get);
        }
    }
    resources(container.resources.get_or_insert_default());
}

/// Resources: canonical amounts, and a request wherever only a limit was given.
pub(super) fn resources(resources: &mut ResourceRequirements) {
    resource_list(resources.limits.as_mut());
    resource_list(resources.requests.as_mut());
    let Some(limits) = &resources.limits else { return };
    if limits.is_empty() {
        return;
    }
    let requests = resources.requests.get_or_insert_default();
    for (name, limit) in limits {
        requests.entry(name.clone()).or_insert_with(|| limit.clone());
    }
}

/// `latest`, spelled out or meant, may change under its name and is always pulled.
fn pull_policy(image: Option<&str>) -> &'static str {
    let image = image.unwrap_or_default();
    if image.contains('@') {
        return "IfNotPresent";
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    match last.rsplit_once(':') {
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

pub(super) fn port(port: &mut ContainerPort) {
    port.protocol.get_or_insert_with(|| "TCP".to_owned());
}

pub(super) fn environment(variable: &mut EnvVar) {
    let Some(source) = &mut variable.value_from else { return };
    if let Some(field) = &mut source.field_ref {
        field.api_version.get_or_insert_with(|| "v1".to_owned());
    }
    if let Some(resource) = &mut source.resource_field_ref {
        canonical(Some(resource.divisor.get_or_insert_with(|| Text("0".to_owned()))));
    }
}

pub(super) fn probe(probe: &mut Probe) {
    // Zero means "not given" in the API's Go types.
    let unless_given = |field: &mut Option<i32>, default| {
        if field.is_none_or(|given| given == 0) {
            *field = Some(default);
        }
    };
    unless_given(&mut probe.timeout_seconds, 1);
    unless_given(&mut probe.period_seconds, 10);
    unless_given(&mut probe.success_threshold, 1);
    unless_given(&mut probe.failure_threshold, 3);
    probe.http_get.as_mut().into_iter().for_each(http_get);
    if let Some(grpc) = &mut probe.grpc {
        grpc.service.get_or_insert_with(String::new);
    }
}

fn http_get(get: &mut HTTPGetAction) {
    if get.path.as_ref().is_none_or(String::is_empty) {
        get.path = Some("/".to_owned());
    }
    if get.scheme.as_ref().is_none_or(String::is_empty) {
        get.scheme = Some("HTTP".to_owned());
    }
}
