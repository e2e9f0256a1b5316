//! Volumes.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, KeyToPath, ProjectedVolumeSource, Volume, VolumeProjection,
};

use super::container::{descending_path, no_backsteps};
use super::environment::{VOLUME_FIELDS, field_selector, resource_selector};
use super::field::{At, Errors};
use super::names::is_dns1123_label;
use crate::kube::quantity::Amount;

/// Validates the volumes; answers the names of those that are right, which containers may mount.
pub(super) fn validate<'a>(volumes: &'a [Volume], at: &At<'_>, errors: &mut Errors) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for (i, volume) in volumes.iter().enumerate() {
        let at = at.index(i);
        let before = errors.len();
        source(volume, &at, errors);
        let name_at = at.child("name");
        if volume.name.is_empty() {
            errors.required(&name_at, "");
        } else {
            errors.invalid_all(&name_at, &volume.name, &is_dns1123_label(&volume.name));
        }
        if names.contains(volume.name.as_str()) {
            errors.duplicate(&name_at, &volume.name);
        }
        if errors.len() == before {
            names.insert(volume.name.as_str());
        }
    }
    names
}

fn source(volume: &Volume, at: &At<'_>, errors: &mut Errors) {
    // In the order in which the real one looks: the first that is there counts, each further one is forbidden.
    let present = [
        ("emptyDir", volume.empty_dir.is_some()),
        ("hostPath", volume.host_path.is_some()),
        ("gitRepo", volume.git_repo.is_some()),
        ("gcePersistentDisk", volume.gce_persistent_disk.is_some()),
        ("awsElasticBlockStore", volume.aws_elastic_block_store.is_some()),
        ("secret", volume.secret.is_some()),
        ("nfs", volume.nfs.is_some()),
        ("iscsi", volume.iscsi.is_some()),
        ("glusterfs", volume.glusterfs.is_some()),
        ("flocker", volume.flocker.is_some()),
        ("persistentVolumeClaim", volume.persistent_volume_claim.is_some()),
        ("rbd", volume.rbd.is_some()),
        ("cinder", volume.cinder.is_some()),
        ("cephFS", volume.cephfs.is_some()),
        ("quobyte", volume.quobyte.is_some()),
        ("downwardAPI", volume.downward_api.is_some()),
        ("fc", volume.fc.is_some()),
        ("flexVolume", volume.flex_volume.is_some()),
        ("configMap", volume.config_map.is_some()),
        ("azureFile", volume.azure_file.is_some()),
        ("vsphereVolume", volume.vsphere_volume.is_some()),
        ("photonPersistentDisk", volume.photon_persistent_disk.is_some()),
        ("portworxVolume", volume.portworx_volume.is_some()),
        ("azureDisk", volume.azure_disk.is_some()),
        ("storageos", volume.storageos.is_some()),
        ("projected", volume.projected.is_some()),
        ("scaleIO", volume.scale_io.is_some()),
        ("csi", volume.csi.is_some()),
        ("ephemeral", volume.ephemeral.is_some()),
        ("image", volume.image.is_some()),
    ];
    let mut present = present.into_iter().filter(|(_, there)| *there).map(|(field, _)| field);
    let Some(first) = present.next() else {
        errors.required(at, "must specify a volume type");
        return;
    };
    fields(volume, first, at, errors);
    for field in present {
        // The original misspells this one.
        let field = if field == "downwardAPI" { "downwarAPI" } else { field };
        errors.forbidden(&at.child(field), "may not specify more than 1 volume type");
    }
}

fn fields(volume: &Volume, field: &str, at: &At<'_>, errors: &mut Errors) {
    let at = at.child(field);
    let need = |value: &str, name: &str, errors: &mut Errors| {
        if value.is_empty() {
            errors.required(&at.child(name), "");
        }
    };
    match field {
        "emptyDir" => {
            let limit = volume.empty_dir.as_ref().and_then(|source| source.size_limit.as_ref());
            if limit.and_then(|limit| Amount::try_from(limit).ok()).is_some_and(|limit| limit.nanos() < 0) {
                errors.forbidden(&at.child("sizeLimit"), "SizeLimit field must be a valid resource quantity");
            }
        }
        "hostPath" => {
            let Some(source) = &volume.host_path else { return };
            need(&source.path, "path", errors);
            if source.path.is_empty() {
                return;
            }
            no_backsteps(&source.path, &at.child("path"), errors);
            let types = [
                "",
                "BlockDevice",
                "CharDevice",
                "Directory",
                "DirectoryOrCreate",
                "File",
                "FileOrCreate",
                "Socket",
            ];
            let given = source.type_.as_deref().unwrap_or_default();
            if !types.contains(&given) {
                errors.not_supported(&at.child("type"), given, &types);
            }
        }
        "secret" => {
            let Some(source) = &volume.secret else { return };
            need(source.secret_name.as_deref().unwrap_or_default(), "secretName", errors);
            mode(source.default_mode, &at.child("defaultMode"), errors);
            key_paths(source.items.as_deref().unwrap_or_default(), &at.child("items"), errors);
        }
        "configMap" => {
            let Some(source) = &volume.config_map else { return };
            need(&source.name, "name", errors);
            mode(source.default_mode, &at.child("defaultMode"), errors);
            key_paths(source.items.as_deref().unwrap_or_default(), &at.child("items"), errors);
        }
        "persistentVolumeClaim" => {
            let Some(source) = &volume.persistent_volume_claim else { return };
            need(&source.claim_name, "claimName", errors);
        }
        "nfs" => {
            let Some(source) = &volume.nfs else { return };
            need(&source.server, "server", errors);
            need(&source.path, "path", errors);
            if !source.path.starts_with('/') {
                errors.invalid(&at.child("path"), &source.path, "must be an absolute path");
            }
        }
        "downwardAPI" => {
            let Some(source) = &volume.downward_api else { return };
            mode(source.default_mode, &at.child("defaultMode"), errors);
            for file in source.items.iter().flatten() {
                downward_file(file, &at, errors);
            }
        }
        "projected" => {
            if let Some(source) = &volume.projected {
                projected(source, &at, errors);
            }
        }
        "csi" => {
            if let Some(source) = &volume.csi {
                need(&source.driver, "driver", errors);
            }
        }
        _ => {}
    }
}

