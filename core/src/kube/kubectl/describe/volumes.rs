//! The volumes of a pod.

use k8s_openapi::api::core::v1::{ProjectedVolumeSource, Volume};

use super::lines::Lines;

/// Writes the volumes.
pub(super) fn describe(lines: &mut Lines, volumes: &[Volume]) {
    if volumes.is_empty() {
        lines.put(0, "Volumes:\t<none>");
        return;
    }
    lines.put(0, "Volumes:");
    for volume in volumes {
        lines.put(1, &format!("{}:", volume.name));
        one(lines, volume);
    }
}

fn one(lines: &mut Lines, volume: &Volume) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let mut rows = |rows: &[(&str, String)]| {
        for (title, value) in rows {
            lines.put(2, &format!("{title}:\t{value}"));
        }
    };
    let kind = |kind: &str| ("Type", kind.to_owned());
    if let Some(source) = &volume.empty_dir {
        let limit = source.size_limit.as_ref().filter(|limit| limit.0 != "0");
        rows(&[
            kind("EmptyDir (a temporary directory that shares a pod's lifetime)"),
            ("Medium", text(&source.medium)),
            ("SizeLimit", limit.map_or_else(|| "<unset>".to_owned(), |limit| limit.0.clone())),
        ]);
    } else if let Some(source) = &volume.host_path {
        rows(&[
            kind("HostPath (bare host directory volume)"),
            ("Path", source.path.clone()),
            ("HostPathType", text(&source.type_)),
        ]);
    } else if let Some(source) = &volume.config_map {
        rows(&[
            kind("ConfigMap (a volume populated by a ConfigMap)"),
            ("Name", source.name.clone()),
            ("Optional", source.optional.unwrap_or(false).to_string()),
        ]);
    } else if let Some(source) = &volume.secret {
        rows(&[
            kind("Secret (a volume populated by a Secret)"),
            ("SecretName", text(&source.secret_name)),
            ("Optional", source.optional.unwrap_or(false).to_string()),
        ]);
    } else if let Some(source) = &volume.nfs {
        rows(&[
            kind("NFS (an NFS mount that lasts the lifetime of a pod)"),
            ("Server", source.server.clone()),
            ("Path", source.path.clone()),
            ("ReadOnly", source.read_only.unwrap_or(false).to_string()),
        ]);
    } else if let Some(source) = &volume.persistent_volume_claim {
        rows(&[
            kind("PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)"),
            ("ClaimName", source.claim_name.clone()),
            ("ReadOnly", source.read_only.unwrap_or(false).to_string()),
        ]);
    } else if let Some(source) = &volume.downward_api {
        rows(&[kind("DownwardAPI (a volume populated by information about the pod)")]);
        lines.put(2, "Items:");
        for item in source.items.iter().flatten() {
            let from = item
                .field_ref
                .as_ref()
                .map(|field| field.field_path.clone())
                .or_else(|| item.resource_field_ref.as_ref().map(|resource| resource.resource.clone()));
            lines.put(3, &format!("{} -> {}", from.unwrap_or_default(), item.path));
        }
    } else if let Some(source) = &volume.projected {
        projected(lines, source);
    } else if let Some(source) = &volume.csi {
        rows(&[
            kind("CSI (a Container Storage Interface (CSI) volume source)"),
            ("Driver", source.driver.clone()),
            ("FSType", text(&source.fs_type)),
            ("ReadOnly", source.read_only.unwrap_or(false).to_string()),
        ]);
        let attributes: Vec<String> =
            source.volume_attributes.iter().flatten().map(|(key, value)| format!("{key}={value}")).collect();
        // The original indents each piece of this line anew.
        let first = attributes.first().cloned().unwrap_or_else(|| "<none>".to_owned());
        lines.put(2, &format!("VolumeAttributes:\t    {first}"));
        for attribute in attributes.iter().skip(1) {
            lines.put(2, &format!("    \t    {attribute}"));
        }
    } else if let Some(source) = &volume.image {
        rows(&[
            kind("Image (a container image or OCI artifact)"),
            ("Reference", text(&source.reference)),
            ("PullPolicy", text(&source.pull_policy)),
        ]);
    } else if let Some(source) = &volume.ephemeral {
        let spec =
            source.volume_claim_template.as_ref().map(|template| template.spec.clone()).unwrap_or_default();
        rows(&[
            kind(
                "EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)",
            ),
            ("StorageClass", text(&spec.storage_class_name)),
            ("Volume", text(&spec.volume_name)),
            ("Labels", "    <none>".to_owned()),
            ("Annotations", "    <none>".to_owned()),
            ("Capacity", String::new()),
            ("Access Modes", String::new()),
            ("VolumeMode", spec.volume_mode.clone().unwrap_or_else(|| "Filesystem".to_owned())),
        ]);
    } else {
        lines.put(2, "<unknown>");
    }
}

fn projected(lines: &mut Lines, source: &ProjectedVolumeSource) {
    lines.put(2, "Type:\tProjected (a volume that contains injected data from multiple sources)");
    for source in source.sources.iter().flatten() {
        if let Some(secret) = &source.secret {
            lines.put(2, &format!("SecretName:\t{}", secret.name));
            lines.put(2, &format!("Optional:\t{}", secret.optional.unwrap_or(false)));
        } else if source.downward_api.is_some() {
            lines.put(2, "DownwardAPI:\ttrue");
        } else if let Some(map) = &source.config_map {
            lines.put(2, &format!("ConfigMapName:\t{}", map.name));
            lines.put(2, &format!("Optional:\t{}", map.optional.unwrap_or(false)));
        } else if let Some(token) = &source.service_account_token {
            let seconds = token.expiration_seconds.unwrap_or(3600);
            lines.put(2, &format!("TokenExpirationSeconds:\t{seconds}"));
        }
    }
}
