//! What the scheduler is told of devices: slices, classes, and claims to them.

use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceSlice};

use super::cluster::devices::ClaimKey;
use super::engine::{Scheduler, notify};
use super::queue::ClusterChange;

impl Scheduler {
    /// A slice of a pool of devices changed (or came).
    pub fn set_resource_slice(&mut self, slice: &ResourceSlice) {
        self.cluster.devices.set_slice(slice, &mut self.cluster.symbols);
        notify(&mut self.queue, &self.profiles, &self.cluster, &ClusterChange::ResourceSlice);
    }

    /// A slice went.
    pub fn remove_resource_slice(&mut self, name: &str) {
        self.cluster.devices.remove_slice(name);
    }

    /// A class of devices changed (or came).
    pub fn set_device_class(&mut self, class: &DeviceClass) {
        self.cluster.devices.set_class(class, &mut self.cluster.symbols);
        self.forget_answers();
        notify(&mut self.queue, &self.profiles, &self.cluster, &ClusterChange::DeviceClass);
    }

    /// A class of devices went.
    pub fn remove_device_class(&mut self, name: &str) {
        if let Some(name) = self.cluster.symbols.get(name) {
            self.cluster.devices.remove_class(name, &self.cluster.symbols);
            self.forget_answers();
        }
    }

    /// A claim to devices changed (or came).
    pub fn set_resource_claim(&mut self, claim: &ResourceClaim) {
        let (old, new) = self.cluster.devices.set_claim(claim, &mut self.cluster.symbols);
        let change = ClusterChange::ResourceClaim { old: old.as_deref(), new: &new };
        notify(&mut self.queue, &self.profiles, &self.cluster, &change);
    }

    /// A claim to devices went.
    pub fn remove_resource_claim(&mut self, namespace: &str, name: &str) {
        if let Some(key) = self.key(namespace, name) {
            self.cluster.devices.remove_claim(key);
        }
    }

    /// Takes the devices of a claim away that kept a pod from running anywhere.
    pub(super) fn deallocate_claim(&mut self, key: ClaimKey) {
        let old = self.cluster.devices.claim(key).cloned();
        self.cluster.devices.deallocate(key);
        if let Some(new) = self.cluster.devices.claim(key).cloned() {
            let change = ClusterChange::ResourceClaim { old: old.as_deref(), new: &new };
            notify(&mut self.queue, &self.profiles, &self.cluster, &change);
        }
    }

    /// Which resources a node must count itself depends on the classes there are.
    fn forget_answers(&mut self) {
        self.set_answers_kept(!self.answers.off);
    }
}
