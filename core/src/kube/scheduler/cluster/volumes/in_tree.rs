//! Disks of clouds that were part of Kubernetes itself before CSI, and the CSI drivers that stand in for them.
//!
//! Not modelled: `AzureFile` and vSphere, whose volumes are not counted anyway, and
//! that a translated volume's node affinity speaks of the driver's topology key.

use k8s_openapi::api::core::v1::{PersistentVolumeSpec, Volume};

use super::super::symbols::{Symbol, Symbols};

/// The five plugins and their drivers (`csi-translation-lib`).
const EBS: (&str, &str) = ("kubernetes.io/aws-ebs", "ebs.csi.aws.com");
const GCE: (&str, &str) = ("kubernetes.io/gce-pd", "pd.csi.storage.gke.io");
const AZURE: (&str, &str) = ("kubernetes.io/azure-disk", "disk.csi.azure.com");
const CINDER: (&str, &str) = ("kubernetes.io/cinder", "cinder.csi.openstack.org");
const PORTWORX: (&str, &str) = ("kubernetes.io/portworx-volume", "pxd.portworx.com");

/// A volume as its driver knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CsiVolume {
    /// The driver.
    pub driver: Symbol,
    /// The driver's name of the volume.
    pub handle: Symbol,
}

/// An in-tree disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InTree {
    /// `kubernetes.io/aws-ebs`
    pub plugin: Symbol,
    /// What it is to the driver.
    pub csi: CsiVolume,
}

fn in_tree((plugin, driver): (&str, &str), handle: &str, symbols: &mut Symbols) -> InTree {
    InTree {
        plugin: symbols.intern(plugin),
        csi: CsiVolume { driver: symbols.intern(driver), handle: symbols.intern(handle) },
    }
}

/// `aws://zone/vol-1` and `vol-1` are one volume.
fn ebs_id(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// The in-tree disk behind a persistent volume.
pub(super) fn of_persistent_volume(spec: &PersistentVolumeSpec, symbols: &mut Symbols) -> Option<InTree> {
    if let Some(disk) = &spec.aws_elastic_block_store {
        Some(in_tree(EBS, ebs_id(&disk.volume_id), symbols))
    } else if let Some(disk) = &spec.gce_persistent_disk {
        Some(in_tree(GCE, &disk.pd_name, symbols))
    } else if let Some(disk) = &spec.azure_disk {
        Some(in_tree(AZURE, &disk.disk_uri, symbols))
    } else if let Some(disk) = &spec.cinder {
        Some(in_tree(CINDER, &disk.volume_id, symbols))
    } else {
        spec.portworx_volume.as_ref().map(|disk| in_tree(PORTWORX, &disk.volume_id, symbols))
    }
}

/// The in-tree disk that a pod names itself.
pub(super) fn of_pod(volume: &Volume, symbols: &mut Symbols) -> Option<InTree> {
    if let Some(disk) = &volume.aws_elastic_block_store {
        Some(in_tree(EBS, ebs_id(&disk.volume_id), symbols))
    } else if let Some(disk) = &volume.gce_persistent_disk {
        Some(in_tree(GCE, &disk.pd_name, symbols))
    } else if let Some(disk) = &volume.azure_disk {
        Some(in_tree(AZURE, &disk.disk_uri, symbols))
    } else if let Some(disk) = &volume.cinder {
        Some(in_tree(CINDER, &disk.volume_id, symbols))
    } else {
        volume.portworx_volume.as_ref().map(|disk| in_tree(PORTWORX, &disk.volume_id, symbols))
    }
}

/// The driver that stands in for an in-tree provisioner of that name.
pub(super) fn driver_for(provisioner: &str) -> Option<&'static str> {
    let mut known = [EBS, GCE, AZURE, CINDER, PORTWORX].into_iter();
    known.find(|(plugin, _)| *plugin == provisioner).map(|(_, driver)| driver)
}
