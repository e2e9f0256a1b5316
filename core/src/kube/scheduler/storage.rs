//! What the scheduler is told of volumes, claims, storage classes and CSI drivers.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};

use super::cluster::Symbol;
use super::engine::{Scheduler, notify};
use super::queue::ClusterChange;

/// One method per kind that takes an object up and tells the queue.
macro_rules! take_up {
    ($(#[$doc:meta])* $method:ident($ty:ty) $set:ident $change:ident) => {
        $(#[$doc])*
        pub fn $method(&mut self, object: &$ty) {
            let (old, new) = self.cluster.volumes.$set(object, &mut self.cluster.symbols);
            let change = ClusterChange::$change { old: old.as_deref(), new: &new };
            notify(&mut self.queue, &self.profiles, &self.cluster, &change);
        }
    };
}

impl Scheduler {
    take_up! {
        /// A persistent volume changed (or came).
        set_persistent_volume(PersistentVolume) set_volume PersistentVolume
    }
    take_up! {
        /// A claim changed (or came).
        set_persistent_volume_claim(PersistentVolumeClaim) set_claim PersistentVolumeClaim
    }
    take_up! {
        /// A storage class changed (or came).
        set_storage_class(StorageClass) set_class StorageClass
    }
    take_up! {
        /// What the CSI drivers of a node say changed (or came).
        set_csi_node(CSINode) set_node CsiNode
    }
    take_up! {
        /// A CSI driver changed (or came).
        set_csi_driver(CSIDriver) set_driver CsiDriver
    }
    take_up! {
        /// How much is free in a part of the cluster changed (or came).
        set_csi_storage_capacity(CSIStorageCapacity) set_capacity CsiStorageCapacity
    }

    /// A volume is attached to a node, or about to be.
    pub fn set_volume_attachment(&mut self, attachment: &VolumeAttachment) {
        self.cluster.volumes.set_attachment(attachment, &mut self.cluster.symbols);
    }

    /// A volume was detached from a node.
    pub fn remove_volume_attachment(&mut self, name: &str) {
        let known = self.symbol(name).and_then(|name| self.cluster.volumes.remove_attachment(name));
        if let Some(attachment) = known {
            let change = ClusterChange::VolumeAttachmentDeleted(&attachment);
            notify(&mut self.queue, &self.profiles, &self.cluster, &change);
        }
    }

    /// A persistent volume went.
    pub fn remove_persistent_volume(&mut self, name: &str) {
        if let Some(name) = self.symbol(name) {
            self.cluster.volumes.remove_volume(name);
        }
    }

    /// A claim went.
    pub fn remove_persistent_volume_claim(&mut self, namespace: &str, name: &str) {
        if let (Some(namespace), Some(name)) = (self.symbol(namespace), self.symbol(name)) {
            self.cluster.volumes.remove_claim((namespace, name));
        }
    }

    /// A storage class went.
    pub fn remove_storage_class(&mut self, name: &str) {
        if let Some(name) = self.symbol(name) {
            self.cluster.volumes.remove_class(name);
        }
    }

    /// The CSI drivers of a node say nothing any more.
    pub fn remove_csi_node(&mut self, name: &str) {
        if let Some(name) = self.symbol(name) {
            self.cluster.volumes.remove_node(name);
        }
    }

    /// A CSI driver went.
    pub fn remove_csi_driver(&mut self, name: &str) {
        if let Some(name) = self.symbol(name) {
            self.cluster.volumes.remove_driver(name);
        }
    }

    /// Nobody says any more how much is free in a part of the cluster.
    pub fn remove_csi_storage_capacity(&mut self, namespace: &str, name: &str) {
        if let (Some(namespace), Some(name)) = (self.symbol(namespace), self.symbol(name)) {
            self.cluster.volumes.remove_capacity((namespace, name));
        }
    }

    fn symbol(&self, name: &str) -> Option<Symbol> {
        self.cluster.symbols.get(name)
    }
}
