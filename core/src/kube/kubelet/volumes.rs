//! A pod's volumes and how containers see them.
//!
//! `emptyDir` is shared between the containers of a pod: its files live with the
//! pod and are lent to each container while it runs. ConfigMaps, the downward
//! API and the service account's token are read-only copies made when the pod
//! starts. Volumes that need more of a cluster say `not modelled`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1 as core;

use crate::kube::api::ApiServer;
use crate::kube::quantity::Amount;
use crate::process::files::Files;
use crate::sim::SimTime;

/// The volumes of one pod by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Volumes {
    by_name: BTreeMap<String, Volume>,
}

#[derive(Clone, Debug)]
struct Volume {
    files: Files,
    /// Containers may write to it and see each other's files.
    shared: bool,
}

/// Sets up every volume of `pod`.
///
/// # Errors
///
/// The message of the `FailedMount` event for the first volume that cannot be had.
pub(super) fn mount(api: &ApiServer, pod: &core::Pod, host_ip: &str) -> Result<Volumes, String> {
    let mut volumes = Volumes::default();
    let spec = pod.spec.as_ref();
    for volume in spec.and_then(|s| s.volumes.as_deref()).unwrap_or_default() {
        let made = set_up(api, pod, volume, host_ip)
            .map_err(|why| format!("MountVolume.SetUp failed for volume \"{}\" : {why}", volume.name))?;
        volumes.by_name.insert(volume.name.clone(), made);
    }
    Ok(volumes)
}

fn set_up(api: &ApiServer, pod: &core::Pod, volume: &core::Volume, host_ip: &str) -> Result<Volume, String> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let mut files = Files::default();
    if let Some(empty) = &volume.empty_dir {
        let limit = empty.size_limit.as_ref().and_then(|limit| Amount::try_from(limit).ok());
        if let Some(limit) = limit {
            files = Files::with_limit(usize::try_from(limit.value()).unwrap_or(usize::MAX));
        }
        return Ok(Volume { files, shared: true });
    }
    if volume.host_path.is_some() {
        // A host path begins empty: the simulated node has no files of its own.
        return Ok(Volume { files, shared: true });
    }
    if let Some(source) = &volume.config_map {
        let items = source.items.as_deref();
        config_map(api, namespace, &source.name, items, source.optional == Some(true), &mut files)?;
    } else if let Some(projected) = &volume.projected {
        for source in projected.sources.as_deref().unwrap_or_default() {
            if let Some(map) = &source.config_map {
                let items = map.items.as_deref();
                config_map(api, namespace, &map.name, items, map.optional == Some(true), &mut files)?;
            } else if let Some(token) = &source.service_account_token {
                let account =
                    pod.spec.as_ref().and_then(|s| s.service_account_name.as_deref()).unwrap_or("default");
                put(
                    &mut files,
                    &token.path,
                    &format!("simulated-token:system:serviceaccount:{namespace}:{account}"),
                );
            } else if let Some(downward) = &source.downward_api {
                downward_api(pod, downward.items.as_deref(), host_ip, &mut files)?;
            } else {
                return Err("not modelled: this source of a projected volume".to_owned());
            }
        }
    } else if let Some(downward) = &volume.downward_api {
        downward_api(pod, downward.items.as_deref(), host_ip, &mut files)?;
    } else {
        return Err("not modelled: this type of volume".to_owned());
    }
    Ok(Volume { files, shared: false })
}

fn config_map(
    api: &ApiServer,
    namespace: &str,
    name: &str,
    items: Option<&[core::KeyToPath]>,
    optional: bool,
    files: &mut Files,
) -> Result<(), String> {
    let Some(map) = api.read::<core::ConfigMap>(namespace, name) else {
        return if optional { Ok(()) } else { Err(format!("configmap \"{name}\" not found")) };
    };
    let data = map.data.as_ref();
    match items {
        None => data.into_iter().flatten().for_each(|(key, value)| put(files, key, value)),
        Some(items) => {
            for item in items {
                match data.and_then(|d| d.get(&item.key)) {
                    Some(value) => put(files, &item.path, value),
                    None if optional => {}
                    None => {
                        return Err(format!("configmap references non-existent config key: {}", item.key));
                    }
                }
            }
        }
    }
    Ok(())
}

fn downward_api(
    pod: &core::Pod,
    items: Option<&[core::DownwardAPIVolumeFile]>,
    host_ip: &str,
    files: &mut Files,
) -> Result<(), String> {
    for item in items.unwrap_or_default() {
        let Some(field) = &item.field_ref else {
            return Err("not modelled: resourceFieldRef in a downward API volume".to_owned());
        };
        let value = match field.field_path.as_str() {
            "metadata.labels" => lines(pod.metadata.labels.as_ref()),
            "metadata.annotations" => lines(pod.metadata.annotations.as_ref()),
            path => super::environment::field_value(pod, path, host_ip, "")?,
        };
        put(files, &item.path, &value);
    }
    Ok(())
}

/// `key="value"` lines, as the downward API writes maps.
fn lines(map: Option<&BTreeMap<String, String>>) -> String {
    let lines: Vec<_> = map.into_iter().flatten().map(|(k, v)| format!("{k}={v:?}")).collect();
    lines.join("\n")
}

fn put(files: &mut Files, path: &str, text: &str) {
    // The paths come from validated keys below an empty tree; the only failure
    // left is a full disk, which an empty tree is not.
    let _full = files.put(&format!("/{path}"), text, SimTime::ZERO);
}

impl Volumes {
    /// Puts the volumes that are copies into a new container's files, for good.
    ///
    /// # Errors
    ///
    /// The text of a mount that cannot be made.
    pub(super) fn mount_copies(&self, files: &mut Files, container: &core::Container) -> Result<(), String> {
        for (mount, volume) in self.mounts(container).filter(|(_, volume)| !volume.shared) {
            files
                .mount(&mount.mount_path, volume.files.clone(), true)
                .map_err(|error| format!("failed to mount {}: {error}", mount.mount_path))?;
        }
        Ok(())
    }

    /// Lends the shared volumes to a container while it runs.
    pub(super) fn lend(&mut self, files: &mut Files, container: &core::Container) {
        for mount in container.volume_mounts.as_deref().unwrap_or_default() {
            let Some(volume) = self.by_name.get_mut(&mount.name).filter(|volume| volume.shared) else {
                continue;
            };
            // A path that cannot be mounted was told when the container was made.
            let _refused =
                files.mount(&mount.mount_path, volume.files.clone(), mount.read_only == Some(true));
        }
    }

    /// Takes the shared volumes back, with what the container wrote.
    pub(super) fn take_back(&mut self, files: &mut Files, container: &core::Container) {
        for mount in container.volume_mounts.as_deref().unwrap_or_default() {
            let Some(volume) = self.by_name.get_mut(&mount.name).filter(|volume| volume.shared) else {
                continue;
            };
            if let Some(lent) = files.unmount(&mount.mount_path).filter(|_| mount.read_only != Some(true)) {
                volume.files = lent;
            }
        }
    }

    fn mounts<'a>(
        &'a self,
        container: &'a core::Container,
    ) -> impl Iterator<Item = (&'a core::VolumeMount, &'a Volume)> {
        container
            .volume_mounts
            .iter()
            .flatten()
            .filter_map(|mount| Some((mount, self.by_name.get(&mount.name)?)))
    }
}