fn projected(source: &ProjectedVolumeSource, at: &At<'_>, errors: &mut Errors) {
    mode(source.default_mode, &at.child("defaultMode"), errors);
    let sources = at.child("sources");
    let mut paths = BTreeSet::new();
    let mut once = |path: &str, shown: &str, errors: &mut Errors| {
        if !path.is_empty() && !paths.insert(path.to_owned()) {
            errors.invalid(at, shown, "conflicting duplicate paths");
        }
    };
    for (i, projection) in source.sources.iter().flatten().enumerate() {
        let source_at = sources.index(i);
        let VolumeProjection { secret, config_map, downward_api, service_account_token, .. } = projection;
        let maps = [
            ("secret", secret.as_ref().map(|secret| (&secret.name, &secret.items))),
            ("configMap", config_map.as_ref().map(|map| (&map.name, &map.items))),
        ];
        for (field, map) in maps {
            let Some((name, items)) = map else { continue };
            let at = source_at.child(field);
            if name.is_empty() {
                errors.required(&at.child("name"), "");
            }
            let items_at = at.child("items");
            for (i, item) in items.iter().flatten().enumerate() {
                key_path(item, &items_at.index(i), errors);
                once(&item.path, name, errors);
            }
        }
        if let Some(downward) = downward_api {
            for file in downward.items.iter().flatten() {
                downward_file(file, &source_at.child("downwardAPI"), errors);
                once(&file.path, &file.path, errors);
            }
        }
        if let Some(token) = service_account_token {
            let seconds = token.expiration_seconds.unwrap_or(3600);
            let seconds_at = source_at.child("serviceAccountToken");
            let seconds_at = seconds_at.child("expirationSeconds");
            if seconds < 600 {
                errors.invalid_bare(&seconds_at, seconds, "may not specify a duration less than 10 minutes");
            }
            if seconds > 1 << 32 {
                errors.invalid_bare(
                    &seconds_at,
                    seconds,
                    "may not specify a duration larger than 2^32 seconds",
                );
            }
            // Without the index of the source, as in the original.
            if token.path.is_empty() {
                errors.required(&at.child("path"), "");
            } else {
                unreserved_path(&token.path, &at.child("path"), errors);
            }
        }
        let kinds = [
            secret.is_some(),
            config_map.is_some(),
            downward_api.is_some(),
            service_account_token.is_some(),
            projection.cluster_trust_bundle.is_some(),
            projection.pod_certificate.is_some(),
        ];
        if kinds.iter().filter(|there| **there).count() > 1 {
            errors.forbidden(&source_at, "may not specify more than 1 volume type per source");
        }
    }
}

/// A path below where it starts that does not begin with the two dots of atomic updates.
fn unreserved_path(path: &str, at: &At<'_>, errors: &mut Errors) {
    descending_path(path, at, errors);
    if path.starts_with("..") && !path.starts_with("../") {
        errors.invalid(at, path, "must not start with '..'");
    }
}

fn mode(mode: Option<i32>, at: &At<'_>, errors: &mut Errors) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        errors.invalid_bare(at, mode, "must be a number between 0 and 0777 (octal), both inclusive");
    }
}

fn key_paths(items: &[KeyToPath], at: &At<'_>, errors: &mut Errors) {
    for (i, item) in items.iter().enumerate() {
        key_path(item, &at.index(i), errors);
    }
}

fn key_path(item: &KeyToPath, at: &At<'_>, errors: &mut Errors) {
    if item.key.is_empty() {
        errors.required(&at.child("key"), "");
    }
    if item.path.is_empty() {
        errors.required(&at.child("path"), "");
    }
    unreserved_path(&item.path, &at.child("path"), errors);
    mode(item.mode, &at.child("mode"), errors);
}

fn downward_file(file: &DownwardAPIVolumeFile, at: &At<'_>, errors: &mut Errors) {
    if file.path.is_empty() {
        errors.required(&at.child("path"), "");
    }
    unreserved_path(&file.path, &at.child("path"), errors);
    match (&file.field_ref, &file.resource_field_ref) {
        (Some(field), other) => {
            field_selector(field, VOLUME_FIELDS, &at.child("fieldRef"), errors);
            if other.is_some() {
                errors.invalid(
                    at,
                    "resource",
                    "fieldRef and resourceFieldRef can not be specified simultaneously",
                );
            }
        }
        (None, Some(resource)) => resource_selector(resource, true, &at.child("resourceFieldRef"), errors),
        (None, None) => errors.required(at, "one of fieldRef and resourceFieldRef is required"),
    }
    mode(file.mode, &at.child("mode"), errors);
}
