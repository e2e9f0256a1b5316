//! The defaults of a pod.

use k8s_openapi::api::core::v1::{DownwardAPIVolumeFile, EmptyDirVolumeSource, Pod, PodSpec, Volume};

use super::{canonical, container, resource_list};

pub(super) fn apply(pod: &mut Pod) {
    spec(pod.spec.get_or_insert_default());
}

fn spec(spec: &mut PodSpec) {
    let or = |field: &mut Option<String>, default: &str| {
        if field.as_ref().is_none_or(String::is_empty) {
            *field = Some(default.to_owned());
        }
    };
    or(&mut spec.restart_policy, "Always");
    or(&mut spec.dns_policy, "ClusterFirst");
    or(&mut spec.scheduler_name, "default-scheduler");
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds.get_or_insert(30);
    spec.enable_service_links.get_or_insert(true);
    if let Some(name) = spec.service_account.clone().filter(|name| !name.is_empty()) {
        or(&mut spec.service_account_name, &name);
    }
    let host_network = spec.host_network == Some(true);
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        container::apply(container);
        if host_network {
            for port in container.ports.iter_mut().flatten() {
                if port.host_port.is_none_or(|port| port == 0) {
                    port.host_port = Some(port.container_port);
                }
            }
        }
    }
    if let Some(resources) = &mut spec.resources {
        container::resources(resources);
    }
    resource_list(spec.overhead.as_mut());
    spec.volumes.iter_mut().flatten().for_each(volume);
}

fn volume(volume: &mut Volume) {
    const MODE: i32 = 0o644;
    let only_name = Volume { name: volume.name.clone(), ..Volume::default() };
    if *volume == only_name {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(MODE);
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(MODE);
    }
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(MODE);
        source.items.iter_mut().flatten().for_each(downward_file);
    }
    if let Some(source) = &mut volume.projected {
        source.default_mode.get_or_insert(MODE);
        for projection in source.sources.iter_mut().flatten() {
            if let Some(token) = &mut projection.service_account_token {
                token.expiration_seconds.get_or_insert(3600);
            }
            let files = projection.downward_api.as_mut().and_then(|source| source.items.as_mut());
            files.into_iter().flatten().for_each(downward_file);
        }
    }
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert_with(String::new);
    }
    if let Some(source) = &mut volume.empty_dir {
        canonical(source.size_limit.as_mut());
    }
}

fn downward_file(file: &mut DownwardAPIVolumeFile) {
    if let Some(field) = &mut file.field_ref {
        field.api_version.get_or_insert_with(|| "v1".to_owned());
    }
    if let Some(resource) = &mut file.resource_field_ref {
        let zero = || k8s_openapi::apimachinery::pkg::api::resource::Quantity("0".to_owned());
        canonical(Some(resource.divisor.get_or_insert_with(zero)));
    }
}
