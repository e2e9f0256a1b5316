//! The admission plugins that act on pods.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{
    ConfigMapProjection, DownwardAPIProjection, DownwardAPIVolumeFile, KeyToPath, ObjectFieldSelector, Pod,
    ProjectedVolumeSource, ServiceAccount, ServiceAccountTokenProjection, Toleration, Volume, VolumeMount,
    VolumeProjection,
};
use k8s_openapi::api::scheduling::v1::PriorityClass;

use crate::kube::api::{ApiServer, Status};

const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn forbidden(pod: &Pod, why: &str) -> Status {
    let name = pod.metadata.name.as_deref().or(pod.metadata.generate_name.as_deref()).unwrap_or_default();
    Status::forbidden("pods", name, why)
}

/// Priority: a class name becomes a number.
pub(super) fn priority(server: &ApiServer, pod: &mut Pod) -> Result<(), Status> {
    let class_name = pod.spec.as_ref().and_then(|spec| spec.priority_class_name.clone()).unwrap_or_default();
    let class =
        if class_name.is_empty() {
            default_class(server)
        } else {
            let found = server.read::<PriorityClass>("", &class_name);
            Some(found.ok_or_else(|| {
                forbidden(pod, &format!("no PriorityClass with name {class_name} was found"))
            })?)
        };
    let value = class.and_then(|class| class.value).unwrap_or_default();
    let policy = class
        .and_then(|class| class.preemption_policy.clone())
        .unwrap_or_else(|| "PreemptLowerPriority".to_owned());
    let class_name = class.and_then(|class| class.metadata.name.clone());
    let given = pod.spec.as_ref().and_then(|spec| spec.priority);
    if given.is_some_and(|given| given != value) {
        return Err(forbidden(
            pod,
            &format!(
                "the integer value of priority ({}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name",
                given.unwrap_or_default()
            ),
        ));
    }
    let given_policy = pod.spec.as_ref().and_then(|spec| spec.preemption_policy.clone());
    if given_policy.as_ref().is_some_and(|given| *given != policy) {
        return Err(forbidden(
            pod,
            &format!(
                "the string value of PreemptionPolicy ({}) must not be provided in pod spec; priority admission controller computed {policy} from the given PriorityClass name",
                given_policy.unwrap_or_default()
            ),
        ));
    }
    let spec = pod.spec.get_or_insert_default();
    spec.priority = Some(value);
    spec.preemption_policy = Some(policy);
    spec.priority_class_name = class_name;
    Ok(())
}

/// The class for pods that name none: the default one of the least value.
fn default_class(server: &ApiServer) -> Option<&Arc<PriorityClass>> {
    server
        .iter::<PriorityClass>()
        .filter(|class| class.global_default == Some(true))
        .min_by_key(|class| class.value.unwrap_or_default())
}

/// An update that leaves the priority out means the one that the pod has.
pub(super) fn keep_priority(old: &Pod, new: &mut Arc<Pod>) {
    let (Some(old), Some(present)) = (&old.spec, &new.spec) else { return };
    if present.priority.is_none() && old.priority.is_some() {
        Arc::make_mut(new).spec.get_or_insert_default().priority = old.priority;
    }
    let lacks_policy = new.spec.as_ref().is_some_and(|spec| spec.preemption_policy.is_none());
    if lacks_policy && old.preemption_policy.is_some() {
        Arc::make_mut(new).spec.get_or_insert_default().preemption_policy.clone_from(&old.preemption_policy);
    }
}

/// DefaultTolerationSeconds: five minutes on a node that is not ready or cannot be reached.
pub(super) fn default_toleration_seconds(pod: &mut Pod) {
    let Some(spec) = &mut pod.spec else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerates = |toleration: &Toleration| {
            let effect = toleration.effect.as_deref().unwrap_or_default();
            let of_key = toleration.key.as_deref().unwrap_or_default();
            (of_key == key || of_key.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        };
        if !spec.tolerations.iter().flatten().any(tolerates) {
            spec.tolerations.get_or_insert_default().push(Toleration {
                key: Some(key.to_owned()),
                operator: Some("Exists".to_owned()),
                effect: Some("NoExecute".to_owned()),
                toleration_seconds: Some(300),
                ..Toleration::default()
            });
        }
    }
}

