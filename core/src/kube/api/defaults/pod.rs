//! The defaults of a pod.

use k8s_openapi::api::core::v1::{
    Container, DownwardAPIVolumeFile, EmptyDirVolumeSource, Pod, PodSpec, Volume,
};

use super::{canonical, container, resource_list};
use crate::kube::quantity::Amount;

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
    pod_resources(spec);
    resource_list(spec.overhead.as_mut());
    spec.volumes.iter_mut().flatten().for_each(volume);
}

/// Resources of the pod as a whole: what its containers ask for together, else the limits.
fn pod_resources(spec: &mut PodSpec) {
    let Some(resources) = &spec.resources else { return };
    let mut resources = resources.clone();
    resource_list(resources.requests.as_mut());
    let requests = resources.requests.get_or_insert_default();
    for name in ["cpu", "memory"] {
        if let (false, Some(sum)) = (requests.contains_key(name), requested_together(spec, name)) {
            requests.insert(name.to_owned(), sum.into());
        }
    }
    container::resources(&mut resources);
    if resources.requests.as_ref().is_some_and(std::collections::BTreeMap::is_empty) {
        resources.requests = None;
    }
    spec.resources = Some(resources);
}

/// What the containers of a pod request at most at one time; `None` if none requests any.
pub(in crate::kube::api) fn requested_together(spec: &PodSpec, name: &str) -> Option<Amount> {
    let request = |container: &Container| {
        let requests = container.resources.as_ref()?.requests.as_ref()?;
        Amount::try_from(requests.get(name)?).ok()
    };
    let add = |sum: Option<Amount>, more: Option<Amount>| match (sum, more) {
        (Some(sum), Some(more)) => Some(sum + more),
        (one, other) => one.or(other),
    };
    let larger = |a: Option<Amount>, b: Option<Amount>| if a > b { a } else { b };
    let mut together = spec.containers.iter().map(request).fold(None, add);
    let (mut sidecars, mut peak) = (None, None);
    for container in spec.init_containers.iter().flatten() {
        if container.restart_policy.as_deref() == Some("Always") {
            together = add(together, request(container));
            sidecars = add(sidecars, request(container));
            peak = larger(peak, sidecars);
        } else {
            peak = larger(peak, add(request(container), sidecars));
        }
    }
    larger(together, peak)
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
    if let Some(template) = volume.ephemeral.as_mut().and_then(|source| source.volume_claim_template.as_mut())
    {
        template.metadata.get_or_insert_default();
        template.spec.volume_mode.get_or_insert_with(|| "Filesystem".to_owned());
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