/// RuntimeClass: the kind is not modelled, so that there is none to be found.
pub(super) fn runtime_class(pod: &Pod) -> Result<(), Status> {
    let class = pod.spec.as_ref().and_then(|spec| spec.runtime_class_name.as_deref()).unwrap_or_default();
    if class.is_empty() {
        return Ok(());
    }
    Err(forbidden(pod, &format!("pod rejected: RuntimeClass \"{class}\" not found")))
}

/// ServiceAccount: the account must exist, and its token is mounted into every container.
pub(super) fn service_account(server: &mut ApiServer, pod: &mut Pod) -> Result<(), Status> {
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let spec = pod.spec.get_or_insert_default();
    let name = spec
        .service_account_name
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned());
    spec.service_account_name = Some(name.clone());
    spec.service_account = Some(name.clone());
    let Some(account) = server.read::<ServiceAccount>(&namespace, &name).cloned() else {
        return Err(forbidden(
            pod,
            &format!(
                "error looking up service account {namespace}/{name}: serviceaccount \"{name}\" not found"
            ),
        ));
    };
    let spec = pod.spec.get_or_insert_default();
    let automount =
        spec.automount_service_account_token.or(account.automount_service_account_token).unwrap_or(true);
    if automount {
        mount_token(server, pod);
    }
    let spec = pod.spec.get_or_insert_default();
    if spec.image_pull_secrets.as_ref().is_none_or(Vec::is_empty) {
        spec.image_pull_secrets.clone_from(&account.image_pull_secrets);
    }
    Ok(())
}

fn mount_token(server: &mut ApiServer, pod: &mut Pod) {
    let Some(spec) = &mut pod.spec else { return };
    let existing = spec
        .volumes
        .iter()
        .flatten()
        .find(|volume| volume.name.starts_with("kube-api-access-"))
        .map(|volume| volume.name.clone());
    let name = existing.clone().unwrap_or_else(|| {
        loop {
            let name = format!("kube-api-access-{}", server.rng.name_suffix(5));
            if !spec.volumes.iter().flatten().any(|volume| volume.name == name) {
                break name;
            }
        }
    });
    let mut needed = false;
    for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
        let mounts = container.volume_mounts.get_or_insert_default();
        if mounts.iter().any(|mount| mount.mount_path == TOKEN_PATH) {
            continue;
        }
        needed = true;
        mounts.push(VolumeMount {
            name: name.clone(),
            read_only: Some(true),
            mount_path: TOKEN_PATH.to_owned(),
            ..VolumeMount::default()
        });
    }
    if needed && existing.is_none() {
        spec.volumes.get_or_insert_default().push(token_volume(name));
    }
}

fn token_volume(name: String) -> Volume {
    let token = VolumeProjection {
        service_account_token: Some(ServiceAccountTokenProjection {
            path: "token".to_owned(),
            expiration_seconds: Some(3607),
            audience: None,
        }),
        ..VolumeProjection::default()
    };
    let certificate = VolumeProjection {
        config_map: Some(ConfigMapProjection {
            name: "kube-root-ca.crt".to_owned(),
            items: Some(vec![KeyToPath {
                key: "ca.crt".to_owned(),
                path: "ca.crt".to_owned(),
                ..KeyToPath::default()
            }]),
            ..ConfigMapProjection::default()
        }),
        ..VolumeProjection::default()
    };
    let namespace = VolumeProjection {
        downward_api: Some(DownwardAPIProjection {
            items: Some(vec![DownwardAPIVolumeFile {
                path: "namespace".to_owned(),
                field_ref: Some(ObjectFieldSelector {
                    api_version: Some("v1".to_owned()),
                    field_path: "metadata.namespace".to_owned(),
                }),
                ..DownwardAPIVolumeFile::default()
            }]),
        }),
        ..VolumeProjection::default()
    };
    Volume {
        name,
        projected: Some(ProjectedVolumeSource {
            default_mode: Some(420),
            sources: Some(vec![token, certificate, namespace]),
        }),
        ..Volume::default()
    }
}
